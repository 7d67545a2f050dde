# SPDX-License-Identifier: MIT
"""docs/results.md and result.schema.json leave out nothing: no column, no key, no argument, no version."""

import csv
import json
import pathlib
import re

import smoke
from smoke import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/results.md").read_text(encoding="utf-8")
SECTIONS = {part.splitlines()[0].strip(): part for part in DOCUMENT.split("\n## ")[1:]}
NAMED = ["points", "commands", "state_cycles", "energy_breakdown_pj", "by_unit_um2", "energy_by_component", "causes", "values",
         "macs", "macs_per_sample", "macs_by_kind", "operations_by_phase", "operations_by_kind"]  # have names as keys
STUDY = """name: small
machines: [edge-int4]
axes: [{parameter: dram.channels, values: [1, 2]}]
workloads: [{trace: tiny, batch: 1}]
baseline: iso-mac-area
mapping: greedy
fidelity: composed
confirm: 1
explore: {method: grid}
objectives: [time_ms, energy_pj]
"""
TABLE = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
one, 16, 16, 3, 3, 8, 16, 1,
"""


def keys_of(value):
    """All keys in a document but those that are names: of parts, of metrics, of tensor kinds."""
    if isinstance(value, list):
        return set().union(*(keys_of(item) for item in value), set())
    if not isinstance(value, dict):
        return set()
    keys = set(value)
    for key, part in value.items():
        if key in ("tensors", "modes", "sensitivity") and isinstance(part, dict):
            keys |= set().union(*(keys_of(item) for item in part.values()), set())
        elif not (key in NAMED and isinstance(part, dict)) and key not in ("metrics", "off_best"):
            keys |= keys_of(part)
    return keys


class Schemas(smoke.Case):
    def check(self, names, text, what):
        told = set(re.findall(r"`([^`]+)`", text))
        self.assertEqual(sorted(set(names) - told), [], f"docs/results.md does not tell of these: {what}")

    def simulate(self, name="out", *flags):
        run("run", "tiny", "--machine", "edge-int4", "--batch", "1", "--mapping", "greedy", "--quiet", "--out",
            self.path(name), *flags)

    def test_columns(self):
        self.simulate()
        with open(self.path("out/ops.csv"), encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file))
        self.check([column.removeprefix("baseline_") for column in columns], SECTIONS["ops.csv"], "ops.csv")
        self.assertEqual(len(set(columns)), len(columns))

    def test_points(self):
        run("sweep", self.write("study.yaml", STUDY), "--out", self.path("study"), "--quiet")
        section = SECTIONS["points.json, points.csv"]
        points = json.loads(pathlib.Path(self.path("study/points.json")).read_text(encoding="utf-8"))
        self.assertIn(f"`{points['schema']}`", section)
        self.check((keys_of(points) | set(points["metrics"])) - {"schema"}, section, "points.json")
        with open(self.path("study/points.csv"), encoding="utf-8", newline="") as file:
            self.check(set(next(csv.reader(file))) - set(points["axes"]), section, "points.csv")

    def test_timeline(self):
        self.simulate("out", "--timeline", self.path("t.json"))
        with open(self.path("t.json"), encoding="utf-8") as file:
            trace = json.load(file)
        section = SECTIONS["Timelines"]
        self.assertIn(f"`{trace['otherData']['schema']}`", section)
        self.check(trace["otherData"], section, "otherData")
        for event in trace["traceEvents"]:
            if event["ph"] == "C":
                name = event["name"]
                self.check(["busy %" if name.endswith("busy %") else name], section, "counters")
            elif event["ph"] == "M" and event["name"].startswith("nibblesim"):
                self.check([event["name"], *event["args"]], section, "metadata")
            elif event["ph"] != "M":
                self.check([event["cat"], *event.get("args", {})], section, event["cat"])

    def test_json_of_commands(self):
        self.simulate("a")
        self.simulate("b", "--recipe", "fp16", "--timeline", self.path("t.json"))
        run("run", "tiny", "--machine", "server-int4", "--batch", "1", "--quiet", "--out", self.path("c"))
        study = self.write("study.yaml", STUDY)
        requests = self.write("requests", "0 R 0x0\n1 W 0x40\n")
        table = self.write("table.csv", TABLE)
        paragraphs = {re.match(r"\*\*`(nibblesim-[\w-]+)`", part).group(1): part
                      for part in SECTIONS["--json"].split("\n\n") if part.startswith("**`nibblesim-")}
        seen = set()
        for command in [("list",), ("info", "tiny"), ("info", "edge-int4"), ("info", table),
                        ("workload", "tiny", "-o", self.path("w.trace")), ("import", table, "-o", self.path("t.trace")),
                        ("memtest", requests, "--standard", "DDR4-2400"), ("sweep", study, "--out", self.path("study")),
                        ("pareto", self.path("study"), "--sensitivity"), ("diff", self.path("a"), self.path("b")),
                        ("diff", self.path("a"), self.path("c")), ("timeline", self.path("t.json")),
                        ("explain", self.path("a"), "--layer", "conv*"),
                        ("report", self.path("a"), "-o", self.path("r.html")),
                        ("report", self.path("study"), "-o", self.path("s.html"))]:
            with self.subTest(command):
                document = json.loads(run(*command, "--json")[0])
                self.assertEqual(list(document)[0], "schema")
                self.assertIn(document["schema"], paragraphs)
                seen.add(document["schema"])
                self.check(keys_of(document) - {"schema"}, paragraphs[document["schema"]], command[0])
        self.assertEqual(seen, set(paragraphs))

    def test_every_key_of_a_result_is_described(self):
        schema = json.loads((ROOT / "sim/report/result.schema.json").read_text(encoding="utf-8"))
        self.assertIn(f"`{schema['$id']}`", SECTIONS["result.json"])
        definitions = schema["definitions"]

        def described(part):
            return ("description" in part or "const" in part or
                    ("$ref" in part and described(definitions[part["$ref"].split("/")[-1]])))

        def check(part, place):
            for key, value in part.get("properties", {}).items() if isinstance(part.get("properties"), dict) else []:
                self.assertTrue(described(value), f"{place}: {key}")
            for key, value in part.items():
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, dict):
                        check(item, f"{place}/{key}")

        check(schema, "")


if __name__ == "__main__":
    smoke.main()
