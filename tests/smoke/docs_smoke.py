# SPDX-License-Identifier: MIT
"""Every command that the documentation shows is run, and prints what is shown.

    docs_smoke.py PROGRAM PAGE [MODULE_DIRECTORY]     does what a page says
    docs_smoke.py PROGRAM --pages                     what concerns all pages: links, languages, options, exceptions
    docs_smoke.py PROGRAM PAGE --restate              writes into the page what its commands print now
"""

import fnmatch
import os
import re
import shlex
import subprocess
import sys
import tempfile

import documents
from documents import ROOT

SKIPPED = 77
DATA = os.path.join(ROOT, "..", "shared", "data")

# Commands that are not run, and why. Their scripts and flags must exist all the same.
EXCUSED = [
    # page, pattern of the command, reason
    ("*", "scripts/demo.sh*", "installs and builds; the run that it ends with is the next block of README.md"),
    ("*", "scripts/test.sh*", "builds, and runs this test among all"),
    ("*", "scripts/install_dependencies.sh*", "installs packages"),
    ("CONTRIBUTING.md", "python3 tests/smoke/docs_smoke.py*", "this script, which would change its page"),
    ("*", "cmake --preset*", "builds the program"),
    ("*", "cmake --install*", "installs; smoke/package does, elsewhere"),
    ("README.md", "cpack *", "smoke/package makes the package"),
    ("README.md", "sudo apt install *", "installs"),
    ("*", "ctest *", "runs other tests; that its patterns find some is checked"),
    ("README.md", "cmake -S python -B build/python*", "compiles for minutes; the module of this build is tried instead"),
    ("README.md", "PYTHONPATH=build/python python3", "opens the session that follows, which is run"),
    ("README.md", "nibblesim sweep studies/phone.yaml*", "a study of minutes"),
    ("README.md", "nibblesim pareto phone", "shows that study"),
    ("README.md", "nibblesim report STUDY*", "STUDY stands for any"),
    ("*", "scripts/train.py --task [cmd]*", "trains for minutes"),
    ("docs/replay.md", "nibblesim run recording/*", "needs that training; smoke/training_replay does it, shortened"),
    ("docs/training.md", "scripts/train_table.py*", "trains for hours"),
    ("docs/training.md", "scripts/download_data.py*", "needs a network"),
    ("docs/exploring.md", "*--launcher slurm*", "needs Slurm; smoke/slurm starts its daemons where they are"),
    ("docs/studies.md", "scripts/studies.sh*", "studies of minutes"),
    ("models/dram/README.md", "build/release/tests/*", "a test of its own"),
]

# What a command needs that not every computer has: a Python module, a program, or a file of the data beside the
# checkout, which is then found under its name. Where it is missing, the command is not run.
NEEDS = [
    ("README.md", "nibblesim import resnet_1gpu_et.json.gz*", "data:pytorch-et/resnet_1gpu_et.json.gz"),
    ("README.md", "nibblesim memtest two_streams*", "data:dram/two_streams.trace.gz"),
    ("models/dram/README.md", "nibblesim memtest seq_read*", "data:dram/seq_read.trace.gz"),
    ("README.md", "scripts/nibblesim_results.py*", "python:matplotlib"),
    ("README.md", "scripts/nibblesim_results.py*", "python:pandas"),
    ("docs/training.md", "scripts/train.py*--data sample", "python:torch"),
    ("docs/exploring.md", "*parallel*", "program:parallel"),
    ("traces/TUTORIAL.md", "*", "python:torchvision"),
]

# Where numbers are not nibblesim's, only words are compared.
OTHER_NUMBERS = [
    ("traces/TUTORIAL.md", "nibblesim run values.trace*", "PyTorch's activations depend on its version and threads"),
]

MOST_SECONDS = 120  # of a command


def rows(table, page, command):
    return [row for row in table if fnmatch.fnmatchcase(page, row[0]) and fnmatch.fnmatchcase(command, row[1])]


