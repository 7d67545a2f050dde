# SPDX-License-Identifier: MIT
"""nibblesim diff: what moved from one result to another."""

import json
import os
import pathlib

import smoke
from smoke import run

PRESET = pathlib.Path(__file__).resolve().parents[2] / "models/presets/edge-int4.yaml"


class Diff(smoke.Case):
    def result(self, name, *options, machine="edge-int4"):
        run("run", "tiny", "--machine", machine, "--out", self.path(name), "--quiet", *options)
        return self.path(name)

    def narrow_machine(self):
        text = PRESET.read_text(encoding="utf-8")
        assert " channels: 4" in text
        return self.write("narrow.yaml", text.replace(" channels: 4", " channels: 1"))

    def refused(self, *arguments):
        out, errors = run("diff", *arguments, expect=2)
        self.assertEqual(out, "")
        self.assertEqual(len(errors.splitlines()), 1, errors)
        return errors

    def test_parts_add_up_to_what_moved(self):
        wide, narrow = self.result("wide"), self.result("narrow", machine=self.narrow_machine())
        moved = json.loads(run("diff", wide, narrow, "--json")[0])
        results = []
        for directory in (wide, narrow):
            with open(os.path.join(directory, "result.json"), encoding="utf-8") as file:
                results.append(json.load(file))
        cycles = results[1]["totals"]["cycles"] - results[0]["totals"]["cycles"]
        self.assertGreater(cycles, 0)
        whole = moved["whole"]
        self.assertEqual(whole["cycles"], cycles)
        self.assertEqual(whole["cause"], "memory")
        self.assertEqual(sum(whole["b"]["causes"].values()) - sum(whole["a"]["causes"].values()), cycles)
        for part in ("phases", "operations"):
            self.assertEqual(sum(change["cycles"] for change in moved[part]), cycles)
            self.assertAlmostEqual(sum(change["energy_pj"] for change in moved[part]) / whole["energy_pj"], 1, 6)
        self.assertEqual(len(moved["operations"]), len(results[0]["ops"]))
        self.assertEqual(moved["machine"], [{"parameter": "dram.channels", "a": "4", "b": "1"}])
        self.assertEqual(moved["setup"], [])
        for side, result in zip("ab", results):
            self.assertEqual(moved[side]["speedup"], result["speedup"])

    def test_text(self):
        wide, narrow = self.result("wide"), self.result("narrow", "--batch", 4, machine=self.narrow_machine())
        text, _ = run("diff", wide, narrow, "--top", 3)
        # What was not the same comes before what moved because of it.
        self.assertLess(text.index("batch"), text.index("What moved"))
        self.assertLess(text.index("dram.channels"), text.index("What moved"))
        for word in ["cycles by cause", "energy by component", "Operations that moved most", "others", "speed-up"]:
            self.assertIn(word, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_operations_of_one_run_only(self):
        text, _ = run("diff", self.result("all", "--baseline", "none"),
                      self.result("convolutions", "--baseline", "none", "--layers", "conv*"), "--top", 1000)
        self.assertRegex(text, r"only in A: \d+, only in B: 0")
        self.assertRegex(text, r" fc +forward +[\d,]+ +none +-")

    def test_files_and_equal_runs(self):
        directory = self.result("same")
        file = os.path.join(directory, "result.json")
        moved = json.loads(run("diff", directory, file, "--json")[0])
        self.assertEqual((moved["whole"]["cycles"], moved["whole"]["energy_pj"], moved["machine"]), (0, 0, []))
        text = pathlib.Path(file).read_text(encoding="utf-8").replace('"tiny"', '"<b>\\u001b[1m"')
        copy = self.write("alone.json", text)
        text, _ = run("diff", file, copy)
        self.assertIn("machine.yaml is not beside both results", text.replace("alone.json", ""))
        self.assertNotIn("\x1b", text)

    def test_bad_input(self):
        directory = self.result("good")
        self.assertIn("cannot be opened", self.refused(directory, self.path("nowhere")))
        self.assertIn("not JSON", self.refused(directory, PRESET))
        self.assertIn("did you mean '--top'?", self.refused(directory, directory, "--tpo", 3))
        with open(os.path.join(directory, "result.json"), encoding="utf-8") as file:
            result = json.load(file)
        result["ops"].pop()
        damaged = self.write("damaged.json", json.dumps(result))
        self.assertIn("damaged.json: ops: damaged", self.refused(directory, damaged))
        self.write("half.json", json.dumps(result)[:1000])
        self.assertIn("half.json:1:", self.refused(self.path("half.json"), directory))


if __name__ == "__main__":
    smoke.main()
