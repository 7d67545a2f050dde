# SPDX-License-Identifier: MIT
"""What the smoke tests share: running the program, and failing with what it said."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""


def run(*arguments, expect=0, **options):
    """Runs the program; fails unless it ends with the expected code. Returns (standard output, standard error)."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, errors="surrogateescape",
                          stdin=subprocess.DEVNULL, timeout=240, **options)
    if done.returncode != expect:
        raise AssertionError(f"exit code {done.returncode} instead of {expect} from {arguments}:\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout, done.stderr


class Case(unittest.TestCase):
    """A test with an empty directory of its own."""

    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="nibblesim-smoke-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)


def main():
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    sys.modules["smoke"].PROGRAM = PROGRAM
    # Mappings that the program keeps for later runs are neither taken from the user's cache nor added to it.
    with tempfile.TemporaryDirectory(prefix="nibblesim-smoke-cache-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        unittest.main(module="__main__", verbosity=2)
