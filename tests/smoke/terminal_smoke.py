# SPDX-License-Identifier: MIT
"""On terminals: reports fit whatever the width, colours are there unless somebody minds, and whoever takes a while says
how long it will be. Names are text, whatever they hold."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios

import smoke
from smoke import run

EVIL = "<b>\u202e\u05e9\x1b[31m\x07\r\n" + "w" * 10_000
STUDY = """name: small
machines: [edge-int4]
axes:
  - {parameter: dram.channels, values: [1, 2]}
  - zip:
      - {parameter: scratchpad.capacity_bytes, values: [1048576, 2097152]}
      - {parameter: scratchpad.resident_bytes, values: [262144, 524288]}
workloads: [{trace: tiny, batch: 1}]
baseline: none
mapping: greedy
fidelity: predicted
objectives: [time_ms, energy_pj]
"""
TABLE = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
one, 16, 16, 3, 3, 8, 16, 1,
two, 14, 14, 3, 3, 16, 16, 1,
"""


def on_terminal(columns, *arguments, **environment):
    """What a user sees of the program, whose streams are all a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    settings = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "LC_ALL", "COLUMNS")}
    process = subprocess.Popen([smoke.PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave,
                               env={**settings, "TERM": "xterm", "LANG": "C.UTF-8", **environment})
    os.close(slave)
    seen = b""
    while True:
        ready, _, _ = select.select([master], [], [], 120)
        try:
            piece = os.read(master, 65536) if ready else b""
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            break
        seen += piece
    os.close(master)
    if process.wait(timeout=60) != 0:
        raise AssertionError(f"{arguments} failed: {seen[-2000:]}")
    return seen.decode("utf-8")


def lines(seen):
    """Lines as they stand at the end, without colours: whatever is rewritten begins anew behind its erasure."""
    plain = re.sub("\x1b\\[[0-9;]*m", "", seen).replace("\r\n", "\n")
    return [re.split("\r|\x1b\\[K", line)[-1] for line in plain.split("\n")]


class Terminal(smoke.Case):
    def results(self):
        """Two runs of a step whose names are as bad as they get, its trace, its timeline, and a study."""
        run("workload", "tiny", "--batch", "1", "-o", self.path("tiny.trace"))
        with open(self.path("tiny.trace"), encoding="utf-8") as file:
            items = [json.loads(line) for line in file]
        items[0]["name"] = EVIL
        for item in items[1:]:
            if "layer" in item:
                item["layer"] = item["layer"] + EVIL
                item["group"] = EVIL + item["group"]
        trace = self.write("evil.trace", "".join(json.dumps(item) + "\n" for item in items))
        for name, machine in [("a", "edge-int4"), ("b", "server-int4")]:
            run("run", trace, "--machine", machine, "--mapping", "greedy", "--quiet", "--out", self.path(name),
                "--timeline", self.path(f"{name}.json"))
        run("sweep", self.write("study.yaml", STUDY), "--out", self.path("study"), "--quiet")
        return trace

    def test_reports_fit(self):
        trace = self.results()
        commands = [("run", trace, "--machine", "edge-int4", "--mapping", "greedy"), ("info", trace),
                    ("info", "edge-int4"), ("list",), ("diff", self.path("a"), self.path("b")),
                    ("explain", self.path("a")), ("explain", self.path("a"), "--layer", "conv*"),
                    ("timeline", self.path("a.json")), ("pareto", self.path("study"), "--sensitivity"),
                    ("sweep", self.path("study.yaml"), "--out", self.path("study"))]
        for columns in [60, 80, 120, 200]:
            for command in commands:
                with self.subTest(columns=columns, command=command[0]):
                    shown = lines(on_terminal(columns, *command))
                    self.assertEqual([line for line in shown if len(line) > columns], [])
                    self.assertNotRegex("".join(shown), "[\x00-\x08\x0b-\x1f\u202e]")
        wide = lines(on_terminal(200, "list"))
        self.assertGreater(max(map(len, wide)), 100)

    def test_nothing_is_lost_where_there_is_little_room(self):
        def numbers(columns):
            return sorted(word for line in lines(on_terminal(columns, "info", "resnet18", "--batch", "1"))
                          for word in line.split() if re.fullmatch(r"[\d,]+", word) and "," in word)

        self.assertEqual(set(numbers(60)), set(numbers(120)))

    def test_columns_counts_more_than_the_terminal(self):
        shown = lines(on_terminal(200, "info", "edge-int4", COLUMNS="70"))
        self.assertLessEqual(max(map(len, shown)), 70)

    def test_colours(self):
        self.assertIn("\x1b[1;36m", on_terminal(100, "info", "tiny"))
        self.assertNotIn("\x1b", on_terminal(100, "info", "tiny", NO_COLOR="1"))
        self.assertNotIn("\x1b", on_terminal(100, "run", "tiny", "--machine", "edge-int4", TERM="dumb"))

    def test_progress_says_what_is_left(self):
        slow = STUDY.replace("tiny", "resnet18").replace("predicted", "simulated")
        study = self.write("study.yaml", slow)
        table = self.write("two.csv", TABLE)
        seen = on_terminal(120, "run", "resnet18", "--batch", "1", "--machine", "edge-int4", "--no-mapping-cache")
        self.assertRegex(seen, r"mapping edge-int4: \d+ of \d+ GEMMs, \S+ \S+ left")
        self.assertRegex(seen, r"resnet18: \d+ of \d+ operations, .* left")
        seen = on_terminal(120, "sweep", study, "--out", self.path("study"), "--jobs", "1")
        self.assertRegex(seen, r"small: \d+ of 4 runs, .*left")
        seen = on_terminal(120, "import", table, "-o", self.path("two.trace"))
        self.assertRegex(seen, r"import two.csv: [\d,]+ of [\d,]+ bytes, \S+ \S+ left")
        seen = on_terminal(120, "run", table, "--machine", "edge-int4", "--quiet")
        self.assertEqual(seen, "")
        for columns in [60, 120]:
            seen = on_terminal(columns, "run", "tiny", "--machine", "edge-int4")
            for line in re.split("\r\n|\x1b\\[K", re.sub("\x1b\\[[0-9;]*m", "", seen)):
                self.assertLessEqual(len(line.strip("\r")), columns)


if __name__ == "__main__":
    smoke.main()
