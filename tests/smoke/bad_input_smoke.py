# SPDX-License-Identifier: MIT
"""Bad input: exit code 2, one line a problem on standard error, nothing on standard output, nothing written."""

import os

import smoke
from smoke import run


class BadInput(smoke.Case):
    def refused(self, *arguments, problems=1):
        """What the program says; a run that is refused must not even make the output directory."""
        out = self.path("out")
        if arguments[0] == "run":
            arguments = (*arguments, "--out", out)
        before = sorted(os.listdir(self.directory))
        text, errors = run(*arguments, expect=2)
        self.assertEqual(text, "")
        self.assertEqual(len(errors.splitlines()), problems, errors)
        self.assertEqual(sorted(os.listdir(self.directory)), before)
        return errors

    def machine(self, change):
        run("run", "tiny", "--machine", "edge-int4", "--baseline", "none", "--quiet", "--out", self.path("good"))
        with open(self.path("good/machine.yaml"), encoding="utf-8") as file:
            return self.write("machine.yaml", change(file.read()))

    def trace(self, change=lambda lines: lines):
        run("workload", "tiny", "--batch", 2, "-o", self.path("good.trace"))
        with open(self.path("good.trace"), encoding="utf-8") as file:
            return self.write("bad.trace", "".join(change(file.readlines())))

    def test_misspelt_key(self):
        path = self.machine(lambda text: text.replace("\nclock_period_ps:", "\nclok_period_ps:"))
        errors = self.refused("run", "tiny", "--machine", path)
        self.assertIn(f"{path}:", errors)
        self.assertIn("clok_period_ps", errors)
        self.assertIn("did you mean 'clock_period_ps'?", errors)

    def test_duplicate_key(self):
        path = self.machine(lambda text: text + "\nname: twice\n")
        self.assertIn("name", self.refused("run", "tiny", "--machine", path))

    def test_missing_files(self):
        missing = self.path("missing")
        self.assertIn(missing, self.refused("run", missing, "--machine", "edge-int4"))
        self.assertIn(missing, self.refused("run", "tiny", "--machine", missing + ".yaml"))
        self.assertIn(missing, self.refused("info", missing))

    def test_directories(self):
        self.assertIn("directory", self.refused("run", self.directory, "--machine", "edge-int4"))
        self.assertIn("directory", self.refused("run", "tiny", "--machine", self.directory + "/"))
        self.assertIn("directory", self.refused("info", self.directory + "/"))

    def test_devices(self):
        self.assertIn("regular file", self.refused("run", "/dev/zero", "--machine", "edge-int4"))
        self.assertIn("regular file", self.refused("info", "/dev/null"))

    def test_empty_files(self):
        self.refused("run", self.write("empty.trace", ""), "--machine", "edge-int4")
        self.refused("run", "tiny", "--machine", self.write("empty.yaml", ""))

    def test_truncated_trace(self):
        self.refused("run", self.trace(lambda lines: lines[:-1]), "--machine", "edge-int4")
        self.refused("run", self.trace(lambda lines: lines[:-2] + [lines[-2][:10]]), "--machine", "edge-int4")

    def test_zeros(self):
        path = self.path("zeros.trace")
        with open(path, "wb") as file:
            file.truncate(4 << 30)  # takes no space on disk
        self.refused("run", path, "--machine", "edge-int4")
        self.refused("info", path)
        self.refused("run", "tiny", "--machine", self.write("zeros.yaml", "\0" * 1000))

    def test_batch_is_not_for_traces(self):
        self.assertIn("--batch", self.refused("run", self.trace(), "--batch", 4, "--machine", "edge-int4"))

    def test_recorded_values(self):
        def name_values(lines):
            weight = next(i for i, line in enumerate(lines) if '"role":"weight"' in line)
            lines[weight] = lines[weight].replace('"role"', '"values":"weight.npy","role"')
            return lines

        path = self.trace(name_values)
        errors = self.refused("run", path, "--values", "--machine", "edge-int4")
        self.assertIn(self.path("weight.npy"), errors)
        self.assertIn(path, errors)
        self.write("weight.npy", "not an array")
        self.assertIn("NUMPY", self.refused("run", path, "--values", "--machine", "edge-int4"))
        run("run", path, "--machine", "edge-int4", "--quiet")  # only shapes: nobody reads the file

    def test_nothing_selected(self):
        self.assertIn("--layers", self.refused("run", "tiny", "--machine", "edge-int4", "--layers", "nothing*"))

    def test_output_in_the_way(self):
        file = self.write("file", "precious")
        for out in [file, file + "/below"]:
            text, errors = run("run", "tiny", "--machine", "edge-int4", "--out", out, expect=2)
            self.assertEqual((text, len(errors.splitlines())), ("", 1), errors)
        run("workload", "tiny", "-o", self.directory, expect=2)
        run("workload", "tiny", "-o", self.path("no/such/directory/x"), expect=2)
        with open(file, encoding="utf-8") as precious:
            self.assertEqual(precious.read(), "precious")

    def test_full_disk(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            for arguments in [("run", "tiny", "--machine", "edge-int4", "--json"), ("list",)]:
                done = smoke.subprocess.run([smoke.PROGRAM, *arguments], stdout=full, stderr=smoke.subprocess.PIPE,
                                            text=True, timeout=120)
                self.assertEqual(done.returncode, 2)
                self.assertIn("standard output", done.stderr)


if __name__ == "__main__":
    smoke.main()
