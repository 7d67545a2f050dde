# SPDX-License-Identifier: MIT
"""Reads the repository's Markdown and does what it says, in a directory of its own.

What a fenced block is, its language says:

    console   commands after `$ `, each followed by what it prints; a line `...` stands for any number of lines
    sh        commands, one a line; a block with a loop or a continued line is one command
    pycon     a Python session, compared as doctest does
    text      output or a synopsis: nothing to run

Blocks of other languages are for reading, unless `<!-- file: NAME -->` stands above: then they are written to that file
(`<!-- append: NAME -->`: added to it) when their turn comes.
"""

import glob
import os
import re
import shlex
import shutil
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LANGUAGES = {"console", "sh", "pycon", "text", "yaml", "json", "python", "cpp", "csv"}
# What commands find in the directory they run in, as in the repository's root.
LINKED = ["docs", "models", "python", "report", "scripts", "studies", "tests", "traces", "workloads"]

BLOCK = re.compile(r"(?:^<!-- (file|append): (\S+) -->\n\n?)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documents():
    """Every page, relative to the root."""
    pages = [os.path.relpath(path, ROOT) for pattern in ("*.md", "docs/**/*.md", "traces/*.md", "workloads/*.md",
                                                         "models/**/*.md")
             for path in glob.glob(os.path.join(ROOT, pattern), recursive=True)]
    return sorted(set(pages))


class Block:
    """One fenced block; `text` is without the fences, `start` its offset in the page."""

    def __init__(self, match):
        self.role, self.file, self.language, self.text = match.groups()
        self.start = match.start(4)

    def commands(self):
        """(command, shown output or None, offset of the output in `text`)"""
        if self.language == "console":
            return [(re.sub(r"\\\n", "", match[1]), match[2], match.start(2))
                    for match in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", self.text, re.MULTILINE)]
        if self.language != "sh":
            return []
        if re.search(r"\\$|^(?:until|for|while|if)\b", self.text, re.MULTILINE):
            return [(self.text.strip(), None, 0)]
        lines = [re.sub(r"\s{2,}# .*", "", line).strip() for line in self.text.splitlines()]
        return [(line, None, 0) for line in lines if line and not line.startswith("#")]


def read(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def blocks(page):
    return [Block(match) for match in BLOCK.finditer(read(page))]


# ---- doing it


class Workplace:
    """A directory as the repository's root would be after a build, in which commands run as in a shell there."""

    def __init__(self, directory, program, module_directory=None):
        self.directory = directory
        for name in LINKED:
            os.symlink(os.path.join(ROOT, name), os.path.join(directory, name))
        os.mkdir(os.path.join(directory, "bin"))
        os.symlink(program, os.path.join(directory, "bin", "nibblesim"))
        self.python = next((python for python in ("/usr/bin/python3", shutil.which("python3"))
                            if python and imports(python, "numpy")), shutil.which("python3"))
        os.symlink(self.python, os.path.join(directory, "bin", "python3"))
        self.environment = {**os.environ, "PATH": os.path.join(directory, "bin") + os.pathsep + os.environ["PATH"],
                            "MPLBACKEND": "Agg"}
        if module_directory:
            self.environment["PYTHONPATH"] = module_directory

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, block):
        with open(self.path(block.file), "w" if block.role == "file" else "a", encoding="utf-8") as file:
            file.write(block.text if block.role == "file" else "\n" + block.text)

    def shell(self, command, seconds=300):
        """Exit code, and everything said."""
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", command], cwd=self.directory,
                              env=self.environment, text=True, errors="replace", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
        return done.returncode, done.stdout

    def imports(self, module):
        return imports(self.python, module, self.environment)

    def session(self, text):
        """What is wrong with a Python session, or nothing."""
        script = ("import doctest, sys\n"
                  "test = doctest.DocTestParser().get_doctest(sys.stdin.read(), {}, 'session', None, 0)\n"
                  "sys.exit(doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test).failed)\n")
        done = subprocess.run([self.python, "-c", script], input=text, cwd=self.directory, env=self.environment,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        return done.stdout if done.returncode else ""


def imports(python, module, environment=None):
    return subprocess.run([python, "-c", f"import {module}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=environment, timeout=120).returncode == 0


# ---- comparing

ELISION = re.compile(r"^ *\.\.\. *\n", re.MULTILINE)


def expected_code(shown):
    return 2 if shown and "nibblesim: error:" in shown else 0


def matches(shown, said, numbers=True):
    if not numbers:
        shown, said = ("".join(words(line) + "\n" for line in text.splitlines()) for text in (shown, said))
    parts = [re.escape(part) for part in ELISION.split(shown)]
    return re.fullmatch(r"(?s:.*)".join(parts), said) is not None


def words(line):
    """A line without its numbers and what depends on them: widths and bars."""
    return re.sub(r"[ #-]+", " ", re.sub(r"[-+]?\d[\d.,]*", "0", line)).strip()


def restated(shown, said):
    """`shown` with the lines of `said` in place of those that have the same words; None where one has none."""
    if not ELISION.search(shown):
        return said
    lines, at, out = said.splitlines(keepends=True), 0, []
    for line in shown.splitlines(keepends=True):
        if ELISION.fullmatch(line):
            out.append(line)
            continue
        found = next((i for i in range(at, len(lines)) if words(lines[i]) == words(line)), None)
        if found is None:
            return None
        out.append(lines[found])
        at = found + 1
    return "".join(out)


# ---- commands that are not run here are looked at


def wrong_with(command, workplace):
    """What is wrong with a command that is not executed: its script or a flag does not exist. Empty: nothing is."""
    try:
        arguments = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    except ValueError as error:
        return f"{command}: {error}"
    if not arguments or not (arguments[0].startswith("scripts/") or arguments[0] == "nibblesim"):
        return ""
    if arguments[0] != "nibblesim":
        if not os.access(workplace.path(arguments[0]), os.X_OK):
            return f"{arguments[0]} cannot be executed"
        text = read(arguments[0])
        if not text.startswith("#!/usr/bin/env python3"):  # a shell script: its flags stand in it
            known = text
        else:
            known = workplace.shell(f"{arguments[0]} --help")[1]
    else:
        code, known = workplace.shell(f"nibblesim {arguments[1]} --help")
        if code:
            return f"there is no nibblesim {arguments[1]}"
    flags = [word.split("=")[0] for word in arguments if word.startswith("--")]
    missing = [flag for flag in flags if not re.search(re.escape(flag) + r"(?![\w-])", known)]
    return f"{command}: {', '.join(missing)} unknown to --help" if missing else ""
