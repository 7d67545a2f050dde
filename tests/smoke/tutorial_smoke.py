# SPDX-License-Identifier: MIT
"""Does what traces/TUTORIAL.md says, word for word: skipped where PyTorch is not installed (exit code 77)."""

import os
import re
import shlex
import subprocess
import sys

SKIPPED = 77
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

try:
    import torch  # noqa: F401
    import torchvision  # noqa: F401
except ImportError:
    distribution = "/usr/bin/python3"
    if sys.executable != distribution and os.path.exists(distribution):
        os.execv(distribution, [distribution, *sys.argv])
    print("skipped: PyTorch is not installed")
    sys.exit(SKIPPED)

import smoke


def blocks(language):
    with open(os.path.join(ROOT, "traces", "TUTORIAL.md"), encoding="utf-8") as file:
        every = re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    return [text for of, text in every if of == language]


class Tutorial(smoke.Case):
    def test_every_step(self):
        # Both recordings in one script: the second one continues the first.
        script = self.write("train.py", "\n".join(blocks("python")))
        subprocess.run([sys.executable, script], cwd=self.directory, check=True, timeout=300,
                       env={**os.environ, "PYTHONPATH": os.path.join(ROOT, "scripts")})
        commands = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()
                    if line.startswith("nibblesim ")]
        self.assertEqual([command[1] for command in commands], ["info", "run", "run"])
        shown = blocks("")
        for command, block in zip(commands, shown):
            said, _ = smoke.run(*command[1:], cwd=self.directory)
            with self.subTest(command=command):
                lines = said.splitlines()
                headings = [line for line in block.splitlines() if re.match(r"  [a-z-]+ .*  \w+$", line) or
                            re.match(r"[A-Z]", line)]
                self.assertTrue(headings)
                for line in headings:
                    self.assertIn(line, lines)
                if command[1] == "info":  # shapes decide it: nothing in it may change
                    for line in block.splitlines()[1:]:
                        self.assertIn(line, lines)


if __name__ == "__main__":
    smoke.main()
