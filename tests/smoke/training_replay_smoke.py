# SPDX-License-Identifier: MIT
"""Recorded training steps, replayed: the array delivers what training computed, bit for bit, and the log-gradient unit
counts what training counted. Skipped where PyTorch or the module is not there (exit code 77)."""

import csv
import glob
import json
import os
import subprocess
import sys

import smoke
from smoke import run

SKIPPED = 77
TRAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "train.py")

# A task of each kind, and what it shows: convolutions, an LSTM through time, products of two activations.
TASKS = ("cifar10", "speech", "char-transformer")
COUNTS = ("saturated_even", "saturated_odd", "underflowed_even", "underflowed_odd")
# edge-int4 rounds sums to FP16 after every 32 products.
MACHINE = ("--accumulator", "fp16", "--chunk", 32)


def train(*arguments, expect=0):
    done = subprocess.run([sys.executable, TRAIN, *map(str, arguments)], capture_output=True, text=True, timeout=240)
    if done.returncode != expect:
        raise AssertionError(f"exit code {done.returncode} instead of {expect}:\n{done.stderr[-2000:]}")
    return done.stderr


class TrainingReplay(smoke.Case):
    def record(self, task, recipe, *flags, **options):
        return train("--task", task, "--recipe", recipe, "--data", "sample", "--batch", 6, "--limit-steps", 4,
                     "--record-dir", self.path("recording"), *MACHINE, *flags, **options)

    def replay(self, step, recipe, machine="edge-int4"):
        out, _ = run("run", self.path(f"recording/step_{step}.trace"), "--machine", machine, "--baseline", "none",
                     "--values", "--recipe", recipe, "--quiet", "--json")
        return json.loads(out)

    def statistics(self):
        with open(self.path("recording/gradients.csv"), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_every_output_is_that_of_training(self):
        for task in TASKS:
            for recipe in ("int4-fp4", "hfp8", "fp16"):
                with self.subTest(task=task, recipe=recipe):
                    self.record(task, recipe, "--record", "2")
                    result = self.replay(2, recipe)
                    replay = result["replay"]
                    self.assertEqual(replay["outputs_different"], 0)
                    self.assertEqual(replay["gemms_not_in_untiled_order"], 0)
                    gemms = [op for op in result["ops"] if op["kind"] in ("conv", "matmul")]
                    self.assertEqual(replay["gemms"], len(gemms))
                    self.assertEqual({op["phase"] for op in gemms}, {"forward", "dx", "dw"})
                    self.assertGreater(replay["outputs_compared"], 10000)

    def test_on_a_machine_with_another_accumulator(self):
        """Training's own default is that of server-int4."""
        self.record("char-lstm", "int4-fp4", "--record", "1", "--accumulator", "dlfloat16")
        self.assertEqual(self.replay(1, "int4-fp4", "server-int4")["replay"]["outputs_different"], 0)
        self.assertGreater(self.replay(1, "int4-fp4", "edge-int4")["replay"]["outputs_different"], 0)

    def test_gradients_are_counted_alike(self):
        for task in TASKS:
            with self.subTest(task=task):
                self.record(task, "int4-fp4", "--record", "3")
                trained = {row["layer"]: row for row in self.statistics() if row["step"] == "3"}
                replayed = {}
                for op in self.replay(3, "int4-fp4")["ops"]:
                    operands = op.get("values", {}).get("operands", [])
                    for operand in operands:
                        # dx and dw share their gradients, which the unit converts once.
                        if "gradient" in operand and op["phase"] == "dx":
                            replayed.setdefault(op["layer"], []).append(operand)
                common = set(trained) & set(replayed)
                # The first layer has no dx; the first and the last one are in FP16.
                self.assertGreaterEqual(len(common), len(trained) - 1)
                for layer in common:
                    row, operands = trained[layer], replayed[layer]
                    self.assertEqual(int(row["scale_log2"]), operands[0]["scale_log2"])
                    self.assertEqual(float(row["largest_scaled"]), max(one["gradient"]["largest_scaled"]
                                                                       for one in operands))
                    for count in COUNTS:
                        self.assertEqual(int(row[count]), sum(one["gradient"][count] for one in operands), (layer, count))

    def test_another_chunk_is_noticed(self):
        self.record("cifar10", "int4-fp4", "--record", "2", "--chunk", 64)
        replay = self.replay(2, "int4-fp4")["replay"]
        self.assertGreater(replay["outputs_different"], 0)
        self.assertGreater(replay["largest_difference"], 0)

    def test_what_cannot_be_recorded(self):
        self.assertIn("the simulator has no recipe 'int4-luq'", self.record("mnist", "int4-luq", "--record", "1", expect=2))
        self.assertIn("expected step numbers", self.record("mnist", "fp16", "--record", "1,x", expect=2))
        self.assertIn("expected a directory", train("--task", "mnist", "--recipe", "fp16", "--data", "sample",
                                                    "--record", "1", expect=2))

    def test_statistics_alone_and_again(self):
        for _ in range(2):  # a second run replaces the first one's
            self.record("mnist", "int4-fp4")
            rows = self.statistics()
            self.assertEqual({row["step"] for row in rows}, {"0", "1", "2", "3"})
            self.assertEqual(len(rows), len({(row["step"], row["layer"]) for row in rows}))
        self.assertEqual(glob.glob(self.path("recording/*.trace")), [])


def require_python():
    """Ends, or begins again under the distribution's Python, where PyTorch or the module is missing."""
    try:
        import nibblesim  # noqa: F401
        import torch  # noqa: F401
    except ImportError as missing:
        distribution = "/usr/bin/python3"
        if sys.executable != distribution and os.path.exists(distribution):
            os.execv(distribution, [distribution, *sys.argv])
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)


if __name__ == "__main__":
    require_python()
    smoke.main()
