#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is left of the promise on each memory system: speed-up of a training step over the 16-bit baseline of the same MAC
area, a row for each network, a column for each machine; and how much faster searched mappings are than greedy ones.

    memory_table.py [--batch N] [--networks a,b,...] [--machines a,b,...]

Builds nothing: scripts/demo.sh or scripts/test.sh did. Prints a Markdown table.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/sim/app/nibblesim"
NETWORKS = "alexnet,vgg16,resnet18,resnet50,mobilenet_v2,lstm-ptb,transformer-base,bert-base,gpt2-small"
MACHINES = "edge-int4-2ch,edge-int4,server-int4,server-int4-hbm2"


def run(network, machine, batch, *flags):
    command = [PROGRAM, "run", network, "--machine", machine, "--batch", str(batch), "--json", "--quiet", *flags]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--networks", default=NETWORKS)
    parser.add_argument("--machines", default=MACHINES)
    arguments = parser.parse_args()
    machines = arguments.machines.split(",")
    print("| network |" + "".join(f" {machine} | search over greedy |" for machine in machines))
    print("|---|" + "---|---|" * len(machines))
    for network in arguments.networks.split(","):
        row = f"| {network} |"
        for machine in machines:
            searched = run(network, machine, arguments.batch)
            greedy = run(network, machine, arguments.batch, "--mapping", "greedy", "--baseline", "none")
            gain = greedy["totals"]["cycles"] / searched["totals"]["cycles"]
            row += f" {searched['speedup']:.2f}x | {gain:.2f}x |"
        print(row, flush=True)


if __name__ == "__main__":
    sys.exit(main())
