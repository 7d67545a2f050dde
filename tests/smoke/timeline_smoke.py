# SPDX-License-Identifier: MIT
"""Timelines, series and waveforms: by the rules of their formats, adding up, changing nothing, whole or not at all."""

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import time

import smoke
from smoke import run

MEASURED = ["machine", "totals", "units", "phases", "groups", "modes", "ops"]


def events_of(path):
    with (gzip.open if path.endswith("gz") else open)(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """A message of protocol buffers as (number of field, value) pairs."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = data[at:at + 8], at + 8
        else:
            assert key & 7 == 2, key
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert at <= len(data)
        yield key >> 3, value


class Timeline(smoke.Case):
    def watched(self, name, *arguments):
        file = self.path(name)
        result = json.loads(run("run", *arguments, "--timeline", file, "--json")[0])
        return file, result

    def check_tracks(self, trace, result):
        """Slices of a track lie in order, in one another or side by side, and their cycles are those of the result."""
        sides = {1: result, 2: result["baseline"]}
        slices = {}
        names = {}
        for event in trace["traceEvents"]:
            key = event["pid"], event.get("tid")
            if event["ph"] == "X":
                slices.setdefault(key, []).append(event)
            elif event["ph"] == "M" and event["name"] == "thread_name":
                names[key] = event["args"]["name"]
            else:
                self.assertIn(event["ph"], "MC")
        checked = 0
        for (process, track), name in names.items():
            side = sides[process]
            period = side["machine"]["clock_period_ps"]
            open_ends = []
            last = 0
            active = waiting = 0
            for event in slices.get((process, track), []):
                begin = round(event["ts"] * 1000)
                end = begin + round(event["dur"] * 1000)
                self.assertGreaterEqual(end, begin)
                self.assertGreaterEqual(begin, last, (name, event))
                while open_ends and open_ends[-1] <= begin:
                    open_ends.pop()
                if open_ends:
                    self.assertLessEqual(end, open_ends[-1], (name, event))
                open_ends.append(end)
                last = begin
                if event["cat"] in ("command", "busy", "retired"):
                    cycles = event["args"]["cycles"]
                    active += cycles
                    waiting += event["args"].get("waiting", 0)
                    # A slice lasts as long as it says, but for nanoseconds that are cut and gaps inside shared ones.
                    if event["args"].get("commands", 1) == 1 and event["cat"] != "busy":
                        self.assertLess(abs(cycles * period / 1000 - (end - begin)), 1 + 1e-9, (name, event))
            if name == "operations":
                self.assertEqual(active, side["totals"]["cycles"])
                self.assertEqual(len(slices[process, track]), side["totals"]["operations"])
                continue
            unit = next(unit for unit in side["units"] if unit["unit"] == name)["cycles"]
            self.assertEqual(active - waiting, unit["busy"], name)
            if name in ("load", "store"):
                self.assertEqual(active, side["totals"]["cycles"] - unit["idle"], name)
            checked += 1
        self.assertEqual(checked, 8 * sum(side is not None for side in sides.values()))

    def check_series(self, result):
        for side, series in [(result, result["series"]["machine"]),
                             (result["baseline"], result["series"]["baseline"])]:
            counters = side["totals"]["counters"]
            for key in ["cycles", "dram_bytes_read", "dram_bytes_written"]:
                self.assertEqual(sum(series[key]), counters[key])
            self.assertEqual(sum(series["macs"]), sum(counters["mac_" + mode]
                                                      for mode in ["int4", "int4_fp4", "fp8", "fp16"]))
            for unit in side["units"]:
                self.assertEqual(sum(series["units"][unit["unit"]]), unit["cycles"]["busy"])
            for cause, cycles in side["totals"]["causes"].items():
                self.assertEqual(sum(series["causes"][cause]), cycles)
            self.assertAlmostEqual(sum(series["energy_pj"]) / side["totals"]["energy_pj"], 1, places=9)
            for each in [series["cycles"], *series["units"].values(), series["energy_pj"], series["dram_row_hits"]]:
                self.assertEqual(len(each), len(series["cycles"]))
            self.assertTrue(all(each == series["bucket_cycles"] for each in series["cycles"][:-1]))
            scratchpad = series["scratchpad"]
            self.assertGreater(sum(scratchpad["tile_byte_cycles"]), 0)
            resident = scratchpad["resident_capacity_bytes"]
            for cycles, tiles, stays in zip(series["cycles"], scratchpad["tile_byte_cycles"],
                                            scratchpad["resident_byte_cycles"], strict=True):
                self.assertLessEqual(tiles, cycles * (scratchpad["capacity_bytes"] - resident))
                self.assertLessEqual(stays, cycles * resident)

    def test_rules_of_the_format_and_sums(self):
        for preset in ["edge-int4", "server-int4", "ideal-memory"]:  # cycles of 1000, 640 and 1000 ps
            for clock in ["skipping", "every-edge"]:
                with self.subTest(preset=preset, clock=clock):
                    file, result = self.watched("t.json.gz", "tiny", "--machine", preset, "--clock", clock)
                    self.check_tracks(events_of(file), result)
                    self.check_series(result)

    def test_a_whole_network_stays_small(self):
        file, result = self.watched("t.json.gz", "resnet18", "--batch", "1", "--machine", "edge-int4",
                                    "--mapping", "greedy")
        self.assertLess(os.path.getsize(file), 5_000_000)
        trace = events_of(file)
        self.check_tracks(trace, result)
        self.check_series(result)
        counters = {event["name"] for event in trace["traceEvents"] if event["ph"] == "C"}
        self.assertLessEqual({"DRAM read GB/s", "DRAM write GB/s", "DRAM row hits %", "power W", "scratchpad tiles KiB",
                              "scratchpad resident KiB"}, counters)
        peak = result["machine"]["dram_bytes_per_second"] / 1e9
        for event in trace["traceEvents"]:
            if event["ph"] == "C" and event["pid"] == 1 and event["name"].startswith("DRAM read"):
                self.assertTrue(0 <= event["args"]["value"] <= peak * 1.01)
        # The mean of power over time is what the result says.
        series = result["series"]["machine"]
        period = result["machine"]["clock_period_ps"]
        power = [(event["ts"], event["args"]["value"]) for event in trace["traceEvents"]
                 if event["ph"] == "C" and event["pid"] == 1 and event["name"] == "power W"]
        joules = sum((after[0] - now[0]) * 1e-6 * now[1] for now, after in zip(power, power[1:]))
        self.assertAlmostEqual(joules / (result["totals"]["energy_pj"] * 1e-12), 1, places=3)
        self.assertAlmostEqual(power[-1][0], result["totals"]["cycles"] * period / 1e6, places=2)
        self.assertLessEqual(len(power), len(series["cycles"]) + 1)

    def test_nothing_changes(self):
        plain = json.loads(run("run", "tiny", "--machine", "edge-int4", "--json")[0])
        self.assertNotIn("series", plain)
        _, watched = self.watched("t.json", "tiny", "--machine", "edge-int4", "--wave", self.path("w.vcd"),
                                  "--wave-to", "500")
        for key in MEASURED:
            self.assertEqual(plain[key], watched[key])
        for key in ["totals", "units"]:
            self.assertEqual(plain["baseline"][key], watched["baseline"][key])
        series = json.loads(run("run", "tiny", "--machine", "edge-int4", "--json", "--series")[0])["series"]
        self.assertEqual(series, watched["series"])

    def test_the_same_run_makes_the_same_bytes(self):
        for name in ["t.json.gz", "t.json", "t.pftrace"]:
            with self.subTest(name):
                contents = []
                for clock in ["skipping", "every-edge"]:
                    run("run", "tiny", "--machine", "edge-int4", "--quiet", "--clock", clock,
                        "--timeline", self.path(name))
                    with open(self.path(name), "rb") as file:
                        contents.append(file.read())
                self.assertEqual(contents[0], contents[1])

    def test_native_format_says_the_same(self):
        file, result = self.watched("t.json", "tiny", "--machine", "server-int4")
        native, _ = self.watched("t.pftrace", "tiny", "--machine", "server-int4")
        expected = {}
        for event in events_of(file)["traceEvents"]:
            if event["ph"] == "X":
                begin = round(event["ts"] * 1000)
                expected.setdefault((event["pid"], event["tid"]), []).append(
                    (begin, begin + round(event["dur"] * 1000), event["name"]))
        found = {}
        open_slices = {}
        names = {}
        with open(native, "rb") as data:
            for field, packet in fields(data.read()):
                self.assertEqual(field, 1)
                packet = dict(fields(packet))
                if packet[13] == 1:  # SEQ_INCREMENTAL_STATE_CLEARED
                    names[packet[10]] = {}
                for kind, entry in fields(packet.get(12, b"")):
                    if kind == 2:
                        entry = dict(fields(entry))
                        names[packet[10]][entry[1]] = entry[2].decode()
                if 11 not in packet:
                    continue
                event = dict(fields(packet[11]))
                track = divmod(event[11], 1000)
                if event[9] == 1:
                    slice_ = [packet[8], None, names[packet[10]][event[10]]]
                    found.setdefault(track, []).append(slice_)
                    open_slices.setdefault(track, []).append(slice_)
                elif event[9] == 2:
                    open_slices[track].pop()[1] = packet[8]
        self.assertTrue(all(not slices for slices in open_slices.values()))
        self.assertEqual({track: [tuple(each) for each in slices] for track, slices in found.items()}, expected)

    def test_many_commands_share_slices_and_the_file_says_so(self):
        file, result = self.watched("t.json.gz", "vgg16", "--batch", "1", "--machine", "edge-int4", "--layers", "fc*",
                                    "--mapping", "greedy", "--baseline", "none")
        trace = events_of(file)
        self.check_tracks(trace, result)
        note = next(event for event in trace["traceEvents"] if event["name"] == "nibblesim_coalescing")["args"]
        self.assertEqual(note["commands"], result["totals"]["counters"]["commands"])
        shared = sum(event["args"]["commands"] for event in trace["traceEvents"]
                     if event.get("cat") == "command" and "commands" in event["args"])
        self.assertEqual(note["commands_in_shared_slices"], shared)
        self.assertGreater(shared, 0)
        self.assertIn("commands share a slice with others", run("timeline", file)[0])

    def test_hostile_names_are_text(self):
        evil = "<script>alert(1)</script>\"'\\ \x1b[31m\u202e\u0007" + "w" * 10_000
        run("workload", "tiny", "--batch", "1", "-o", self.path("tiny.trace"))
        with open(self.path("tiny.trace"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        for line in lines:
            if line.get("layer") == "conv1":
                line["layer"] = evil
        trace = self.write("evil.trace", "".join(json.dumps(line) + "\n" for line in lines))
        file, result = self.watched("t.json", trace, "--machine", "edge-int4")
        self.assertLess(os.path.getsize(file), 2_000_000)
        names = {event["name"] for event in events_of(file)["traceEvents"]}
        self.assertTrue(any(evil.startswith(name.removesuffix("...")) and len(name) == 203 for name in names))
        self.check_tracks(events_of(file), result)
        text, _ = run("timeline", file)
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\u202e", text)
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()))

    def test_text(self):
        file, result = self.watched("t.json.gz", "tiny", "--machine", "edge-int4")
        text, _ = run("timeline", file)
        for word in ["machine: edge-int4", "mac_array", "stalled", "conv1"]:
            self.assertIn(word, text)
        shown = json.loads(run("timeline", file, "--json")[0])
        for machine, side in zip(shown["machines"], [result, result["baseline"]]):
            self.assertEqual(machine["to"], side["totals"]["cycles"])
            for unit in side["units"]:
                lane = next(lane for lane in machine["lanes"] if lane["name"] == unit["unit"])
                starved = unit["cycles"]["busy"] - lane["busy_cycles"]  # of the array, for lines of the scratchpad
                self.assertGreaterEqual(starved, -1e-3)
                if unit["unit"] in ("load", "store", "dram", "scratchpad", "sequencer"):
                    self.assertAlmostEqual(starved, 0, places=3)
                self.assertAlmostEqual(sum(lane["busy"]), lane["busy_cycles"], places=3)
        half = json.loads(run("timeline", file, "--json", "--to", "5000")[0])["machines"][0]["lanes"]
        rest = json.loads(run("timeline", file, "--json", "--from", "5000")[0])["machines"][0]["lanes"]
        for lane, first, second in zip(shown["machines"][0]["lanes"], half, rest):
            self.assertAlmostEqual(first["busy_cycles"] + second["busy_cycles"], lane["busy_cycles"], places=3)
        wide, _ = run("timeline", file, "--width", "160")
        self.assertEqual(max(map(len, wide.splitlines())), 160)

    def test_files_that_are_no_timelines_are_refused(self):
        file, _ = self.watched("t.json.gz", "tiny", "--machine", "edge-int4", "--baseline", "none")
        with open(file, "rb") as whole:
            data = whole.read()
        damaged = self.path("damaged.json.gz")
        dice = random.Random(5)
        for round_ in range(25):
            content = bytearray(data if round_ % 2 else gzip.decompress(data)[:20_000])
            for _ in range(dice.randrange(1, 4)):
                content[dice.randrange(len(content))] = dice.randrange(256)
            if dice.random() < 0.5:
                del content[dice.randrange(len(content)):]
            with open(damaged, "wb") as out:
                out.write(content)
            done = subprocess.run([smoke.PROGRAM, "timeline", damaged], capture_output=True, timeout=60, check=False)
            self.assertIn(done.returncode, (0, 2), done.stderr)
        for content in [b"", b"\n\x05hello", b"{}", b"[]", os.urandom(1000)]:
            with open(damaged, "wb") as out:
                out.write(content)
            run("timeline", damaged, expect=2)
        native, _ = self.watched("t.pftrace", "tiny", "--machine", "edge-int4", "--baseline", "none")
        self.assertIn("for Perfetto", run("timeline", native, expect=2)[1])
        self.assertIn("the window is empty", run("timeline", file, "--from", "100000000", expect=2)[1])
        run("timeline", self.path("missing.json"), expect=2)
        run("timeline", file, "--width", "5", expect=2)

    def test_files_appear_whole_or_not_at_all(self):
        os.mkdir(self.path("directory"))
        for target in [self.path("directory"), self.path("missing/t.json")]:
            for flags in [["--timeline", target], ["--wave", target, "--wave-to", "5"]]:
                _, errors = run("run", "tiny", "--machine", "edge-int4", *flags, expect=2)
                self.assertIn("error", errors)
        if os.path.exists("/dev/full"):
            self.assertIn("found a device", run("run", "tiny", "--machine", "edge-int4", "--timeline", "/dev/full",
                                                expect=2)[1])
        for ending in [signal.SIGINT, signal.SIGTERM]:
            process = subprocess.Popen([smoke.PROGRAM, "run", "resnet18", "--batch", "16", "--machine", "edge-int4",
                                        "--mapping", "greedy", "--timeline", self.path("t.json.gz"),
                                        "--wave", self.path("w.vcd"), "--wave-to", "1000000"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(process.kill)
            deadline = time.monotonic() + 60
            while len(os.listdir(self.directory)) < 3:  # both under temporary names
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            time.sleep(0.3)
            process.send_signal(ending)
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, 130)
            self.assertEqual(os.listdir(self.directory), ["directory"])


class Wave(smoke.Case):
    def wave(self, *arguments, expect=0):
        return run("run", "tiny", "--machine", "edge-int4", "--quiet", "--wave", self.path("w.vcd"), *arguments,
                   expect=expect)

    def text(self):
        with open(self.path("w.vcd"), encoding="ascii") as file:
            return file.read()

    def test_both_clocks_make_the_same_waveform(self):
        texts = []
        for clock in ["skipping", "every-edge"]:
            self.wave("--wave-from", "100", "--wave-to", "900", "--clock", clock)
            texts.append(self.text())
        self.assertEqual(texts[0], texts[1])
        times = [int(line[1:]) for line in texts[0].splitlines() if line.startswith("#")]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual((times[0], times[-1]), (100_000, 900_000))

    def test_gtkwaves_converter_takes_it(self):
        if shutil.which("vcd2fst") is None:
            self.skipTest("vcd2fst is not installed")
        self.wave("--wave-to", "2000")
        subprocess.run(["vcd2fst", self.path("w.vcd"), self.path("w.fst")], check=True, capture_output=True, timeout=60)
        self.assertGreater(os.path.getsize(self.path("w.fst")), 100)

    def test_units_and_machine(self):
        self.wave("--wave-to", "500", "--wave-units", "mac*", "--wave-machine", "baseline")
        text = self.text()
        self.assertIn("$scope module edge_int4_fp16_iso_mac_area $end", text)
        self.assertIn("mac_array_commands_valid", text)
        self.assertNotIn("load_commands_valid", text)

    def test_wrong_windows(self):
        for arguments, problem in [
                (["--wave-from", "5"], "--wave-to above --wave-from"),
                (["--wave-from", "5", "--wave-to", "5"], "--wave-to above --wave-from"),
                (["--wave-to", "5", "--wave-units", "gpu"], "fits none of the units: sequencer, load"),
                (["--wave-to", "5", "--wave-machine", "baseline", "--baseline", "none"], "there is no baseline")]:
            self.assertIn(problem, self.wave(*arguments, expect=2)[1])
        self.assertIn("need --wave", run("run", "tiny", "--machine", "edge-int4", "--wave-to", "5", expect=2)[1])
        _, errors = run("run", "tiny", "--machine", "edge-int4", "--wave", self.path("w.vcd"), "--wave-from", "1000000",
                        "--wave-to", "1000001")
        self.assertIn("the waveform is empty", errors)


if __name__ == "__main__":
    smoke.main()
