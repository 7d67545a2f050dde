# SPDX-License-Identifier: MIT
"""GEMMs are mapped as the user asks, and mappings can be written out, edited and read back."""

import csv
import json
import os
import re

import smoke
from smoke import run

MACHINE = "edge-int4"


class Mapping(smoke.Case):
    def result(self, *arguments):
        return json.loads(run("run", "tiny", "--machine", MACHINE, *arguments, "--json")[0])

    def mappings(self, *arguments, network=("tiny",)):
        """The text of a mapping file for the machine alone."""
        path = self.path("mappings.yaml")
        run("run", *network, "--machine", MACHINE, "--baseline", "none", "--quiet", "--mapping-out", path, *arguments)
        with open(path, encoding="utf-8") as file:
            return file.read()

    def refused(self, path):
        out, mapping_out = self.path("out"), self.path("mapping-out.yaml")
        text, errors = run("run", "tiny", "--machine", MACHINE, "--mapping", path, "--out", out, "--mapping-out",
                           mapping_out, expect=2)
        self.assertEqual(text, "")
        self.assertFalse(os.path.exists(out))
        self.assertFalse(os.path.exists(mapping_out))
        return errors.splitlines()

    def test_search_expects_no_more_cycles_than_greedy(self):
        """Greedy mappings are among those that it looks at closely; it may give half a percent for less traffic."""
        greedy, searched = self.result("--mapping", "greedy"), self.result("--mapping", "search")
        self.assertEqual(searched["ops"], self.result()["ops"])  # it is the default
        better = 0
        for one, other in zip(greedy["ops"], searched["ops"]):
            for side in [lambda op: op, lambda op: op["baseline"]]:
                before, after = side(one), side(other)
                self.assertEqual(before["predicted_cycles"] == 0, before["mode"] == "vector", one["layer"])
                self.assertLessEqual(after["predicted_cycles"], 1.005 * before["predicted_cycles"], one["layer"])
                better += after["predicted_cycles"] < before["predicted_cycles"]
        self.assertGreater(better, 0)

    def test_written_mappings_give_the_same_run(self):
        for choice in ["greedy", "search"]:
            with self.subTest(choice):
                path, again = self.path(choice), self.path(choice + "-again")
                first = self.result("--mapping", choice, "--mapping-out", path)
                second = self.result("--mapping", path, "--no-mapping-cache", "--mapping-out", again)
                self.assertEqual(first["ops"], second["ops"])
                self.assertEqual(first["baseline"]["totals"], second["baseline"]["totals"])
                with open(again, encoding="utf-8") as file:
                    self.assertEqual(set(re.findall(r"; (\w+)$", file.read(), re.MULTILINE)), {"file"})

    def test_cached_mappings_give_the_same_run(self):
        path = self.path("mappings")
        for objective in ["cycles", "energy"]:
            with self.subTest(objective):
                arguments = ("--mapping-objective", objective, "--mapping-out", path)
                anew = self.result(*arguments, "--no-mapping-cache")
                with open(path, encoding="utf-8") as file:
                    self.assertIn("; searched\n", file.read())
                self.result(*arguments)
                again = self.result(*arguments)
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(set(re.findall(r"; (\w+)$", file.read(), re.MULTILINE)), {"cached"})
                self.assertEqual(anew["ops"], again["ops"])

    def test_machine_that_is_its_own_baseline(self):
        """Both are one section of the file, which must have the GEMMs of both recipes."""
        path = self.path("mappings")
        first = self.result("--baseline", MACHINE, "--recipe", "fp16", "--mapping", "greedy", "--mapping-out", path)
        second = self.result("--baseline", MACHINE, "--recipe", "fp16", "--mapping", path)
        self.assertEqual(first["ops"], second["ops"])

    def test_edited_file_is_used(self):
        text = self.mappings("--mapping", "greedy")
        dataflow = re.search(r"dataflow: (\w+)", text).group(1)
        other = "weight" if dataflow == "output" else "output"
        path = self.write("edited.yaml", text.replace(f"dataflow: {dataflow}", f"dataflow: {other}", 1))
        used = []
        for mapping in ["greedy", path]:
            out = self.path("out-" + os.path.basename(mapping))
            run("run", "tiny", "--machine", MACHINE, "--baseline", "none", "--mapping", mapping, "--out", out,
                "--quiet")
            with open(os.path.join(out, "ops.csv"), encoding="utf-8", newline="") as file:
                used.append([row["dataflow"] for row in csv.DictReader(file)])
        changed = [pair for pair in zip(*used) if pair[0] != pair[1]]
        times = int(re.search(r"# (\d+) x", text).group(1))  # the first kind of GEMM is the one that was edited
        self.assertEqual(changed, [(dataflow, other)] * times)

    def test_what_the_file_does_not_have_is_searched(self):
        path = self.write("other.yaml", "another-machine: []\n")
        self.assertEqual(self.result("--mapping", path)["ops"], self.result("--mapping", "search")["ops"])

    def test_mappings_for_other_gemms_are_told_of(self):
        text = self.mappings()
        path = self.write("both.yaml", text.replace(" n 16 ", " n 17 ", 1))
        at = next(number for number, line in enumerate(text.splitlines(), 1) if " n 16 " in line)
        _, errors = run("run", "tiny", "--machine", MACHINE, "--baseline", "none", "--mapping", path)
        self.assertRegex(errors, rf"warning: \S+both.yaml:{at}:\d+: 1 of \d+ mappings for '{MACHINE}' are for no GEMM of "
                                 "this run; this is the first\n$")
        _, errors = run("run", "tiny", "--machine", MACHINE, "--baseline", "none", "--mapping", path, "--quiet")
        self.assertEqual(errors, "")

    def test_wrong_files(self):
        text = self.mappings("--mapping", "greedy")
        for change, place, hint in [
                (lambda line: line.replace("dataflow:", "dataflw:"), r":\d+:5: ", "did you mean 'dataflow'?"),
                (lambda line: re.sub(r"dataflow: \w+", "dataflow: rows", line), r":\d+:15: ", "rows"),
                (lambda line: re.sub(r" l: \d+", " l: 0", line), r":\d+:\d+: ", "0"),
                (lambda line: re.sub(r"left: \d+", "left: 5", line), r":\d+:\d+: ", "5"),
                (lambda line: re.sub(r" l: \d+", " l: 1000000", line), r":3:5: ", "1000000")]:
            with self.subTest(hint):
                changed = text.splitlines(keepends=True)
                place_of_change = next(i for i, line in enumerate(changed) if change(line) != line)
                changed[place_of_change] = change(changed[place_of_change])
                path = self.write("wrong.yaml", "".join(changed))
                errors = self.refused(path)
                self.assertTrue(errors)
                self.assertRegex(errors[0], re.escape(path) + place)
                self.assertIn(hint, "\n".join(errors))

    def test_no_such_file(self):
        self.assertIn("missing.yaml", "\n".join(self.refused(self.path("missing.yaml"))))

    def test_a_second_mapping_for_a_gemm_is_refused(self):
        text = self.mappings()
        path = self.path("twice.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + text[text.index("  - gemm"):])
        lines = self.refused(path)
        count = text.count("  - gemm")
        self.assertEqual(len(lines), count)
        self.assertIn(f"{path}:{len(text.splitlines()) + 1}:", lines[0])
        self.assertIn("a second mapping for the same GEMM", lines[0])

    def test_objectives(self):
        """Summed over kinds of GEMM, each objective expects the least of its own quantity: of one GEMM alone it need
        not, because only the mappings that look best are looked at closely."""
        expected = {}
        for objective in ["cycles", "energy"]:
            text = self.mappings("--mapping-objective", objective, network=["lstm-ptb", "--batch", 2, "--phases",
                                                                           "forward"])
            expected[objective] = [sum(map(int, re.findall(quantity + r": (\d+)", text)))
                                   for quantity in ["cycles", "energy_pj"]]
        self.assertLess(expected["cycles"][0], expected["energy"][0])
        self.assertLess(expected["energy"][1], expected["cycles"][1])
        self.assertIn("--mapping-objective", run("run", "tiny", "--machine", MACHINE, "--mapping-objective", "speed",
                                                 expect=2)[1])


if __name__ == "__main__":
    smoke.main()
