#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds report/dist (what report pages are made of) from report/src anew. Needs Node.js 18 or later, and npm once to
# fetch what report/package-lock.json names. Building nibblesim needs neither: report/dist is part of the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../report"

if [[ ! -d node_modules || package-lock.json -nt node_modules/.package-lock.json ]]; then
    npm ci --ignore-scripts --no-audit --no-fund
fi
node build.mjs
