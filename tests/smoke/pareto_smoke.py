# SPDX-License-Identifier: MIT
"""nibblesim pareto: the best points of a study as table, JSON, CSV and picture."""

import csv
import json
import os
import xml.etree.ElementTree

import smoke
from smoke import run

AXES = ["mac_array.rows", "dram.channels"]


def point(design, values, energy, cycles, speedup=1.0, workload="net", status="ok"):
    ran = status != "invalid"
    return {"design": design, "machine": "edge", "workload": workload, "values": dict(zip(AXES, values)),
            "status": status, "fidelity": "composed" if ran else None, "key": "k" if ran else "",
            "reason": "" if status == "ok" else "too large",
            "metrics": {"energy_pj": energy, "cycles": cycles, "speedup": speedup}}


# The front of energy and cycles: designs 0, 1 and 3. Design 2 is no better than 1 in anything.
POINTS = [point(0, ["16", "1"], 1e9, 4e6), point(1, ["32", "1"], 2e9, 3e6), point(2, ["32", "2"], 2e9, 3.5e6, 4.0),
          point(3, ["64", "1"], 5e9, 1e6, 3.0), point(4, ["64", "2"], 1e3, 1e3, status="outside"),
          point(5, ["0", "1"], None, None, None, status="invalid")]


class Pareto(smoke.Case):
    def study(self, points=POINTS, **changes):
        document = {"schema": "nibblesim-points-1", "study": "Rows and channels", "axes": AXES,
                    "metrics": ["energy_pj", "cycles", "speedup"],
                    "objectives": [{"metric": "energy_pj", "maximize": False}, {"metric": "cycles", "maximize": False}],
                    "points": points}
        self.write("points.json", json.dumps({**document, **changes}))
        return self.directory

    def fronts(self, *options, points=POINTS):
        return json.loads(run("pareto", self.study(points), *options, "--json")[0])["fronts"]

    def designs(self, *options, points=POINTS):
        return [[row["design"] for row in front["front"]] for front in self.fronts(*options, points=points)]

    def refused(self, *arguments):
        out, errors = run("pareto", *arguments, expect=2)
        self.assertEqual(out, "")
        self.assertEqual(len(errors.splitlines()), 1, errors)
        return errors

    def test_table(self):
        text, _ = run("pareto", self.study(), "--sensitivity")
        self.assertIn("points: 4 ok, 1 outside, 1 invalid; on the front: 3", text)
        self.assertIn("all points are composed", text)
        # 2 mJ are 100% more than 1 mJ, 3 M cycles 200% more than 1 M.
        row = next(line for line in text.splitlines() if line.startswith("  1 "))
        self.assertEqual(row.split(), ["1", "32", "1", "2.00", "mJ", "100%", "3.00", "M", "200%"])
        self.assertIn("What moves energy", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        self.assertEqual(run("pareto", os.path.join(self.directory, "points.json"), "--sensitivity")[0], text)

    def test_metrics_and_their_sense(self):
        self.assertEqual(self.designs(), [[0, 1, 3]])
        self.assertEqual(self.designs("--y", "speedup:max"), [[0, 2]])  # 3 takes more energy than 2 and is slower
        self.assertEqual(self.designs("--x", "cycles", "--y", "speedup:max"), [[3, 2]])
        self.assertEqual(self.designs("--x", "cycles:max", "--y", "energy_pj"), [[0]])

    def test_workloads(self):
        points = POINTS + [point(0, ["16", "1"], 1e6, 1e6, workload="other")]
        self.assertEqual(self.designs(points=points), [[0, 1, 3], [0]])
        self.assertEqual(self.designs("--group", "none", points=points), [[0]])

    def test_sensitivity(self):
        effects = self.fronts("--sensitivity")[0]["sensitivity"]["energy_pj"]
        # Energies 1, 2, 2, 5: mean 2.5, squares 9. Rows: means 1, 2, 2, 5: 2.25 + 2 x 0.25 + 6.25 = 9.
        self.assertEqual(effects[0]["axis"], "mac_array.rows")
        self.assertAlmostEqual(effects[0]["variance_share"], 1)
        self.assertAlmostEqual(effects[0]["range_of_means"], (5 - 1) / 2.5)

    def test_files(self):
        run("pareto", self.study(), "--csv", self.path("front.csv"), "--plot", self.path("front.svg"))
        with open(self.path("front.csv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["design"] for row in rows], ["0", "1", "3"])
        self.assertEqual([float(row["cycles"]) for row in rows], [4e6, 3e6, 1e6])
        root = xml.etree.ElementTree.parse(self.path("front.svg")).getroot()
        self.assertEqual(len(root.findall("{*}circle")), 4)
        self.assertEqual(len([path for path in root.findall("{*}path") if path.find("{*}title") is not None]), 3)

    def test_hostile_names_are_text(self):
        evil = "<script>\x1b[31m\u202e" + "w" * 10_000
        study = self.study([{**point(0, ["a", "b"], 1, 1), "workload": evil}], study=evil)
        text, _ = run("pareto", study, "--plot", self.path("front.svg"))
        self.assertNotIn("\x1b", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        xml.etree.ElementTree.parse(self.path("front.svg"))

    def test_empty_study(self):
        self.assertIn("the study has no points", run("pareto", self.study([]))[0])

    def test_bad_input(self):
        study = self.study()
        self.assertIn("--x: the study has no metric 'energi_pj' (did you mean 'energy_pj'?)",
                      self.refused(study, "--x", "energi_pj"))
        self.assertIn("--x and --y are both 'cycles'", self.refused(study, "--x", "cycles"))
        self.assertIn("--sensitivity", self.refused(study, "--sensitivty"))
        self.assertIn("no such directory", self.refused(study, "--csv", self.path("none/front.csv")))
        self.assertIn("cannot be opened", self.refused(self.path("nowhere")))
        self.assertIn("--y: the study has 1 objective", self.refused(
            self.study(objectives=[{"metric": "cycles", "maximize": False}])))
        broken = self.write("broken.json", "{\n  \"schema\": nibblesim\n}\n")
        self.assertIn("broken.json:2:", self.refused(broken))
        self.write("points.json", json.dumps({"schema": "nibblesim-result-2"}))
        self.assertIn("expected 'nibblesim-points-1', found 'nibblesim-result-2'", self.refused(self.directory))


if __name__ == "__main__":
    smoke.main()
