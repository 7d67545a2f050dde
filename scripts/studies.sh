#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the studies of studies/*.yaml, prints what they found, and draws docs/studies/NAME.svg.
# Usage: scripts/studies.sh [NAME ...]      (default: all; scripts/demo.sh or scripts/test.sh built the program)
#
# Results are kept in build/studies/NAME: a study that was stopped goes on where it was, and one that is complete is
# only shown again. A study takes over what the others have already run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=build/release/sim/app/nibblesim
pictures=docs/studies
python=python3
"$python" -c "import matplotlib" 2>/dev/null || python=/usr/bin/python3  # Debian's, which has its packages

all=(memory array-shape gradient-storage pointwise-fp8 batch-size phone transformer-or-cnn iso-area)

if [[ ! -x $program ]]; then
    echo "studies.sh: $program is not there: scripts/demo.sh builds it" >&2
    exit 2
fi
for name in "$@"; do
    if [[ " ${all[*]} " != *" $name "* ]]; then
        echo "studies.sh: there is no study '$name': expected some of ${all[*]}" >&2
        exit 2
    fi
done

# run NAME: the study, with the results of all others
run() {
    local reuse=() other
    for other in "${all[@]}"; do
        if [[ $other != "$1" && -d build/studies/$other/results ]]; then
            reuse+=(--reuse "build/studies/$other")
        fi
    done
    "$program" sweep "studies/$1.yaml" --out "build/studies/$1" "${reuse[@]}"
}

plot() {
    "$python" scripts/plot_study.py "build/studies/$1" "${@:2}" -o "$pictures/$1.svg"
}

# What answers each study's question.
show() {
    case $1 in
        memory)
            plot "$1" --x dram_bytes_per_s --y speedup --group scratchpad --line "7.3=promised by MAC area: 7.3"
            ;;
        array-shape)
            plot "$1" --x mac_array.rows --y time_ms --group workload --relative-to "mac_array.rows=32 / 32 / 32"
            ;;
        gradient-storage)
            plot "$1" --x dram_bytes_per_s --y time_ms energy_pj --group gradient_storage \
                --relative-to gradient_storage=two_codes
            ;;
        pointwise-fp8)
            plot "$1" --x workload --y speedup energy_gain --group machine recipe
            ;;
        batch-size)
            plot "$1" --x batch --y speedup energy_gain --group workload
            ;;
        phone)
            "$program" pareto "build/studies/$1" --sensitivity
            plot "$1" --scatter --x time_ms --y energy_pj --group dram.channels fidelity
            ;;
        transformer-or-cnn)
            plot "$1" --x workload --y speedup energy_gain --group machine
            ;;
        iso-area)
            plot "$1" --x mac_array.rows --y time_ms energy_pj --group workload
            ;;
    esac
}

names=("$@")
[[ $# -gt 0 ]] || names=("${all[@]}")
mkdir -p "$pictures"
for name in "${names[@]}"; do
    run "$name"
    show "$name"
    echo
done
