# SPDX-License-Identifier: MIT
"""nibblesim explain: why a layer takes its time, and what it would take if a unit took none."""

import fnmatch
import json
import math
import os
import re
import shutil

import smoke
from smoke import run

UNITS = ["memory", "scratchpad", "mac_array", "log_gradient", "vector_unit"]
CAUSES = ["compute", "fill_drain", "gradient_conversion", "vector", "memory", "control"]

ONE_PRODUCT = """name: product
optimizer: sgd
image: [1024, 1, 1]
layers:
  - {global_pool: pool}
  - {linear: fc, out: 32}
  - {loss: loss}
"""


def explain(*arguments):
    return json.loads(run("explain", *arguments, "--json")[0])


class Explain(smoke.Case):
    def result(self, name, *options, what="tiny", machine="edge-int4"):
        run("run", what, "--machine", machine, "--out", self.path(name), "--quiet", *options)
        return self.path(name)

    def edited(self, machine, unit):
        """The machine file with a unit that takes no time, edited as a user would."""
        with open(machine, encoding="utf-8") as file:
            text = file.read()
        section = "dma" if unit == "memory" else unit
        text, edits = re.subn(rf"^({section}:\n(?:  .*\n)*?  ideal: )false$", r"\1true", text, flags=re.M)
        self.assertEqual(edits, 1, unit)
        return self.write(f"{unit}.yaml", text)

    # What is said of a free unit is what anybody measures who makes that unit ideal in the machine's file.
    def test_gains_are_those_of_machines_edited_by_hand(self):
        out = self.result("out", "--batch", 4, "--baseline", "none")
        pattern = "conv*"
        said = explain(out, "--layer", pattern)
        self.assertEqual([free["unit"] for free in said["free"]], UNITS)

        def of_layers(result):
            ops = [op for op in result["ops"] if fnmatch.fnmatch(op["layer"], pattern)]
            return {"operations": len(ops), "cycles": sum(op["cycles"] for op in ops),
                    "causes": {cause: sum(op["causes"][cause] for op in ops) for cause in CAUSES}}

        with open(os.path.join(out, "result.json"), encoding="utf-8") as file:
            as_it_was = json.load(file)
        expected = of_layers(as_it_was)
        self.assertEqual({key: said[key] for key in expected}, expected)
        self.assertEqual(said["step_cycles"], as_it_was["totals"]["cycles"])
        for free in said["free"]:
            machine = self.edited(os.path.join(out, "machine.yaml"), free["unit"])
            result = json.loads(run("run", "tiny", "--batch", 4, "--machine", machine, "--baseline", "none", "--mapping",
                                    os.path.join(out, "mappings.yaml"), "--json")[0])
            measured = of_layers(result)
            self.assertEqual({key: free[key] for key in measured}, measured, free["unit"])
            self.assertEqual(free["step_cycles"], result["totals"]["cycles"])
            self.assertAlmostEqual(free["gain"], expected["cycles"] / measured["cycles"])
        gains = {free["unit"]: free["gain"] for free in said["free"]}
        self.assertEqual(said["binding"], max(gains, key=gains.get))

    # A 32 x 32 product of 1024 steps on 32 x 32 PEs in FP16, where a step takes 4 cycles, as one tile, without memory.
    # Output-stationary it fills for 62 cycles, streams for 4096 and drains for 32. A free array leaves its lines: two
    # operands of 32 x 1024 x 2 bytes and a result of 32 x 32 x 2 in lines of 64 bytes, 16 a cycle, and the way to the
    # scratchpad and back, 2 cycles. So many cycles less is what is gained, and nothing else changes.
    def test_the_gain_that_the_closed_form_predicts_is_measured(self):
        network = self.write("product.yaml", ONE_PRODUCT)
        mapping = self.write("mapping.yaml", "")
        preset = run("run", network, "--batch", 32, "--machine", "edge-int4", "--baseline", "none", "--phases", "forward",
                     "--layers", "fc", "--recipe", "fp16", "--mapping-out", mapping, "--out", self.path("any"), "--quiet")
        self.assertEqual(preset, ("", ""))
        with open(mapping, encoding="utf-8") as file:
            text = re.sub(r"dataflow: \w+", "dataflow: output", file.read())
        mapping = self.write("output.yaml", text)
        with open(self.path("any/machine.yaml"), encoding="utf-8") as file:
            machine = self.write("machine.yaml", file.read().replace("ideal_memory: false", "ideal_memory: true"))
        out = self.result("out", "--batch", 32, "--baseline", "none", "--phases", "forward", "--layers", "fc", "--recipe",
                          "fp16", "--mapping", mapping, what=network, machine=machine)
        said = explain(out)
        self.assertNotIn("memory", [free["unit"] for free in said["free"]], "it takes no time anyway")
        fill, stream, drain = 32 + 32 - 2, 4 * 1024, 32
        self.assertEqual(said["causes"]["compute"], stream)
        lines = 2 * (32 * 1024 * 2 // 64) + 32 * 32 * 2 // 64
        predicted = fill + stream + drain - (math.ceil(lines / 16) + 2)
        free = {free["unit"]: free for free in said["free"]}
        self.assertEqual(said["cycles"] - free["mac_array"]["cycles"], predicted)
        self.assertEqual(said["binding"], "mac_array")

    def test_text(self):
        out = self.result("out")
        text, errors = run("explain", out, "--layer", "conv1")
        self.assertEqual(errors, "")
        said = explain(out, "--layer", "conv1")
        binding = next(free for free in said["free"] if free["unit"] == said["binding"])
        flat = " ".join(text.split())
        self.assertTrue(text.startswith(f"conv1 takes {said['cycles']:,} cycles"), text)
        self.assertIn("What binds it is the", flat)
        self.assertIn(f"it would take {binding['cycles']:,} cycles, {binding['gain']:.2f}x faster", flat)
        for words in ["Its operations", "conv1 forward", "conv1 dw", "MAC array", "as it is"]:
            self.assertIn(words, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        whole = run("explain", os.path.join(out, "result.json"))[0]
        self.assertTrue(whole.startswith(f"The step takes {said['step_cycles']:,} cycles"), whole)
        self.assertIn("others", whole)

    def test_parts_of_a_step(self):
        out = self.result("out", "--phases", "dx,dw", "--layers", "conv*", "--batch", 3)
        said = explain(out, "--layer", "conv2")
        self.assertEqual(said["operations"], 2)
        self.assertGreater(said["step_cycles"], said["cycles"])

    # What the command line said of another program's file is in the result.
    def test_an_imported_file(self):
        topology = self.write("topology.csv", "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
                              "Channels, Num Filter, Strides,\nfirst, 10, 10, 3, 3, 4, 8, 1,\nsecond, 8, 8, 3, 3, 8, 8, 1,\n")
        out = self.result("out", "--from", "scale-sim", "--training", "forward-only", "--no-fusion", "--batch", 2,
                          what=topology)
        with open(os.path.join(out, "result.json"), encoding="utf-8") as file:
            result = json.load(file)
        self.assertEqual(explain(out)["step_cycles"], result["totals"]["cycles"])

    def test_hostile_names_are_text(self):
        network = self.write("hostile.yaml", 'name: "\\e[31m<script>"\nimage: [3, 16, 16]\noptimizer: sgd\nlayers:\n'
                             '  - {conv: "\\u202e\\e[2J' + 'é' * 5000 + 'abc", out: 8, kernel: 3, pad: 1}\n  - {global_pool: p}\n'
                             '  - {linear: fc, out: 10}\n  - {loss: loss}\n')
        out = self.result("out", what=network)
        for pattern in ["*", "*abc"]:
            text = run("explain", out, "--layer", pattern)[0]
            self.assertIn("??[2Jéé", text)
            self.assertFalse(set(text) & {"\x1b", "\u202e"}, text)
        self.assertEqual(explain(out)["network"], "\x1b[31m<script>")

    def refused(self, *arguments):
        out, errors = run("explain", *arguments, expect=2)
        self.assertEqual(out, "")
        return errors

    def test_what_cannot_be_repeated_is_refused(self):
        self.assertIn("No such file", self.refused(self.path("nothing")))
        out = self.result("out")
        self.assertIn("no layer of the run fits 'conv3' (did you mean 'conv", self.refused(out, "--layer", "conv3"))
        os.rename(os.path.join(out, "mappings.yaml"), self.path("mappings.yaml"))
        self.assertIn("expected mappings.yaml beside result.json, found no such file", self.refused(out))
        os.rename(self.path("mappings.yaml"), os.path.join(out, "mappings.yaml"))

        def with_changed(name, change):
            copy = self.path("copy")
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(out, copy)
            with open(os.path.join(copy, name), encoding="utf-8") as file:
                text = file.read()
            self.assertNotEqual(change(text), text)
            with open(os.path.join(copy, name), "w", encoding="utf-8") as file:
                file.write(change(text))
            return copy

        slower = with_changed("machine.yaml", lambda text: text.replace("  lanes: 128", "  lanes: 2"))
        self.assertRegex(self.refused(slower), r"the run took \d+ cycles then, and takes \d+ now")
        other = with_changed("result.json", lambda text: re.sub('"batch": null', '"batch": 3', text, count=1))
        self.assertIn("'tiny' is not the trace that was run then", self.refused(other))
        earlier = with_changed("result.json", lambda text: text.replace('"source":', '"sauce":', 1))
        self.assertIn("made by an earlier nibblesim", self.refused(earlier))


if __name__ == "__main__":
    smoke.main()
