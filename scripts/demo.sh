#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demonstration: one ImageNet training step of ResNet-18 (batch 16) on a phone-class machine that trains in four
# bits, and on a 16-bit machine of the same MAC area. Installs and builds what it needs. Later runs show the result
# again without simulating, as long as program and inputs are the same; --force simulates all the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

force=false
case "${1:-}" in
    "") ;;
    --force) force=true ;;
    *)
        echo "usage: scripts/demo.sh [--force]" >&2
        exit 2
        ;;
esac

out=demo-results
program=build/release/sim/app/nibblesim

scripts/install_dependencies.sh
cmake --preset release -DBUILD_TESTING=OFF >/dev/null
echo "Building nibblesim ..." >&2
cmake --build --preset release --parallel "$(nproc)" --target nibblesim >&2

# Everything that the result depends on: the program and the data files that it reads.
key=$(cat "$program" workloads/resnet18.yaml models/presets/edge-int4.yaml models/energy/7nm.yaml \
          models/energy/dram.yaml models/energy/sram/cacti7.yaml | sha256sum)
if [[ $force == false && -f $out/result.json && -f $out/.key && "$(cat "$out/.key")" == "$key" ]]; then
    cat "$out/report.txt"
    echo
    echo "This result is from an earlier run (scripts/demo.sh --force simulates again)."
else
    "$program" run resnet18 --batch 16 --machine edge-int4 --baseline iso-mac-area --series --out "$out"
    "$program" report "$out" -o "$out/report.html"
    echo "$key" >"$out/.key"
fi
echo "Everything is in $out/: report.html to look at, report.txt, result.json, ops.csv, machines and mappings."
echo "Why a layer takes its time: $program explain $out --layer layer4.0.conv2"
