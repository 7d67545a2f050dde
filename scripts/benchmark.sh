#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and runs the benchmarks, and prints host speed and the ratios that matter. Times are processor time of one core.
# Usage: scripts/benchmark.sh [FILTER]      (a regular expression for benchmark names)
set -euo pipefail
cd "$(dirname "$0")/.."
filter=${1:-.}
build=build/release
scripts/install_dependencies.sh --test
cmake --preset release >/dev/null
cmake --build "$build" --target machine_benchmark numerics_benchmark dram_benchmark >/dev/null
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for suite in machine numerics dram; do
  "$build/tests/benchmark/${suite}_benchmark" --benchmark_filter="$filter" --benchmark_format=console \
    --benchmark_out="$results/$suite.json" --benchmark_out_format=json 2>/dev/null
done
python3 - "$results/machine.json" <<'PYTHON'
import json
import os
import sys

if not os.path.getsize(sys.argv[1]):
    sys.exit()
with open(sys.argv[1]) as file:
    runs = {run["name"].split("/")[0]: run for run in json.load(file)["benchmarks"]}


def rate(name, unit="cycles/s"):
    return runs[name][unit] if name in runs else None


def show(what, ratio, aim):
    if ratio is not None:
        print(f"  {what:<66} {ratio:>9.2f}   (aim: {aim})")


def ratio(one, other):
    return rate(one) / rate(other) if rate(one) and rate(other) else None


def millions(name, unit="cycles/s"):
    return rate(name, unit) / 1e6 if rate(name, unit) else None


print("\nMachine edge-int4, network resnet18")
show("every-edge clock: Mcycles a second", millions("every_edge"), "3 or more")
show("skipping clock, compute-bound layers: simulated Mcycles a second", millions("skipping_compute_bound"), "50 or more")
show("values mode: MMAC a second through the array", millions("values", "MAC/s"), "200 or more")
show("skipping against every-edge, whole step", ratio("skipping", "every_edge"), "above 1")
show("every-edge against a bare kernel of eight empty units", ratio("every_edge", "bare_kernel"), "the cost of the models")
PYTHON
