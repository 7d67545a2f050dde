# SPDX-License-Identifier: MIT
"""The studies of studies/*.yaml are accepted and as large as they say; shards make the table of the whole."""

import glob
import json
import os
import re
import shutil
import unittest

import documents
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


class Shards(smoke.Case):
    @unittest.skipUnless(shutil.which("parallel"), "GNU parallel is not installed")
    def test_of_the_guide_make_the_same_table(self):
        workplace = documents.Workplace(self.directory, smoke.PROGRAM)
        page = documents.blocks("docs/exploring.md")
        workplace.write(next(block for block in page if block.file == "first.yaml"))
        whole = self.path("whole")
        smoke.run("sweep", self.path("first.yaml"), "--out", whole, "--quiet")
        scripts = [block.text for block in page if block.language == "sh" and "| parallel" in block.text]
        self.assertEqual(len(scripts), 2)
        for script in scripts:
            self.assertEqual(workplace.shell(script)[0], 0)
            for table in ("points.csv", "points.json"):
                with open(os.path.join(whole, table), "rb") as one, open(self.path("out/" + table), "rb") as other:
                    self.assertEqual(one.read(), other.read())
            shutil.rmtree(self.path("out"))


if __name__ == "__main__":
    smoke.main()
