# SPDX-License-Identifier: MIT
"""Every command does what its help says, on terminals and in pipes."""

import json
import os

import smoke
from smoke import run

WORKLOADS = ["alexnet", "bert-base", "gpt2-small", "lstm-ptb", "mobilenet_v2", "resnet18", "resnet50", "tiny",
             "transformer-base", "vgg16"]
RECIPES = ["fp16", "hfp8", "int4-fp4", "int4-fp4-dw8", "int4-fp4-1x1-fp8", "int4-fp8", "int4-fp16",
           "as-recorded"]
PRESETS = ["edge-int4", "server-int4", "ideal-memory"]


class CommandLine(smoke.Case):
    def test_help_and_version(self):
        self.assertIn("run", run("--help")[0])
        for command in ["run", "info", "workload", "memtest", "list"]:
            self.assertIn("--help", run(command, "--help")[0])
        self.assertRegex(run("--version")[0], r"^nibblesim \d+\.\d+\.\d+\n$")

    def test_list(self):
        text, errors = run("list")
        self.assertEqual(errors, "")
        listed = json.loads(run("list", "--json")[0])
        self.assertEqual(listed["recipes"], RECIPES)
        for name in WORKLOADS:
            self.assertIn(name, listed["workloads"])
        for name in PRESETS:
            self.assertIn(name, listed["presets"])
        for name in WORKLOADS + RECIPES + PRESETS:
            self.assertIn(name, text)

    def test_workload_writes_a_trace_that_runs(self):
        trace = self.path("tiny.trace")
        self.assertEqual(run("workload", "tiny", "--batch", 4, "-o", trace), ("", ""))
        self.assertEqual(os.listdir(self.directory), ["tiny.trace"])
        written = json.loads(run("workload", "tiny", "--batch", 4, "-o", trace, "--json")[0])
        self.assertEqual({**written, "unrecognised": []}, json.loads(run("info", trace, "--json")[0]))
        from_trace = json.loads(run("run", trace, "--machine", "edge-int4", "--json")[0])
        from_name = json.loads(run("run", "tiny", "--batch", 4, "--machine", "edge-int4", "--json")[0])
        self.assertEqual(from_trace["totals"], from_name["totals"])
        self.assertEqual(from_trace["ops"], from_name["ops"])

    def test_info_of_a_workload(self):
        info = json.loads(run("info", "resnet18", "--batch", 2, "--json")[0])
        # 1.81 GMAC an image (published); every layer but the first has an input gradient.
        self.assertEqual(info["macs_per_sample"]["forward"], 1814073344)
        self.assertEqual(info["macs"]["forward"], 2 * 1814073344)
        self.assertEqual(info["macs"]["dw"], info["macs"]["forward"])
        self.assertEqual(info["macs"]["forward"] - info["macs"]["dx"], 2 * 118013952)  # 112 x 112 x 64 x 147
        self.assertEqual(sum(info["operations_by_phase"].values()), info["operations"])
        self.assertIn("1.81 G", run("info", "resnet18")[0])

    def test_info_of_a_trace(self):
        trace = self.path("tiny.trace")
        run("workload", "tiny", "--batch", 4, "-o", trace)
        self.assertEqual(json.loads(run("info", trace, "--json")[0]),
                         json.loads(run("info", "tiny", "--batch", 4, "--json")[0]))

    def test_info_of_a_machine(self):
        for preset in PRESETS:
            info = json.loads(run("info", preset, "--json")[0])
            self.assertEqual(info["kind"], "machine")
            self.assertGreater(info["modes"]["int4_fp4"]["macs_per_second"], info["modes"]["fp16"]["macs_per_second"])
            self.assertAlmostEqual(sum(info["area"]["by_unit_um2"].values()), info["area"]["total_um2"], places=3)
            self.assertIn(preset, run("info", preset)[0])

    def test_pipes_get_no_colour_and_no_progress(self):
        environment = dict(os.environ, TERM="xterm", LANG="C.UTF-8")
        for arguments in [("run", "tiny", "--machine", "edge-int4"), ("info", "tiny"), ("info", "edge-int4"), ("list",)]:
            text, errors = run(*arguments, env=environment)
            self.assertNotIn("\x1b", text)
            self.assertEqual(errors, "")
            self.assertEqual([line for line in text.splitlines() if len(line) > 100], [])

    def test_quiet(self):
        self.assertEqual(run("run", "tiny", "--machine", "edge-int4", "--quiet"), ("", ""))

    def test_suggestions(self):
        for arguments, hint in [(("runn", "tiny"), "did you mean 'run'?"),
                                (("run", "tiny", "--machin", "edge-int4"), "did you mean '--machine'?"),
                                (("run", "tiny", "--machine", "edge-int4", "--recip", "fp16"), "did you mean '--recipe'?"),
                                (("run", "tiny", "--machine", "edge-in4"), "did you mean 'edge-int4'?"),
                                (("run", "tinny", "--machine", "edge-int4"), "did you mean 'tiny'?"),
                                (("run", "tiny", "--machine", "edge-int4", "--recipe", "int4-fp44"),
                                 "did you mean 'int4-fp4'?"),
                                (("run", "tiny", "--machine", "edge-int4", "--baseline", "iso-mac-aria"),
                                 "did you mean 'iso-mac-area'?"),
                                (("run", "tiny", "--machine", "edge-int4", "--phases", "forwad"),
                                 "did you mean 'forward'?"),
                                (("info", "resnet81"), "did you mean 'resnet18'?")]:
            with self.subTest(arguments):
                text, errors = run(*arguments, expect=2)
                self.assertEqual(text, "")
                self.assertIn(hint, errors)
                self.assertEqual(len(errors.splitlines()), 1, errors)

    def test_wrong_usage(self):
        for arguments in [(), ("run",), ("run", "tiny"), ("run", "tiny", "--machine"),
                          ("run", "tiny", "--machine", "edge-int4", "--batch", "0"),
                          ("run", "tiny", "--machine", "edge-int4", "--batch", "many"),
                          ("run", "tiny", "--machine", "edge-int4", "--clock", "fast"),
                          ("run", "tiny", "tiny", "--machine", "edge-int4"),
                          ("workload", "tiny")]:
            with self.subTest(arguments):
                text, errors = run(*arguments, expect=2)
                self.assertEqual(text, "")
                self.assertEqual(len(errors.splitlines()), 1, errors)


if __name__ == "__main__":
    smoke.main()
