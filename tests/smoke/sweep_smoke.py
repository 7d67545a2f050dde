# SPDX-License-Identifier: MIT
"""Studies: the same tables however they are run, killed or divided; bad ones are refused, bad points recorded."""

import csv
import json
import os
import random
import resource
import signal
import subprocess
import time

import smoke

AXES = """
  - {parameter: dram.channels, values: [1, 2, 4]}
  - {parameter: vector_unit.lanes, range: {from: 32, to: 128, steps: 3, scale: log}}
  - zip:
      - {parameter: mac_array.rows, values: [32, 64]}
      - {parameter: mac_array.cols, values: [32, 16]}
"""
MORE = """
  - {parameter: log_gradient.lanes, values: [8, 16, 32]}
  - {parameter: dma.max_outstanding, values: [4, 8, 16]}
"""


def study(axes=AXES, **keys):
    text = {"name": "small", "machines": "[edge-int4]", "workloads": "[tiny]", "mapping": "greedy", **keys}
    return "".join(f"{key}: {value}\n" for key, value in text.items() if value is not None) + f"axes:{axes}"


class Sweep(smoke.Case):
    def sweep(self, text, *flags, out="out", **options):
        self.file = self.write("study.yaml", text)
        return smoke.run("sweep", self.file, "--out", self.path(out), *flags, **options)

    def table(self, out="out", name="points.json"):
        with open(os.path.join(self.path(out), name), "rb") as file:
            return file.read()

    def points(self, out="out"):
        return json.loads(self.table(out))["points"]

    def refused(self, text, *expected):
        _, errors = self.sweep(text, expect=2)
        for words in expected:
            self.assertIn(words, errors)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_grid(self):
        text, errors = self.sweep(study())
        self.assertEqual(text, "small: 18 points, 18 ok\n")
        self.assertEqual(errors, "")
        points = self.points()
        self.assertEqual([point["design"] for point in points], list(range(18)))
        self.assertEqual(points[7]["values"], {"dram.channels": "2", "vector_unit.lanes": "32",
                                               "mac_array.rows / mac_array.cols": "64 / 16"})
        # Each point is what a run of its machine is.
        machine = self.write("machine.yaml", self.machine_of({"channels": "2", "lanes": "32"}))
        run = json.loads(smoke.run("run", "tiny", "--machine", machine, "--mapping", "greedy", "--json")[0])
        metrics = points[6]["metrics"]
        totals = run["totals"]
        self.assertEqual(metrics["cycles"], totals["cycles"])
        self.assertAlmostEqual(metrics["time_ms"], totals["seconds"] * 1e3)
        self.assertAlmostEqual(metrics["energy_pj"], totals["energy_pj"], places=3)
        self.assertAlmostEqual(metrics["power_mw"], totals["watts"] * 1e3, places=6)
        self.assertEqual(metrics["dram_bytes"], totals["dram_bytes_read"] + totals["dram_bytes_written"])
        self.assertAlmostEqual(metrics["utilization"], totals["utilization"])
        self.assertAlmostEqual(metrics["area_mm2"], run["area"]["total_um2"] * 1e-6)
        for metric in ["speedup", "energy_gain"]:
            self.assertAlmostEqual(metrics[metric], run[metric])
        for cause, cycles in totals["causes"].items():
            self.assertAlmostEqual(metrics[f"{cause}_share"] * totals["cycles"], cycles, places=6)
        with open(os.path.join(self.path("out"), "points.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([float(row["cycles"]) for row in rows], [point["metrics"]["cycles"] for point in points])

    def machine_of(self, values):
        """edge-int4 as a file, with other channels of the DRAM and lanes of the vector unit."""
        out = self.path("for_machine")
        smoke.run("run", "tiny", "--machine", "edge-int4", "--mapping", "greedy", "--baseline", "none", "--quiet",
                  "--out", out)
        lines, section = [], ""
        with open(os.path.join(out, "machine.yaml"), encoding="utf-8") as file:
            for line in file:
                section = line.strip() if not line.startswith(" ") else section
                key = line.strip().split(":")[0]
                wanted = {("dram:", "channels"): "channels", ("vector_unit:", "lanes"): "lanes"}.get((section, key))
                lines.append(f"  {key}: {values[wanted]}\n" if wanted else line)
        return "".join(lines)

    def test_finished_points_are_not_run_again(self):
        self.sweep(study())
        began = self.table()
        text, _ = self.sweep(study(), "--status")
        self.assertEqual(text, "small: 18 points, 18 ok\n")
        # A study of more designs takes these from the first.
        bigger = study(AXES + "  - {parameter: log_gradient.lanes, values: [8, 16, 32]}\n")
        # Left are the two new values, 32 being the machine's own; baselines have no log-gradient unit.
        text, _ = self.sweep(bigger, "--reuse", self.path("out"), "--status", out="bigger")
        self.assertIn("36 runs left", text)
        self.sweep(bigger, "--reuse", self.path("out"), out="bigger")
        both = {json.dumps(point["metrics"]) for point in self.points("bigger")}
        for point in self.points():
            self.assertIn(json.dumps(point["metrics"]), both)
        self.sweep(study())
        self.assertEqual(self.table(), began)

    def test_killed_and_resumed(self):
        whole = study(AXES + MORE)
        self.sweep(whole, out="whole")
        self.assertEqual(len(self.points("whole")), 162)
        chance = random.Random(1)
        for _ in range(20):
            process = subprocess.Popen([smoke.PROGRAM, "sweep", self.file, "--out", self.path("out")],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.02, 0.25))
            process.kill()
            process.wait()
        self.sweep(whole)
        for name in ["points.json", "points.csv"]:
            self.assertEqual(self.table("out", name), self.table("whole", name))

    def test_interrupted(self):
        whole = self.write("study.yaml", study(AXES + MORE))
        process = subprocess.Popen([smoke.PROGRAM, "sweep", whole, "--out", self.path("out")], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        while not os.path.exists(self.path("out/results/local.db")):
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(errors, "nibblesim: error: interrupted\n")
        self.assertFalse(os.path.exists(self.path("out/points.json")))

    def test_shards(self):
        whole = study(AXES + MORE)
        self.sweep(whole, out="whole")
        for shard in [3, 1, 4, 2]:
            self.sweep(whole, "--shard", f"{shard}/4")
        text, _ = self.sweep(whole, "--collect")
        self.assertIn("162 ok", text)
        self.assertEqual(self.table(), self.table("whole"))
        self.assertEqual(len(os.listdir(self.path("out/results"))), 4)
        for wrong in ["0/4", "5/4", "1", "a/b", "1/4x"]:
            _, errors = self.sweep(whole, "--shard", wrong, expect=2)
            self.assertIn("expected I/N", errors)

    def test_two_sweeps_on_one_folder(self):
        whole = study(AXES + MORE)
        self.sweep(whole, out="whole")
        processes = [subprocess.Popen([smoke.PROGRAM, "sweep", self.file, "--out", self.path("out"), "--quiet"])
                     for _ in range(2)]
        self.assertEqual([process.wait(timeout=200) for process in processes], [0, 0])
        self.assertEqual(self.table(), self.table("whole"))

    def test_fidelities_and_confirmation(self):
        for fidelity in ["predicted", "composed", "simulated"]:
            self.sweep(study(fidelity=fidelity), out=fidelity)
            self.assertEqual({point["fidelity"] for point in self.points(fidelity)}, {fidelity})
        text, _ = self.sweep(study(confirm=4), "--json", out="confirm")
        said = json.loads(text)
        self.assertTrue(said["complete"])
        self.assertEqual(said["confirmation"]["designs"], 4)
        by_fidelity = {}
        for point in self.points("confirm"):
            by_fidelity.setdefault(point["fidelity"], []).append(point)
        self.assertEqual({name: len(points) for name, points in by_fidelity.items()},
                         {"predicted": 14, "simulated": 4})
        truth = {point["design"]: point["metrics"] for point in self.points("simulated")}
        guess = {point["design"]: point["metrics"] for point in self.points("predicted")}
        for point in by_fidelity["simulated"]:
            self.assertEqual(point["metrics"], truth[point["design"]])
        deviations = [guess[point["design"]]["cycles"] / point["metrics"]["cycles"] - 1
                      for point in by_fidelity["simulated"]]
        self.assertAlmostEqual(said["confirmation"]["mean_cycles_deviation"], sum(map(abs, deviations)) / 4)

    def test_confirmation_in_shards(self):
        """A shard ends well while others have predictions to make."""
        text = study(confirm=4)
        self.sweep(text, out="whole")
        for shard in [1, 2, 1, 2]:
            self.sweep(text, "--shard", f"{shard}/2")
        self.sweep(text, "--collect")
        self.assertEqual(self.table(), self.table("whole"))

    def test_sharing_changes_nothing(self):
        for fidelity in ["predicted", "composed"]:
            one = study("\n  - {parameter: log_gradient.lanes, values: [16, 32]}\n", fidelity=fidelity)
            self.sweep(one, out=f"{fidelity}-shared")
            self.sweep(one, "--no-sharing", out=f"{fidelity}-alone")
            self.assertEqual(self.table(f"{fidelity}-shared"), self.table(f"{fidelity}-alone"))

    def test_guided(self):
        guided = study(AXES + MORE, fidelity="predicted", explore="{method: guided, designs: 60, seed: 3}",
                       objectives="[time_ms, area_mm2]", constraints="[{metric: area_mm2, max: 1.5}]")
        self.sweep(guided)
        points = self.points()
        self.assertEqual(len(points), 60)
        self.assertEqual(len({point["design"] for point in points}), 60)
        # Divided among shards it takes the same way, a generation at a time.
        for _ in range(20):
            for shard in [1, 2]:
                self.sweep(guided, "--shard", f"{shard}/2", out="sharded")
            if json.loads(self.sweep(guided, "--status", "--json", out="sharded")[0])["complete"]:
                break
        self.sweep(guided, "--collect", out="sharded")
        self.assertEqual(self.table("sharded"), self.table())

    def test_samples(self):
        for method in ["random", "latin_hypercube"]:
            explore = f"{{method: {method}, designs: 25}}"
            self.sweep(study(AXES + MORE, fidelity="predicted", explore=explore), out=method)
            self.assertEqual(len({point["design"] for point in self.points(method)}), 25)

    def test_workloads_with_weights(self):
        self.sweep(study("\n  - {parameter: dram.channels, values: [2, 4]}\n",
                         workloads="[{trace: tiny, batch: 4, weight: 3}, {trace: tiny, batch: 8}]"))
        points = self.points()
        self.assertEqual([point["workload"] for point in points], ["tiny b4", "tiny b8", "all"] * 2)
        four, eight, both = [point["metrics"] for point in points[:3]]
        for metric in ["cycles", "dram_bytes"]:
            self.assertEqual(both[metric], 3 * four[metric] + eight[metric])
        self.assertAlmostEqual(both["energy_pj"], 3 * four["energy_pj"] + eight["energy_pj"], places=3)
        self.assertAlmostEqual(both["power_mw"] * both["time_ms"], both["energy_pj"] * 1e-6, places=6)

    def test_study_parameters(self):
        self.sweep(study("\n  - {parameter: batch, values: [2, 4]}\n"
                         "  - {parameter: recipe, values: [int4-fp4, hfp8]}\n"))
        cycles = [point["metrics"]["cycles"] for point in self.points()]
        self.assertEqual(len(set(cycles)), 4)

    def test_constraints(self):
        self.sweep(study(), out="free")
        free = [point["metrics"] for point in self.points("free")]
        area, milliseconds = (sorted(one[metric] for one in free)[len(free) // 2] for metric in ["area_mm2", "time_ms"])
        self.sweep(study(constraints=f"[{{metric: area_mm2, max: {area}}}, {{metric: time_ms, max: {milliseconds}}}]"))
        points = self.points()
        for point, metrics in zip(points, free):
            if metrics["area_mm2"] > area:
                self.assertEqual((point["status"], point["metrics"]["cycles"]), ("outside", None))  # it was not run
            else:
                self.assertEqual(point["metrics"], metrics)
                self.assertEqual(point["status"], "outside" if metrics["time_ms"] > milliseconds else "ok")
        self.assertEqual({point["status"] for point in points}, {"ok", "outside"})

    def test_fit(self):
        self.sweep(study("\n  - {parameter: vector_unit.lanes, values: [16, 256]}\n",
                         fit="{parameter: scratchpad.capacity_bytes, range: {from: 1048576, to: 2097152, steps: 5}, "
                             "metric: area_mm2, limit: 1.3}"))
        for point in self.points():
            self.assertLessEqual(point["metrics"]["area_mm2"], 1.3)
        self.assertGreater(len({point["values"]["scratchpad.capacity_bytes"] for point in self.points()}), 1)

    def test_points_that_fail(self):
        long = study("\n  - {parameter: dram.channels, values: [2]}\n", workloads="[{trace: resnet18, batch: 4}]")
        text, _ = self.sweep(long + "limits: {seconds: 0.05}\n")
        self.assertIn("1 failed", text)
        self.assertIn("took longer than 0.05 s", text)
        # It is kept as it is until it is asked for again.
        self.assertIn("1 failed", self.sweep(long)[0])
        self.assertIn("1 ok", self.sweep(long, "--retry-failed")[0])

    def test_points_without_memory(self):
        text, _ = self.sweep(study(limits="{memory_mib: 16}"))
        self.assertIn("18 failed", text)

    def test_combinations_that_make_no_machine(self):
        text, _ = self.sweep(study("\n  - {parameter: mac_array.rows, values: [32, 128]}\n"
                                   "  - {parameter: mac_array.accumulator_bytes, values: [8192, 262144]}\n"))
        self.assertIn("4 points, 3 ok, 1 invalid", text)
        invalid = [point for point in self.points() if point["status"] == "invalid"]
        self.assertEqual(len(invalid), 1)
        self.assertIn("accumulator", invalid[0]["reason"])
        self.assertIsNone(invalid[0]["metrics"]["cycles"])

    def test_bad_studies(self):
        self.refused(study("\n  - {parameter: dram.chanels, values: [2]}\n"), "study.yaml:6:",
                     "did you mean 'dram.channels'?")
        self.refused(study("\n  - {parameter: dram.channels, values: []}\n"), "expected at least one value")
        self.refused(study("\n  - {parameter: dram.channels, values: [2, 2]}\n"), "is there twice")
        self.refused(study("\n  - {parameter: dram.channels, values: [many]}\n"), "study.yaml:6:", "makes no machine")
        self.refused(study(AXES + "  - {parameter: dram.channels, values: [8]}\n"), "has an axis already")
        self.refused(study("\n" + "".join(f"  - {{parameter: {name}, range: {{from: 1, to: 1000, steps: 1000}}}}\n"
                                          for name in ["vector_unit.lanes", "log_gradient.lanes", "dma.max_outstanding",
                                                       "sequencer.queue_entries"])), "a grid of 1e+12 designs")
        self.refused(study(constraints="[{metric: area_mm2, max: 0.001}]"), "no design keeps the constraints",
                     "area_mm2 is")
        self.refused(study(constraints="[{metric: area_mm2, min: 2, max: 1}]"), "no value is at least")
        self.refused(study(constraints="[{metric: aera_mm2, max: 1}]"), "did you mean 'area_mm2'?")
        self.refused(study(objectives="[speed]"), "there is no metric 'speed'")
        self.refused(study(workloads="[resnet81]"), "resnet81")
        self.refused(study(machines="[edge-int5]"), "did you mean 'edge-int4'?")
        self.refused(study(recipe="int5"), "int5")
        self.refused(study(fidelity="exact"), "exact")
        self.refused(study(colour="red"), "unknown key 'colour'")
        self.refused(study("\n  - zip:\n      - {parameter: mac_array.rows, values: [1, 2]}\n"
                           "      - {parameter: mac_array.cols, values: [1]}\n"), "as many values as of mac_array.rows")
        self.refused("\0", "study.yaml")

    def test_a_store_that_is_none(self):
        os.makedirs(self.path("out/results"))
        self.write("out/results/local.db", "not a database, but long enough to be looked at" * 20)
        _, errors = self.sweep(study(), expect=2)
        self.assertIn("local.db", errors)
        self.assertIn("move it away", errors)

    def test_a_full_disk(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (24 * 1024, 24 * 1024))

        whole = study(AXES + MORE, workloads="[{trace: tiny, batch: 2}]")
        _, errors = self.sweep(whole, expect=2, preexec_fn=small_files)
        self.assertIn("cannot be used", errors)
        self.assertIn("162 ok", self.sweep(whole)[0])

    def test_slurm_that_is_not_there(self):
        _, errors = self.sweep(study(), "--launcher", "slurm", expect=2, env={**os.environ, "PATH": "/nowhere"})
        self.assertIn("sbatch cannot be run", errors)


if __name__ == "__main__":
    smoke.main()
