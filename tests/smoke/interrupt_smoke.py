# SPDX-License-Identifier: MIT
"""Ctrl-C, SIGTERM and sudden death leave no half-written file and no process behind."""

import os
import signal
import subprocess
import time

import smoke


def children_of(process):
    with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def gone(process):
    """Has it ended? One that waits only for its parent to take notice counts."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


# Takes long to search mappings for, and to simulate; greedy mappings are there at once.
LONG_RUN = ["run", "resnet18", "--batch", "16", "--machine", "edge-int4"]


class Interrupt(smoke.Case):
    def start(self):
        """A run that takes long; returns it when both machines run and output has begun."""
        self.out = self.path("out")
        process = subprocess.Popen([smoke.PROGRAM, *LONG_RUN, "--mapping", "greedy", "--out", self.out],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.wait_for(lambda: os.path.isdir(self.out) and os.listdir(self.out) and
                      len(children_of(process.pid)) == 2)
        return process

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited too long")
            time.sleep(0.02)

    def test_signals(self):
        for ending in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            with self.subTest(ending):
                process = self.start()
                children = children_of(process.pid)
                process.send_signal(ending)
                text, errors = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 130)
                self.assertEqual(text, "")
                self.assertEqual(errors, "nibblesim: error: interrupted\n")
                self.assertFalse(os.path.exists(self.out))
                self.assertTrue(all(gone(child) for child in children))

    def test_signal_during_the_search_for_mappings(self):
        process = subprocess.Popen([smoke.PROGRAM, *LONG_RUN, "--no-mapping-cache",
                                    "--mapping-out", self.path("mappings")], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.wait_for(lambda: os.listdir(self.directory))  # the file to be, under a temporary name
        process.send_signal(signal.SIGINT)
        text, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, text, errors), (130, "", "nibblesim: error: interrupted\n"))
        self.assertEqual(os.listdir(self.directory), [])

    def test_old_results_survive(self):
        self.out = self.path("out")
        smoke.run("run", "tiny", "--machine", "edge-int4", "--out", self.out, "--quiet")
        before = {name: os.stat(os.path.join(self.out, name)).st_mtime_ns for name in os.listdir(self.out)}
        process = subprocess.Popen([smoke.PROGRAM, *LONG_RUN, "--mapping", "greedy", "--out", self.out],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        self.wait_for(lambda: len(os.listdir(self.out)) > len(before))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 130)
        after = {name: os.stat(os.path.join(self.out, name)).st_mtime_ns for name in os.listdir(self.out)}
        self.assertEqual(after, before)

    def test_machines_end_with_the_program(self):
        process = self.start()
        children = children_of(process.pid)
        process.kill()
        process.communicate()
        self.wait_for(lambda: all(gone(child) for child in children))

    def test_death_of_a_machine(self):
        process = self.start()
        victim, other = children_of(process.pid)
        os.kill(victim, signal.SIGABRT)
        text, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 70)
        self.assertEqual(text, "")
        self.assertIn("was ended by signal 6", errors)
        self.assertFalse(os.path.exists(self.out))
        self.assertTrue(gone(other))


if __name__ == "__main__":
    smoke.main()
