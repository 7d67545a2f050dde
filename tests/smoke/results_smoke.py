# SPDX-License-Identifier: MIT
"""Results are complete, agree with each other, and add up, on every preset."""

import csv
import json
import os

import smoke
from smoke import run

COMPONENTS = ["mac_array", "log_gradient", "vector_unit", "scratchpad", "dma", "dram", "sequencer", "static"]


def add(numbers):
    """In their order, as the program adds: sums of doubles depend on it."""
    total = 0.0
    for number in numbers:
        total += number
    return total


class Results(smoke.Case):
    def check_side(self, side, ops):
        totals = side["totals"]
        self.assertEqual(sum(totals["causes"].values()), totals["cycles"])
        self.assertEqual(add(totals["energy"]["by_component"][name] for name in COMPONENTS), totals["energy_pj"])
        for name in COMPONENTS:
            lines = [line["energy_pj"] for line in totals["energy"]["by_counter"] if line["component"] == name]
            self.assertEqual(add(lines), totals["energy"]["by_component"][name])
        for unit in side["units"]:
            self.assertEqual(sum(unit["cycles"].values()), totals["cycles"], unit["unit"])
        self.assertEqual(totals["counters"]["cycles"], totals["cycles"])
        for key in ["cycles", "dram_bytes_read", "dram_bytes_written"]:
            self.assertEqual(sum(op[key] for op in ops), totals[key])
        self.assertAlmostEqual(add(op["energy_pj"] for op in ops) / totals["energy_pj"], 1, places=9)
        for op in ops:
            self.assertEqual(sum(op["causes"].values()), op["cycles"])
            self.assertTrue(0 <= op["utilization"] <= 1)

    def check(self, result):
        ops = result["ops"]
        self.check_side(result, ops)
        self.assertEqual(sum(op["macs"] for op in ops), result["totals"]["macs"])
        for op in ops:
            if op["mode"] != "vector":
                self.assertEqual(op["macs"], op["batch"] * op["m"] * op["n"] * op["k"], op["layer"])
        for table in ["phases", "groups", "modes"]:
            for key in ["cycles", "macs", "operations"]:
                self.assertEqual(sum(row[key] for row in result[table]), result["totals"][key])
        if result["baseline"] is None:
            return
        self.check_side(result["baseline"], [op["baseline"] for op in ops])
        self.assertEqual(result["baseline"]["totals"]["macs"], result["totals"]["macs"])
        self.assertAlmostEqual(result["speedup"],
                               result["baseline"]["totals"]["seconds"] / result["totals"]["seconds"])
        self.assertAlmostEqual(result["energy_gain"],
                               result["baseline"]["totals"]["energy_pj"] / result["totals"]["energy_pj"])
        product = 1.0
        for step in result["waterfall"]:
            product *= step["factor"]
        if result["waterfall"]:
            self.assertAlmostEqual(product, result["speedup"])

    def test_every_preset_and_baseline(self):
        for preset in json.loads(run("list", "--json")[0])["presets"]:
            for baseline in ["iso-mac-area", "iso-core-area", "iso-macs", "none", preset]:
                with self.subTest(preset=preset, baseline=baseline):
                    text, errors = run("run", "tiny", "--machine", preset, "--baseline", baseline, "--json")
                    self.assertEqual(errors, "")
                    result = json.loads(text)
                    self.assertEqual(result["schema"], "nibblesim-result-2")
                    self.assertEqual(result["baseline"] is None, baseline == "none")
                    self.check(result)

    def test_every_recipe(self):
        for recipe in json.loads(run("list", "--json")[0])["recipes"]:
            with self.subTest(recipe):
                result = json.loads(run("run", "tiny", "--machine", "edge-int4", "--recipe", recipe, "--json")[0])
                self.assertEqual(result["provenance"]["recipe"], recipe)
                self.check(result)

    def test_clocks_agree(self):
        results = [json.loads(run("run", "tiny", "--machine", "edge-int4", "--clock", clock, "--json")[0])
                   for clock in ["skipping", "every-edge"]]
        self.assertEqual(results[0]["ops"], results[1]["ops"])
        self.assertEqual(results[0]["units"], results[1]["units"])

    def test_values_change_no_timing(self):
        shapes = json.loads(run("run", "tiny", "--batch", 2, "--machine", "edge-int4", "--json")[0])
        values = json.loads(run("run", "tiny", "--batch", 2, "--machine", "edge-int4", "--values", "--json")[0])
        for op in values["ops"]:
            for side in [op, op["baseline"]]:
                if op["mode"] != "vector":
                    self.assertEqual([operand["source"] for operand in side.pop("values")["operands"]], ["hashed"] * 2)
        self.assertEqual(shapes["ops"], values["ops"])
        self.assertGreater(values["simulation"]["values_checked"], 0)

    def test_selection(self):
        everything = json.loads(run("run", "tiny", "--machine", "edge-int4", "--json")[0])["ops"]
        chosen = json.loads(run("run", "tiny", "--machine", "edge-int4", "--phases", "dx,dw", "--layers", "conv*",
                                "--json")[0])
        self.check(chosen)
        wanted = [(op["layer"], op["phase"]) for op in everything
                  if op["phase"] in ("dx", "dw") and op["layer"].startswith("conv")]
        self.assertEqual([(op["layer"], op["phase"]) for op in chosen["ops"]], wanted)

    def test_files_agree(self):
        out = self.path("a/b")
        text, _ = run("run", "tiny", "--machine", "edge-int4", "--out", out)
        self.assertEqual(sorted(os.listdir(out)), ["baseline.yaml", "machine.yaml", "mappings.yaml", "ops.csv",
                                                   "report.txt", "result.json"])
        with open(os.path.join(out, "result.json"), encoding="utf-8") as file:
            result = json.load(file)
        self.check(result)
        with open(os.path.join(out, "ops.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), len(result["ops"]))
        for row, op in zip(rows, result["ops"]):
            self.assertEqual((row["layer"], row["phase"], row["mode"]), (op["layer"], op["phase"], op["mode"]))
            for key in ["m", "n", "k", "macs", "cycles", "energy_pj", "utilization", "dram_bytes_read"]:
                self.assertEqual(float(row[key]), op[key])
            self.assertEqual(int(row["baseline_cycles"]), op["baseline"]["cycles"])
        with open(os.path.join(out, "report.txt"), encoding="utf-8") as file:
            report = file.read()
        self.assertEqual(report.split("Simulation")[0], text.split("Simulation")[0])

    def test_effective_configuration_gives_the_same_result(self):
        out = self.path("out")
        run("run", "tiny", "--machine", "edge-int4", "--out", out, "--quiet")
        again = json.loads(run("run", "tiny", "--machine", os.path.join(out, "machine.yaml"), "--baseline",
                               os.path.join(out, "baseline.yaml"), "--json")[0])
        with open(os.path.join(out, "result.json"), encoding="utf-8") as file:
            first = json.load(file)
        self.assertEqual(again["ops"], first["ops"])
        self.assertEqual(again["speedup"], first["speedup"])


if __name__ == "__main__":
    smoke.main()
