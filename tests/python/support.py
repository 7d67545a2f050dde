# SPDX-License-Identifier: MIT
"""What the tests of the training scripts share. A test is a program: functions called test_... run in the order of
the file; exit code 0 good, 1 failed, 77 skipped because this Python lacks something."""

import os
import pathlib
import sys
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN = ROOT / "scripts/train.py"
sys.path.insert(0, str(ROOT / "scripts"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def require(*modules):
    """Skips the test where one of them is not there; nibblesim may be in build/release/python or PYTHONPATH."""
    sys.path.append(str(ROOT / "build/release/python"))
    for name in modules:
        try:
            __import__(name)
        except ImportError as error:
            skip(error)


def expect_error(kind, expected, act, *arguments):
    """act(...) must raise `kind`, and its message hold every text of `expected`."""
    try:
        act(*arguments)
    except kind as error:
        for text in expected:
            assert text in str(error), f"expected '{text}' in: {error}"
        return
    raise AssertionError(f"expected {kind.__name__}: {expected}")


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""),
                                                         str(ROOT / "build/release/python")])}


def run_tests(namespace):
    failed = 0
    for name, test in list(namespace.items()):
        if name.startswith("test_"):
            try:
                test()
                print(f"ok      {name}")
            except Exception:  # noqa: BLE001: the others are to run as well
                failed += 1
                print(f"FAILED  {name}")
                traceback.print_exc()
    sys.exit(1 if failed else 0)
