#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast sweeps are: a thousand machines on a ResNet-18 training step, and what sharing operations saves.

    benchmark_sweep.py [--program build/release/sim/app/nibblesim] [--designs 1000] [--jobs 2]

For every fidelity: seconds, the share of the cores that was busy with this sweep and its runs, and points a second.
"""

import argparse
import pathlib
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
STUDY = """
name: benchmark
machines: [edge-int4]
axes:
  - {{parameter: dram.channels, values: [1, 2, 4, 8]}}
  - {{parameter: vector_unit.lanes, values: [32, 64, 128, 256]}}
  - {{parameter: log_gradient.lanes, values: [8, 16, 32, 64]}}
  - {{parameter: scratchpad.banks, values: [8, 16, 32]}}
  - {{parameter: dma.max_outstanding, values: [4, 8, 16]}}
  - {{parameter: sequencer.queue_entries, values: [8, 16]}}
workloads: [{{trace: {network}, batch: 1}}]
mapping: greedy
fidelity: {fidelity}
explore: {{method: random, designs: {designs}}}
"""


def measure(arguments, network, fidelity, designs, *flags):
    """Seconds, and busy seconds, of one sweep; its table."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "study.yaml").write_text(STUDY.format(network=network, fidelity=fidelity, designs=designs))
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([arguments.program, "sweep", folder / "study.yaml", "--out", folder / "out", "--jobs",
                        str(arguments.jobs), "--quiet", *flags], check=True)
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, busy, (folder / "out/points.json").read_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/sim/app/nibblesim")
    parser.add_argument("--designs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    print(f"{arguments.designs} designs, ResNet-18, batch 1, with their 16-bit baselines:")
    for fidelity in ["predicted", "composed", "simulated"]:
        seconds, busy, _ = measure(arguments, "resnet18", fidelity, arguments.designs)
        print(f"  {fidelity:9}  {seconds:6.0f} s, {100 * busy / seconds / arguments.jobs:.0f}% of {arguments.jobs} cores "
              f"busy, {arguments.designs / seconds:.1f} points/s", flush=True)
    few = max(1, arguments.designs // 20)
    print(f"{few} designs, ResNet-50, batch 1, sharing operations or not:")
    for fidelity in ["predicted", "composed"]:
        shared, _, table = measure(arguments, "resnet50", fidelity, few)
        alone, _, other = measure(arguments, "resnet50", fidelity, few, "--no-sharing")
        same = "the same table" if table == other else "DIFFERENT TABLES"
        print(f"  {fidelity:9}  {shared:6.1f} s shared, {alone:6.1f} s not: {alone / shared:.1f}x, {same}", flush=True)


if __name__ == "__main__":
    main()
