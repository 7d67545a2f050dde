#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that report/dist was built from report/src as it is, that its hashes are those of its files, that the licences
lie beside it, and that the lock file names no host. Needs neither npm nor Node.js."""

import base64
import hashlib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2] / "report"


def hash_of_sources():
    """As report/build.mjs computes it."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files + ["build.mjs", "package.json", "package-lock.json"]):
        digest.update(path.encode() + b"\0" + (ROOT / path).read_bytes() + b"\0")
    return digest.hexdigest()


def policy_hash(name):
    return "sha256-" + base64.b64encode(hashlib.sha256((ROOT / "dist" / name).read_bytes()).digest()).decode()


def problems():
    hashes = json.loads((ROOT / "dist/bundle.json").read_text(encoding="utf-8"))
    if hashes["sources"] != hash_of_sources():
        yield "report/dist is not what report/src makes: run scripts/build_report.sh"
    for part, name in [("script", "report.js"), ("style", "report.css")]:
        if hashes[part] != policy_hash(name):
            yield f"report/dist/{name} is not what report/dist/bundle.json says: browsers would refuse it"
    script = (ROOT / "dist/report.js").read_text(encoding="utf-8")
    for name in ["LICENSE.echarts", "NOTICE.echarts", "LICENSE.zrender"]:
        text = (ROOT / "dist" / name).read_text(encoding="utf-8")
        if text.strip().splitlines()[-1].strip() not in script:
            yield f"report/dist/report.js lacks the text of {name}"
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    for name, package in lock["packages"].items():
        if "resolved" in package:
            yield f"report/package-lock.json names a host for {name}: remove 'resolved'"
        if name and "integrity" not in package:
            yield f"report/package-lock.json does not pin the content of {name}"


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found) if found else "report/dist is up to date")
    sys.exit(1 if found else 0)
