#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the libFuzzer targets (tests/fuzz) and runs each of them on what it has found so far, in build/fuzz/corpus.
# Usage: scripts/fuzz.sh [--seconds N] [--seed N] [TARGET...]      (default: 10 seconds each, all targets)
# With a seed, and nothing found before, the same inputs are tried in the same order.
# Exit code 1 if an input crashes a target, takes more than 10 seconds or more than 2 GiB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=10
seed=0  # chosen by libFuzzer
targets=()
while [[ $# -gt 0 ]]; do
    case $1 in
        --seconds) seconds=${2:?--seconds needs a number}; shift ;;
        --seed) seed=${2:?--seed needs a number}; shift ;;
        -*) echo "Usage: scripts/fuzz.sh [--seconds N] [--seed N] [TARGET...]" >&2; exit 2 ;;
        *) targets+=("$1") ;;
    esac
    shift
done
all=(pytorch-et kineto chakra torch-dump onnx scale-sim zigzag timeloop trace workload machine memtest points study timeline
     result)
for target in "${targets[@]}"; do
    if [[ ! " ${all[*]} " == *" $target "* ]]; then
        echo "'$target' is no target; there are: ${all[*]}" >&2
        exit 2
    fi
done
[[ ${#targets[@]} -gt 0 ]] || targets=("${all[@]}")

scripts/install_dependencies.sh --test
build=build/fuzz
options=()
if command -v ccache >/dev/null; then
    options=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
cmake --preset fuzz "${options[@]}" >/dev/null
cmake --build --preset fuzz --parallel "$(nproc)"
python3 tests/fuzz/seeds.py "$build/seeds"
mkdir -p "$build/crashes" "$build/log"
export build seconds seed

fuzz_one() {
    local target=$1
    local dictionary=tests/fuzz/dictionaries/$target.dict
    local options=(-max_total_time="$seconds" -seed="$seed" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1
                   -artifact_prefix="$build/crashes/$target-")
    if [[ -f $dictionary ]]; then
        options+=(-dict="$dictionary")
    fi
    mkdir -p "$build/corpus/$target"
    local code=0
    "$build/tests/fuzz/${target//-/_}_fuzzer" "${options[@]}" "$build/corpus/$target" "$build/seeds/$target" \
        >"$build/log/$target" 2>&1 || code=$?
    echo "$code" >"$build/log/$target.code"
}
export -f fuzz_one
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {}'

# The number behind a word of libFuzzer's log, where it stands last.
last() { grep -oE "$1 *[0-9]+" "$build/log/$2" | tail -n 1 | grep -oE '[0-9]+$' || echo 0; }

failed=()
printf '%-12s %12s %10s %12s\n' target executions coverage 'new inputs'
for target in "${targets[@]}"; do
    result=''
    if [[ $(<"$build/log/$target.code") != 0 ]]; then
        failed+=("$target")
        result=FAILED
    fi
    printf '%-12s %12d %10d %12d  %s\n' "$target" "$(last 'number_of_executed_units:' "$target")" "$(last cov: "$target")" \
        "$(last new_units_added: "$target")" "$result"
done
for target in "${failed[@]}"; do
    echo
    grep -E 'ERROR|SUMMARY|runtime error|what\(\)|is not valid' "$build/log/$target" || tail -n 20 "$build/log/$target"
    input=$(grep -oE "$build/crashes/$target-\S+" "$build/log/$target" | tail -n 1 || true)
    echo "To reproduce: $build/tests/fuzz/${target//-/_}_fuzzer $input   (all it said: $build/log/$target)"
done
[[ ${#failed[@]} -eq 0 ]]