class Page:
    """Does what a page says, block by block, in one directory."""

    def __init__(self, page, directory, program, module_directory):
        self.page = page
        self.place = documents.Workplace(directory, program, module_directory)
        self.problems, self.edits, self.ran, self.left_out = [], [], 0, []

    def problem(self, command, what):
        self.problems.append(f"$ {command}\n{what}")

    def missing(self, command):
        """What this computer does not have of what a command needs; what is there is put in place."""
        for _, _, need in rows(NEEDS, self.page, command):
            kind, name = need.split(":", 1)
            if kind == "data":
                there, link = os.path.join(DATA, name), self.place.path(os.path.basename(name))
                if not os.path.exists(there):
                    return need
                if not os.path.lexists(link):
                    os.symlink(os.path.realpath(there), link)
            elif kind == "python" and not self.place.imports(name):
                return need
            elif kind == "program" and self.place.shell(f"command -v {name}")[0]:
                return need
        return None

    def command(self, block, command, shown, offset):
        if rows(EXCUSED, self.page, command):
            if wrong := documents.wrong_with(command, self.place):
                self.problem(command, wrong)
            return
        if lacking := self.missing(command):
            self.left_out.append((command, lacking))
            return
        self.ran += 1
        try:
            code, said = self.place.shell(command, MOST_SECONDS)
        except subprocess.TimeoutExpired:
            self.problem(command, f"not done after {MOST_SECONDS} seconds")
            return
        expected = documents.expected_code(shown)
        if code != expected:
            self.problem(command, f"exit code {code} instead of {expected}\n{said[-2000:]}")
        elif shown is not None and not documents.matches(shown, said, not rows(OTHER_NUMBERS, self.page, command)):
            self.problem(command, f"shown:\n{shown}\nsaid:\n{said}")
            if (text := documents.restated(shown, said)) is not None:
                self.edits.append((block.start + offset, shown, text))

    def session(self, block):
        if not self.place.imports("numpy") or not self.place.imports("nibblesim"):
            self.left_out.append(("a Python session", "the module nibblesim"))
        elif wrong := self.place.session(block.text):
            self.problem("python3", wrong)
        else:
            self.ran += 1

    def pictures(self):
        """Pictures that commands draw, and that pages show, are the same."""
        for name in os.listdir(self.place.directory):
            shown = os.path.join(ROOT, "docs", "images", name)
            if name.endswith(".svg") and os.path.exists(shown):
                with open(self.place.path(name), "rb") as drawn, open(shown, "rb") as kept:
                    if drawn.read() != kept.read():
                        self.problem(name, f"docs/images/{name} is out of date; drawn: {self.place.path(name)}")

    def do(self):
        for block in documents.blocks(self.page):
            if block.file:
                self.place.write(block)
            if block.language == "pycon":
                self.session(block)
            for command, shown, offset in block.commands():
                self.command(block, command, shown, offset)
        self.pictures()

    def restate(self):
        text = documents.read(self.page)
        for start, old, new in sorted(self.edits, reverse=True):
            assert text[start:start + len(old)] == old
            text = text[:start] + new + text[start + len(old):]
        with open(os.path.join(ROOT, self.page), "w", encoding="utf-8") as file:
            file.write(text)


