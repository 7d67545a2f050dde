# SPDX-License-Identifier: MIT
"""The studies of studies/*.yaml are accepted and as large as they say; what docs/exploring.md shows is what happens."""

import glob
import json
import os
import re
import shutil
import subprocess
import unittest

import smoke

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
STUDIES = sorted(glob.glob(os.path.join(ROOT, "studies", "*.yaml")))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Studies(smoke.Case):
    def test_are_as_large_as_they_say(self):
        self.assertTrue(STUDIES)
        for path in STUDIES:
            with self.subTest(study=os.path.basename(path)):
                text = read(path)
                said, _ = smoke.run("sweep", path, "--out", self.path("out"), "--status", "--json")
                runs = re.search(r"^#.* (\d+) runs, about \d+ (?:seconds|minutes?) on two", text, re.MULTILINE)
                if runs:
                    self.assertEqual(json.loads(said)["jobs_left"], int(runs[1]))
                else:
                    searched = re.search(r"^#.* (\d+) designs searched, (\d+) confirmed, about \d+ minutes? on two",
                                         text, re.MULTILINE)
                    self.assertIn(f"designs: {searched[1]},", text)
                    self.assertIn(f"confirm: {searched[2]}\n", text)
                self.assertFalse(os.path.exists(self.path("out")))

    def test_all_have_a_picture_and_a_finding(self):
        names = [os.path.basename(path).removesuffix(".yaml") for path in STUDIES]
        script = re.search(r"^all=\((.*)\)$", read("scripts", "studies.sh"), re.MULTILINE)[1].split()
        self.assertEqual(sorted(script), names)
        page = read("docs", "studies.md")
        for name in names:
            self.assertIn(f"(studies/{name}.svg)", page)
            self.assertIn(f"scripts/studies.sh {name}\n", page)
            self.assertTrue(os.path.exists(os.path.join(ROOT, "docs", "studies", f"{name}.svg")))


class Guide(smoke.Case):
    """The page's files are written, its commands run in their order, and their output compared."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        os.symlink(smoke.PROGRAM, self.path("bin/nibblesim"))
        self.environment = {**os.environ, "PATH": self.path("bin") + os.pathsep + os.environ["PATH"]}
        self.blocks = re.findall(r"^```(\w*)\n(.*?)^```$", read("docs", "exploring.md"), re.MULTILINE | re.DOTALL)
        for language, text in self.blocks:
            name = re.match(r"name: (\w+)\n", text)
            if language == "yaml" and name:
                self.write(name[1] + ".yaml", text)

    def shell(self, command):
        return subprocess.run(command, shell=True, cwd=self.directory, env=self.environment, check=True, text=True,
                              stdout=subprocess.PIPE, timeout=240).stdout

    def matches(self, shown, said):
        """`...` on a line of its own stands for any number of lines. Numbers are those of a model that goes on
        changing, and so is what depends on them, widths and bars: only words are compared."""
        def words(text):
            return re.sub(r"[ #]+", " ", re.sub(r"[-+]?\d[\d.,]*", "0", text))
        parts = [re.escape(words(part)) for part in re.split(r"^ *\.\.\.\n", shown, flags=re.MULTILINE)]
        self.assertRegex(words(said), r"\A" + "(?s:.*)".join(parts) + r"\Z")

    def test_commands_do_what_is_shown(self):
        commands = 0
        for language, text in self.blocks:
            if language or not text.startswith("$ "):
                continue
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
                with self.subTest(command=command):
                    self.matches(shown, self.shell(command))
                    commands += 1
        self.assertEqual(commands, 5)

    @unittest.skipUnless(shutil.which("parallel"), "GNU parallel is not installed")
    def test_shards_by_gnu_parallel_make_the_same_table(self):
        shutil.copy(self.path("first.yaml"), self.path("study.yaml"))
        whole = self.path("whole")
        smoke.run("sweep", self.path("study.yaml"), "--out", whole, "--quiet")
        scripts = [text for language, text in self.blocks if not language and "| parallel" in text]
        self.assertEqual(len(scripts), 2)
        for script in scripts:
            self.shell("set -e\n" + script)
            for table in ("points.csv", "points.json"):
                with open(os.path.join(whole, table), "rb") as one, open(self.path("out/" + table), "rb") as other:
                    self.assertEqual(one.read(), other.read())
            shutil.rmtree(self.path("out"))


if __name__ == "__main__":
    smoke.main()
