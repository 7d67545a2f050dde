# SPDX-License-Identifier: MIT
"""nibblesim report, seen through a real browser: charts are drawn, numbers are those of result.json, tables sort and
filter, names are text whatever they hold, and pages print. Screenshots stay in the folder that is named second.
Skipped (exit code 77) where Chromium or its driver is missing."""

import html.parser
import json
import os
import re
import sys
import time

import browser
import smoke
from smoke import run

SCREENSHOTS = ""
CHARTS = ["waterfall", "causes", "components", "cycles-chart", "energy-components", "energy-chart", "roofline-chart"]
HOSTILE = ["</script><script>window.broken = 1</script>", "<img src=x onerror='window.broken = 2'>", "\"'&amp;`${1}",
           "a\u0001\u001b[31mb\r\nc", "\u202eevil\u202c \u2066x", "\u05e9\u05dc\u05d5\u05dd", "long" * 2500,
           "__proto__", "constructor", "=1+1", "%3Cb%3E", "\u2028\u2029", "{b|rich}"]


class Outside(html.parser.HTMLParser):
    """Everything in a page that would load something."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            inside = (value or "").startswith(("#", "data:"))
            if name in ("src", "href", "data", "action", "poster", "srcset") and not inside:
                self.found.append((tag, name, value))


class Report(smoke.Case):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()

    def setUp(self):
        super().setUp()
        self.browser.look()

    def simulate(self, workload="tiny", *flags, name="out", machine="edge-int4"):
        batch = [] if "/" in workload else ["--batch", "1"]
        run("run", workload, "--machine", machine, *batch, "--mapping", "greedy", "--out", self.path(name), "--quiet",
            *flags)
        with open(os.path.join(self.path(name), "result.json"), encoding="utf-8") as file:
            return json.load(file)

    def open(self, *sources, report="report.html"):
        if sources:
            run("report", *map(self.path, sources), "-o", self.path(report))
        self.browser.open(self.path(report))
        self.assertEqual(self.browser.messages(), [])

    def screenshot(self, name, whole=False):
        if SCREENSHOTS:
            os.makedirs(SCREENSHOTS, exist_ok=True)
            self.browser.screenshot(os.path.join(SCREENSHOTS, name), whole)

    def script(self, text, *arguments):
        return self.browser.run(text, *arguments)

    def cells(self, table):
        return self.script("""return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]
            .map((row) => [...row.children].map((cell) => cell.textContent))""", table)

    def headers(self, table):
        return self.script("""return [...document.querySelectorAll(`#${arguments[0]} thead th`)]
            .map((cell) => cell.textContent)""", table)

    def choose(self, container, label, value):
        self.script("""const select = [...document.querySelectorAll(`${arguments[0]} label`)]
            .find((one) => one.textContent.startsWith(arguments[1])).querySelector("select");
            select.value = arguments[2]; select.dispatchEvent(new Event("change"));""", container, label, value)
        self.browser.settle()

    def drawn(self):
        """Marks in each chart: paths that are seen."""
        return self.script("""return Object.fromEntries([...document.querySelectorAll("figure")].map((figure) =>
            [figure.id, [...figure.querySelectorAll("svg path")]
              .filter((path) => path.getBoundingClientRect().width > 0).length]))""")

    def check_no_overflow(self):
        width, inner = self.script("const page = document.documentElement; return [page.scrollWidth, page.clientWidth]")
        self.assertLessEqual(width, inner)

    def test_numbers_are_those_of_the_result(self):
        result = self.simulate("resnet18")
        self.open("out")
        shown = self.script("""return Object.fromEntries([...document.querySelectorAll("[data-key]")]
            .map((one) => [one.dataset.key, [Number(one.dataset.value), one.textContent]]))""")
        for key, (value, text) in shown.items():
            expected = result
            for part in key.split("."):
                expected = expected[part]
            self.assertEqual(value, expected, key)
            self.assertRegex(text, r"^[0-9.]+")
        self.assertEqual(shown["speedup"][1], f"{result['speedup']:.2f}×")
        self.assertEqual(shown["totals.seconds"][1], f"{result['totals']['seconds'] * 1e3:.2f} ms")
        self.assertEqual(set(shown), {"speedup", "energy_gain", "totals.seconds", "totals.energy_pj", "totals.watts",
                                      "totals.tops_per_watt", "totals.utilization"})
        # The table behind a chart has what the chart shows.
        self.script("document.querySelector('#causes details').open = true")
        time.sleep(0.1)
        rows = {row[0]: row for row in self.cells("causes")}
        memory = result["totals"]["causes"]["memory"]
        self.assertEqual(rows["waiting for DRAM"][1], f"{memory * 1e-6:.2f} ms")  # at 1 ns a cycle
        self.assertEqual(rows["waiting for DRAM"][2], f"{100 * memory / result['totals']['cycles']:.0f}%")
        # All operations, in their order, cycle by cycle.
        self.choose("#operations-grid", "Rows", "1000")
        rows = self.cells("operations-grid")
        cycles, layer = self.headers("operations-grid").index("Cycles"), self.headers("operations-grid").index("Layer")
        self.assertEqual([(row[layer], int(row[cycles].replace(",", ""))) for row in rows],
                         [(op["layer"], op["cycles"]) for op in result["ops"]])

    def test_charts_are_drawn_in_both_colours_and_at_both_widths(self):
        self.simulate("resnet18")
        run("report", self.path("out"), "-o", self.path("report.html"))
        for width in [1440, 390]:
            for dark in [False, True]:
                with self.subTest(width=width, dark=dark):
                    self.browser.look(width, 900, dark)
                    self.open()
                    marks = self.drawn()
                    self.assertLessEqual(set(CHARTS), set(marks))
                    for chart in CHARTS:
                        self.assertGreater(marks[chart], 10, chart)
                    self.check_no_overflow()
                    background = self.script("return getComputedStyle(document.body).backgroundColor")
                    self.assertEqual(sum(map(int, re.findall(r"\d+", background))) < 200, dark)
                    self.screenshot(f"run_{width}_{'dark' if dark else 'light'}.png", whole=True)

    def test_the_summary_is_one_screen(self):
        self.simulate("resnet18")
        self.open("out")
        self.assertLessEqual(self.script("return document.querySelector('#summary').getBoundingClientRect().bottom"),
                             900)

    def test_mappings_are_those_of_the_result(self):
        result = self.simulate()
        self.open("out")
        rows, titles = self.cells("mappings-grid"), self.headers("mappings-grid")
        gemms = [op for op in result["ops"] if op["mapping"] is not None]
        self.assertEqual(len(rows), len(gemms))
        for row, op in zip(rows, gemms):
            mapping = op["mapping"]
            for title, key in [("Tile i × j × l", "tile"), ("of", "extent")]:
                self.assertEqual(row[titles.index(title)], " × ".join(str(mapping[key][name]) for name in "ijl"))
            tiles = mapping["tiles"]
            self.assertEqual(int(row[titles.index("Tiles")].replace(",", "")),
                             tiles["batch"] * tiles["i"] * tiles["j"] * tiles["l"])
            self.assertEqual(row[titles.index("Loops")], mapping["order"])
            self.assertEqual(row[titles.index("Buffers")],
                             " ".join(str(mapping["buffers"][name]) for name in ["left", "right", "output"]))

    def test_a_chart_shows_other_rows_and_phases(self):
        result = self.simulate("resnet18")
        self.open("out")
        self.choose("#cycles-chart", "Rows", "layer")
        self.choose("#cycles-chart", "Phase", "dw")
        self.script("document.querySelector('#cycles-chart details').open = true")
        time.sleep(0.1)
        layers = list(dict.fromkeys(op["layer"] for op in result["ops"] if op["phase"] == "dw"))
        self.assertEqual([row[0] for row in self.cells("cycles-chart")], layers)
        self.choose("#roofline-chart", "Memory", "scratchpad")
        self.choose("#roofline-chart", "Machine", "baseline")
        self.assertGreater(self.drawn()["roofline-chart"], 10)
        self.assertEqual(self.browser.messages(), [])

    def test_tables_sort_and_filter(self):
        result = self.simulate("resnet18")
        self.open("out")
        press = """[...document.querySelectorAll("#operations-grid thead button")]
            .find((one) => one.textContent === arguments[0]).click()"""
        column = self.headers("operations-grid").index("Cycles")
        cycles = sorted((op["cycles"] for op in result["ops"]), reverse=True)

        def number(text):
            return int(text.replace(",", ""))

        self.script(press, "Cycles")
        self.assertEqual([number(row[column]) for row in self.cells("operations-grid")], cycles[:25])
        self.assertEqual(self.script("return document.querySelector('#operations-grid th[aria-sort]').ariaSort"),
                         "descending")
        self.script(press, "Cycles")
        self.assertEqual([number(row[column]) for row in self.cells("operations-grid")], cycles[::-1][:25])
        self.script("document.querySelector('#operations-grid .pager button:last-child').click()")
        self.assertEqual([number(row[column]) for row in self.cells("operations-grid")], cycles[::-1][25:50])
        self.choose("#operations-grid", "Phase", "dx")
        self.script("""const search = document.querySelector("#operations-grid-search");
            search.value = "layer4 conv2"; search.dispatchEvent(new Event("input"));""")
        expected = [op for op in result["ops"]
                    if op["phase"] == "dx" and "layer4" in op["layer"] and "conv2" in op["layer"]]
        self.assertEqual(len(self.cells("operations-grid")), len(expected))
        self.assertGreater(len(expected), 0)
        self.assertEqual(self.script("return document.querySelector('#operations-grid [role=status]').textContent"),
                         f"{len(expected)} of {len(result['ops'])} operations")
        self.script("""const search = document.querySelector("#operations-grid-search");
            search.value = "no such layer"; search.dispatchEvent(new Event("input"));""")
        self.assertEqual(self.cells("operations-grid"), [])

    def test_readable_without_a_mouse_and_without_eyes(self):
        self.simulate()
        self.open("out")
        problems = self.script("""
            const problems = [];
            const named = (one) => one.getAttribute("aria-label") || one.textContent.trim();
            for (const one of document.querySelectorAll("button, a, [role=img], [role=region]"))
              if (!named(one)) problems.push(one.outerHTML.slice(0, 80));
            for (const one of document.querySelectorAll("select, input"))
              if (!one.closest("label")) problems.push(one.outerHTML.slice(0, 80));
            for (const one of document.querySelectorAll("table"))
              if (!one.caption || !one.querySelector("th[scope]")) problems.push("table " + one.outerHTML.slice(0, 80));
            for (const tag of ["main", "header", "nav", "footer", "h1"])
              if (document.querySelectorAll(`body ${tag}`).length !== 1) problems.push(tag);
            let level = 1;
            for (const one of document.querySelectorAll("h1, h2, h3")) {
              const own = Number(one.tagName[1]);
              if (own > level + 1) problems.push("heading " + one.textContent);
              level = own;
            }
            const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
            if (new Set(ids).size !== ids.length) problems.push("ids");
            if (!document.documentElement.lang) problems.push("lang");
            for (const one of document.querySelectorAll("figure"))
              if (!one.querySelector("details")) problems.push("figure " + one.id);
            return problems;""")
        self.assertEqual(problems, [])
        # The first press of Tab leads to the link that skips what is the same on every page.
        for kind in ["keyDown", "keyUp"]:
            self.browser.cdp("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        self.assertEqual(self.script("return document.activeElement.className"), "skip")
        self.assertNotEqual(self.script("return getComputedStyle(document.activeElement).outlineStyle"), "none")

    def test_colours_can_be_switched(self):
        self.simulate()
        self.open("out")
        self.script("document.querySelector('.theme').click()")
        self.browser.settle()
        self.assertEqual(self.script("return document.documentElement.dataset.theme"), "dark")
        self.assertGreater(self.drawn()["cycles-chart"], 5)

    def test_prints(self):
        self.simulate("resnet18")
        self.browser.look(dark=True)
        self.open("out")
        pdf = self.browser.pdf()
        self.assertTrue(pdf.startswith(b"%PDF-"))
        self.assertGreaterEqual(len(re.findall(rb"/Type\s*/Page\b", pdf)), 4)
        self.browser.settle()
        self.assertEqual(self.script("return document.documentElement.dataset.theme"), "dark")
        self.assertEqual(self.browser.messages(), [])
        # Heads of tables are printed on every page; Chromium leaves out buttons in them.
        self.browser.cdp("Emulation.setEmulatedMedia", media="print")
        self.assertEqual(self.script("""
            return [...document.querySelectorAll('.grid thead th')].filter((th) =>
                getComputedStyle(th, '::after').content !== JSON.stringify(th.querySelector('button').textContent) ||
                getComputedStyle(th.querySelector('button')).display !== 'none').map((th) => th.textContent)"""), [])
        if SCREENSHOTS:
            os.makedirs(SCREENSHOTS, exist_ok=True)
            with open(os.path.join(SCREENSHOTS, "run.pdf"), "wb") as file:
                file.write(pdf)

    def test_nothing_is_loaded(self):
        self.simulate()
        self.open("out")
        with open(self.path("report.html"), encoding="utf-8") as file:
            page = file.read()
        outside = Outside()
        outside.feed(page)
        self.assertEqual(outside.found, [])
        self.assertIn("default-src 'none'", page)
        self.assertNotIn("unsafe", page[:page.index("<title>")])
        # And the policy holds: what is not part of the page does not run.
        self.assertFalse(self.script("""const script = document.createElement("script");
            script.textContent = "window.broken = true"; document.body.append(script);
            return Boolean(window.broken)"""))
        self.assertIn("Content Security Policy", "".join(self.browser.messages()))

    def test_series_over_time(self):
        result = self.simulate()
        self.open("out")
        self.assertIn("--series", self.script("return document.querySelector('#time').textContent"))
        cycles = result["totals"]["cycles"]
        side = {"bucket_cycles": -(-cycles // 4), "units": {"mac_array": [10, 20, 30, 5], "dram": [1, 2, 3, 4]},
                "dram_bytes_read": [640, 0, 64, 64], "dram_bytes_written": [0, 64, 0, 0], "dram_row_hits": [9, 0, 1, 1],
                "dram_row_misses": [1, 1, 0, 0]}
        side["scratchpad"] = {"capacity_bytes": 1 << 20, "resident_capacity_bytes": 1 << 18,
                              "tile_byte_cycles": [each * side["bucket_cycles"] for each in [0, 1 << 19, 1 << 18, 0]],
                              "resident_byte_cycles": [each * side["bucket_cycles"] for each in [0, 1 << 17, 0, 0]]}
        other = {**side, "bucket_cycles": -(-result["baseline"]["totals"]["cycles"] // 4)}
        result["series"] = {"machine": side, "baseline": other}
        self.write("out/result.json", json.dumps(result))
        self.open("out")
        marks = self.drawn()
        self.assertGreater(marks["units-over-time"], 3)
        self.assertGreater(marks["dram-over-time"], 3)
        note = self.script("return document.querySelector('#dram-over-time .note').textContent")
        self.assertIn(f"{100 * 11 / 13:.0f}% of accesses hit an open row", note)
        self.assertGreater(marks["scratchpad-over-time"], 3)
        self.script("document.querySelector('#scratchpad-over-time details').open = true")
        self.browser.settle()
        rows = self.cells("scratchpad-over-time")
        self.assertEqual([row[1:] for row in rows], [["0 B", "0 B"], ["512 KiB", "128 KiB"], ["256 KiB", "0 B"],
                                                     ["0 B", "0 B"]])
        note = self.script("return document.querySelector('#scratchpad-over-time .note').textContent")
        self.assertIn("1.00 MiB, of which 256 KiB", note)
        self.choose("#units-over-time", "Machine", "baseline")
        self.assertEqual(self.browser.messages(), [])

    def test_runs_side_by_side(self):
        first = self.simulate("resnet18", name="first")
        second = self.simulate("resnet18", name="second", machine="server-int4")
        self.open("first", "second")
        rows = {row[0]: row[1:] for row in self.cells("comparison")}
        milliseconds = [result["totals"]["seconds"] * 1e3 for result in (first, second)]
        change = round(100 * (milliseconds[1] / milliseconds[0] - 1))
        self.assertEqual(rows["time per step"], [f"{milliseconds[0]:.2f} ms", f"{milliseconds[1]:.2f} ms "
                                                 f"{'+' if change > 0 else '−'}{abs(change)}%"])
        self.assertEqual(len(self.cells("comparison-grid")), 25)
        self.screenshot("comparison_1440.png", whole=True)
        speedup = "return Number(document.querySelector('[data-key=speedup]').dataset.value)"
        self.assertEqual(self.script(speedup), first["speedup"])
        self.choose(".sticky", "Run", "1")
        self.assertEqual(self.script(speedup), second["speedup"])
        self.assertGreater(self.drawn()["roofline-chart"], 10)
        self.assertEqual(self.browser.messages(), [])
        self.browser.look(390)
        self.open()
        self.check_no_overflow()

    def test_without_a_baseline_and_with_ideal_memory(self):
        self.simulate("tiny", "--baseline", "none")
        self.open("out")
        self.assertEqual(self.script("return document.querySelectorAll('#waterfall, [data-key=speedup]').length"), 0)
        self.assertGreater(self.drawn()["roofline-chart"], 5)
        self.simulate("tiny", name="ideal", machine="ideal-memory")
        self.open("ideal")
        self.assertGreater(self.drawn()["roofline-chart"], 5)
        self.simulate("tiny", "--phases", "update", name="update")
        self.open("update")
        self.assertEqual(self.script("return document.querySelectorAll('#roofline, #mappings').length"), 0)

    def test_run_writes_a_report_too(self):
        self.simulate("tiny", "--report", self.path("report.html"))
        self.browser.open(self.path("report.html"))
        direct = self.script("return document.body.innerText")
        self.open("out", report="other.html")
        self.assertEqual(self.script("return document.body.innerText"), direct)

    def test_hostile_names_are_text(self):
        run("workload", "tiny", "--batch", "1", "-o", self.path("tiny.trace"))
        with open(self.path("tiny.trace"), encoding="utf-8") as file:
            header, *lines = map(json.loads, file)
        names = {}
        for line in lines:
            for key in ["layer", "group"]:
                if key in line:
                    name = line[key]
                    again = "" if len(names) < len(HOSTILE) else str(len(names))
                    line[key] = names.setdefault(name, HOSTILE[len(names) % len(HOSTILE)] + again)
        header["name"] = HOSTILE[0]
        self.write("evil.trace", "".join(json.dumps(line) + "\n" for line in [header, *lines]))
        result = self.simulate(self.path("evil.trace"))
        used = {op["layer"] for op in result["ops"]}
        self.assertGreaterEqual(len(used & set(HOSTILE)), 5)
        for width in [1440, 390]:
            self.browser.look(width)
            self.open("out")
            self.assertIsNone(self.script("return window.broken ?? null"))
            self.assertEqual(self.script("return document.querySelectorAll('main img, main script, main b').length"), 0)
            self.check_no_overflow()
            self.assertEqual(self.script("return document.querySelector('h1').textContent"), HOSTILE[0])
            self.choose("#cycles-chart", "Rows", "layer")
            self.choose("#operations-grid", "Rows", "1000")
            column = self.headers("operations-grid").index("Layer")
            cells = {row[column] for row in self.cells("operations-grid")}
            self.assertEqual(len(cells), len(used))
            if HOSTILE[1] in used:
                self.assertIn(HOSTILE[1], cells)
            for cell in cells:
                self.assertLessEqual(len(cell), 200)
                self.assertNotRegex(cell, "[\u0000-\u001f\u202a-\u202e\u2028\u2029]")
            self.screenshot(f"hostile_{width}.png", whole=True)
        self.assertGreater(self.drawn()["cycles-chart"], 10)
        self.assertEqual(self.browser.messages(), [])

    def test_a_large_step_opens_at_once(self):
        self.simulate("resnet50", "--series")
        run("report", self.path("out"), "-o", self.path("report.html"))
        self.assertLess(os.path.getsize(self.path("report.html")), 5_000_000)
        seconds = self.browser.seconds_to_open(self.path("report.html"))
        self.assertGreater(seconds, 0)
        self.assertLess(seconds, 2)
        self.assertEqual(self.browser.messages(), [])

    def test_ten_thousand_operations_stay_quick(self):
        result = self.simulate()
        copies = 10_000 // len(result["ops"]) + 1
        part = result["ops"]
        result["ops"] = [dict(op, index=i * len(part) + op["index"], layer=f"{i}.{op['layer']}")
                         for i in range(copies) for op in part]
        scale(result, copies)
        self.write("out/result.json", json.dumps(result))
        self.open("out")
        milliseconds = self.script("""const begin = performance.now();
            [...document.querySelectorAll("#operations-grid thead button")]
              .find((one) => one.textContent === "Energy").click();
            const search = document.querySelector("#operations-grid-search");
            search.value = "77."; search.dispatchEvent(new Event("input"));
            document.querySelector("#operations-grid tbody").getBoundingClientRect();
            return performance.now() - begin;""")
        self.assertLess(milliseconds, 1500)
        self.assertGreater(len(self.cells("operations-grid")), 0)

    def front(self, *flags):
        """Designs that nibblesim pareto has on the front."""
        fronts = json.loads(run("pareto", self.path("study"), *flags, "--json")[0])["fronts"]
        return [row["design"] for row in fronts[0]["front"]]

    def test_studies(self):
        values = [(rows, channels) for rows in [16, 32, 64] for channels in [1, 2]]
        points = [{"design": i, "machine": "edge", "workload": "net",
                   "values": {"mac_array.rows": str(rows), "dram.channels": str(channels)},
                   "status": "ok", "fidelity": "composed", "key": "k", "reason": "",
                   "metrics": {"energy_pj": 1e9 * (rows + 5 * channels), "cycles": 1e8 / rows + 1e6 / channels,
                               "speedup": rows / 16}}
                  for i, (rows, channels) in enumerate(values)]
        points.append({"design": 6, "machine": "edge", "workload": "net",
                       "values": {"mac_array.rows": "0", "dram.channels": "1"},
                       "status": "invalid", "fidelity": None, "key": "", "reason": HOSTILE[1],
                       "metrics": {"energy_pj": None, "cycles": None, "speedup": None}})
        os.mkdir(self.path("study"))
        document = {"schema": "nibblesim-points-1", "study": HOSTILE[0], "axes": ["mac_array.rows", "dram.channels"],
                    "metrics": ["energy_pj", "cycles", "speedup"],
                    "objectives": [{"metric": "energy_pj", "maximize": False}, {"metric": "cycles", "maximize": False}],
                    "points": points}
        self.write("study/points.json", json.dumps(document))
        self.open("study")
        self.assertIsNone(self.script("return window.broken ?? null"))
        marks = self.drawn()
        for chart in ["front-chart", "parallel-chart", "sensitivity-chart"]:
            self.assertGreater(marks[chart], 5, chart)
        self.script("document.querySelector('#front-chart details').open = true")
        time.sleep(0.1)
        self.assertEqual([int(row[0]) for row in self.cells("front-chart")], self.front())
        self.assertEqual(len(self.cells("points-grid")), 7)
        self.screenshot("study_1440.png", whole=True)
        # Across speed-up, of which more is better.
        self.choose("#front-chart", "Across", "speedup")
        self.choose("#front-chart", "Up", "energy_pj")
        self.assertEqual([int(row[0]) for row in self.cells("front-chart")],
                         self.front("--x", "speedup:max", "--y", "energy_pj"))
        self.browser.look(390, dark=True)
        self.open()
        self.check_no_overflow()
        self.screenshot("study_390.png", whole=True)
        self.write("study/points.json", json.dumps({**document, "points": []}))
        self.open("study")

    def test_bad_input(self):
        def refused(*arguments):
            out, errors = run("report", *arguments, expect=2)
            self.assertEqual(out, "")
            return errors

        self.simulate()
        self.assertIn("nowhere", refused(self.path("nowhere"), "-o", self.path("r.html")))
        self.assertIn("no such directory", refused(self.path("out"), "-o", self.path("none/r.html")))
        self.assertIn("--output is required", refused(self.path("out")))
        os.mkdir(self.path("study"))
        self.write("study/points.json", json.dumps({"schema": "nibblesim-points-1"}))
        self.assertIn("'study' is missing", refused(self.path("study"), "-o", self.path("r.html")))
        self.assertIn("a study has a page of its own",
                      refused(self.path("out"), self.path("study"), "-o", self.path("r.html")))
        self.write("out/result.json", "{}")
        self.assertIn("'schema' is missing", refused(self.path("out"), "-o", self.path("r.html")))
        self.assertFalse(os.path.exists(self.path("r.html")))
        _, errors = run("run", "tiny", "--machine", "edge-int4", "--report", self.path("none/r.html"), expect=2)
        self.assertIn("none", errors)


def scale(result, times):
    """Makes the totals those of a step that is `times` as long."""
    for side in [result, result["baseline"]]:
        for part in [side["totals"], *(result["phases"] + result["groups"] if side is result else [])]:
            for key in ["operations", "cycles", "seconds", "energy_pj", "macs"]:
                part[key] *= times
            part["causes"] = {name: times * cycles for name, cycles in part["causes"].items()}
        energy = side["totals"]["energy"]
        energy["by_component"] = {name: times * amount for name, amount in energy["by_component"].items()}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        SCREENSHOTS = os.path.abspath(sys.argv.pop(2))
    if (why := browser.missing()) is not None:
        print(f"skipped: {why}")
        sys.exit(77)
    smoke.main()
