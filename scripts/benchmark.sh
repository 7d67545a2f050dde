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
cmake --build "$build" --target machine_benchmark numerics_benchmark formats_benchmark dram_benchmark \
  import_benchmark nibblesim_python >/dev/null
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for suite in machine numerics formats dram import; do
  "$build/tests/benchmark/${suite}_benchmark" --benchmark_filter="$filter" --benchmark_format=console \
    --benchmark_out="$results/$suite.json" --benchmark_out_format=json 2>/dev/null
done
python3 - "$results/machine.json" "$results/import.json" <<'PYTHON'
import json
import os
import sys

runs = {}
for results in filter(os.path.getsize, sys.argv[1:]):
    with open(results) as file:
        runs |= {run["name"].split("/")[0]: run for run in json.load(file)["benchmarks"]}


def rate(name, unit="cycles/s"):
    return runs[name][unit] if name in runs else None


def show(what, ratio, aim):
    if ratio is not None:
        print(f"  {what:<66} {ratio:>9.2f}   (aim: {aim})")


def ratio(one, other, unit="cycles/s"):
    return rate(one, unit) / rate(other, unit) if rate(one, unit) and rate(other, unit) else None


def millions(name, unit="cycles/s"):
    return rate(name, unit) / 1e6 if rate(name, unit) else None


print("\nMachine edge-int4, network resnet18")
show("every-edge clock: Mcycles a second", millions("every_edge"), "3 or more")
show("skipping clock, compute-bound layers: simulated Mcycles a second", millions("skipping_compute_bound"), "50 or more")
show("values mode: MMAC a second through the array", millions("values", "MAC/s"), "200 or more")
show("skipping against every-edge, whole step", ratio("skipping", "every_edge"), "above 1")
show("time with --timeline against without", rate("timeline_overhead", "times"), "below 1.20")
show("every-edge against a bare kernel of eight empty units", ratio("every_edge", "bare_kernel"), "the cost of the models")
print("Import of a PyTorch execution trace of 25 MB")
show("MB a second", rate("import_execution_trace", "MB/s"), "25 or more")
show("against parsing its JSON alone", ratio("import_execution_trace", "parse_execution_trace", "MB/s"),
     "the cost of reading it twice and of translating it")
PYTHON
if [[ "$filter" == . ]]; then
  echo
  PYTHONPATH="$build/python" /usr/bin/python3 scripts/benchmark_numerics.py
fi
