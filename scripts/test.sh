#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds nibblesim in Release mode and runs every test, and each fuzz target for some seconds. Arguments go to ctest,
# e.g. -R smoke; then nothing is fuzzed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install_dependencies.sh --test
jobs=$(nproc)
cmake --preset release -DBUILD_TESTING=ON >/dev/null
cmake --build --preset release --parallel "$jobs"
ctest --preset release --parallel "$jobs" --schedule-random "$@"
if [[ $# -eq 0 ]]; then
    scripts/fuzz.sh --seconds 4 --seed 1  # a failure here is one that anybody can repeat
fi
