#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what nibblesim is built from (Debian 12 packages), as far as it is missing. Asks for nothing.
#   install_dependencies.sh         what building and running need
#   install_dependencies.sh --test  and what the tests need besides
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config libsystemc-dev libfmt-dev libspdlog-dev libcli11-dev libyaml-cpp-dev
          nlohmann-json3-dev libsimdjson-dev libarchive-dev libsqlite3-dev)
if [[ "${1:-}" == --test ]]; then
    packages+=(clang libclang-rt-dev libgtest-dev libgmock-dev libvalijson-dev libbenchmark-dev python3
               python3-dev pybind11-dev python3-numpy python3-matplotlib python3-torch python3-torchvision
               python3-onnx libopenblas0-pthread slurm-wlm munge chromium chromium-driver
               python3-pandas dpkg-dev binutils groff-base)
fi

missing=()
for package in "${packages[@]}"; do
    if [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]]; then
        missing+=("$package")
    fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
    exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        echo "Not root, and no sudo: please install these packages: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "Installing ${missing[*]}" >&2
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${install[@]}" update && "${install[@]}" install "${missing[@]}"; } </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    echo "The packages could not be installed." >&2
    exit 1
fi