def do_page(page, program, module_directory, restate):
    with tempfile.TemporaryDirectory(prefix="nibblesim-docs-") as directory, \
            tempfile.TemporaryDirectory(prefix="nibblesim-docs-cache-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        work = Page(page, directory, program, module_directory)
        work.do()
        if restate:
            work.restate()
    for command, lacking in work.left_out:
        print(f"left out for want of {lacking}: {command}")
    print(f"{page}: {work.ran} commands run")
    if work.problems:
        sys.exit("\n\n".join(work.problems))
    if work.left_out and not work.ran:
        sys.exit(SKIPPED)


# ---- what concerns all pages


def link_problems(page):
    """Links to files that are not there, and to headings that no page has."""
    text = re.sub(r"^```.*?^```$", "", documents.read(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(ROOT, os.path.dirname(page), path)) if path else os.path.join(ROOT, page)
        if not os.path.exists(file):
            yield f"{page}: link to {target}, which is not there"
        elif anchor and anchor not in anchors(file):
            yield f"{page}: link to {target}: no such heading"


def anchors(file):
    with open(file, encoding="utf-8") as opened:
        text = re.sub(r"^```.*?^```$", "", opened.read(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def index_problems():
    """Pages that the index of the documentation does not lead to."""
    index = documents.read("docs/README.md")
    known = {os.path.normpath(os.path.join("docs", target.partition("#")[0]))
             for target in re.findall(r"\]\(([^)\s]+)\)", index)} | {"docs/README.md"}
    for page in documents.documents():
        if page not in known and not page.startswith("docs/formats/"):
            yield f"docs/README.md does not lead to {page}"


def usage_problems(page, program):
    """Options that a synopsis has and the program has not, and, in the README, the other way round."""
    for block in documents.blocks(page):
        if block.language != "text" or not block.text.startswith("nibblesim "):
            continue
        synopses = {}
        for line in block.text.splitlines():
            begins = re.match(r"nibblesim (\w+)", line)
            name = begins[1] if begins else name
            synopses[name] = synopses.get(name, "") + line
        for command, synopsis in synopses.items():
            told = subprocess.run([program, command, "--help"], capture_output=True, text=True, timeout=60)
            if told.returncode:
                yield f"{page}: there is no nibblesim {command}"
                continue
            has = set(re.findall(r"^ +(?:-\w,)?(--[a-z-]+)", told.stdout, re.MULTILINE)) - {"--help"}
            says = set(re.findall(r"--[a-z-]+", synopsis.replace(" -o ", " --output ")))
            if "import" in synopses and command in ("run", "info"):
                has -= {"--from", "--iteration", "--training", "--no-fusion"}  # said once, of import
            for flag in sorted(says - has):
                yield f"{page}: nibblesim {command} has no {flag}"
            for flag in sorted(has - says):
                yield f"{page}: nibblesim {command} does not show {flag}"
        if page == "README.md":
            listed = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60).stdout
            commands = re.findall(r"^  (\w+) ", listed.split("Subcommands:")[1], re.MULTILINE)
            for command in sorted(set(commands) - set(synopses)):
                yield f"{page}: nibblesim {command} is missing"


def language_problems(page):
    for block in documents.blocks(page):
        if block.language not in documents.LANGUAGES:
            yield f"{page}: a block of unknown language '{block.language}': {block.text.splitlines()[0]}"
    fences = re.findall(r"^```", documents.read(page), re.MULTILINE)
    if len(fences) != 2 * len(documents.blocks(page)):
        yield f"{page}: fences that are no blocks"


def ctest_problems(page, build):
    """Patterns of ctest that fit no test."""
    for pattern in re.findall(r"(?:ctest --preset release|\.\.\.) -R (\"[^\"]+\"|[^\s`]+)", documents.read(page)):
        found = subprocess.run(["ctest", "--test-dir", build, "-N", "-R", shlex.split(pattern)[0]], text=True,
                               capture_output=True, timeout=120)
        if "Total Tests: 0" in found.stdout:
            yield f"{page}: ctest -R {pattern} finds no test"


def stale_exceptions():
    commands = [(page, command) for page in documents.documents() for block in documents.blocks(page)
                for command, _, _ in block.commands()]
    for row in EXCUSED + NEEDS + OTHER_NUMBERS:
        if not any(rows([row], page, command) for page, command in commands):
            yield f"no command is excused by {row[:2]}"


def check_pages(program):
    build = os.path.normpath(os.path.join(os.path.dirname(program), "..", ".."))
    problems = [*stale_exceptions(), *index_problems()]
    tests = subprocess.run(["ctest", "--test-dir", build, "-N"], text=True, capture_output=True, timeout=120).stdout
    all_built = "_NOT_BUILT" not in tests
    if not all_built:
        print("not all tests are built: patterns of ctest are not looked at")
    for page in documents.documents():
        problems += [*link_problems(page), *language_problems(page), *usage_problems(page, program),
                     *(ctest_problems(page, build) if all_built else [])]
    if problems:
        sys.exit("\n".join(problems))


def main():
    program, page, *more = sys.argv[1:]
    program = os.path.abspath(program)
    if page == "--pages":
        check_pages(program)
    else:
        restate = "--restate" in more
        module_directory = next((os.path.abspath(one) for one in more if one != "--restate"), None)
        do_page(page, program, module_directory, restate)


if __name__ == "__main__":
    main()
