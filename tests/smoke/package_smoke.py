# SPDX-License-Identifier: MIT
"""What is installed is whole: it runs from wherever it lies, with its own data; the Debian package says what it needs;
manual page and shell completion know every command and option that the help shows.

    package_smoke.py PROGRAM BUILD_DIRECTORY CMAKE CPACK

Nothing is built, and nothing is installed outside temporary directories. What needs a tool that is missing (groff, zsh,
fish, dpkg-dev) is skipped."""

import gzip
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import smoke
from smoke import run

BUILD = CMAKE = CPACK = ""
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = "share/nibblesim"
DOC = "share/doc/nibblesim"


def needs(*tools):
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return unittest.skipIf(missing, f"without {' and '.join(missing)}")


def done(*command, **options):
    """What a command prints; fails if it ends with an error."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120,
                            stdin=subprocess.DEVNULL, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command}: exit code {result.returncode}:\n{result.stdout[-2000:]}\n"
                             f"{result.stderr[-2000:]}")
    return result.stdout


def section(text, title):
    """Lines of a part of a help text, without their description."""
    found = re.search(rf"^{title}:\n((?:  .*\n)*)", text, re.MULTILINE)
    return [line[2:] for line in found[1].splitlines() if line[2] != " "] if found else []


def commands():
    return [line.split()[0] for line in section(run("--help")[0], "Subcommands")]


def options(command):
    """The long names of a command's options, as the help shows them."""
    lines = section(run(command, "--help")[0], "Options")
    return [re.match(r"(?:-\w,)?(--[\w-]+)", line)[1] for line in lines]


def clean_environment():
    """An environment of which nothing says where data lie."""
    return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "LANG": "C.UTF-8"}


class Help(smoke.Case):
    def test_every_value_says_what_it_is(self):
        """A type of CLI11's own, TEXT, would be completed with nothing, and says nothing."""
        for command in commands():
            for title in ("Options", "Positionals"):
                for line in section(run(command, "--help")[0], title):
                    self.assertNotRegex(line, r" TEXT(?!:\{)", f"{command}: give it a type_name")


class Completion(smoke.Case):
    def next_words(self, *words):
        return [line.split("\t")[0] for line in run("complete", "--", *words)[0].splitlines()]

    def in_bash(self, *words, directory=None):
        """COMPREPLY of bash with the cursor at the end of the last word."""
        script = ('source <("$1" completion bash); COMP_WORDS=("${@:1}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
                  '_nibblesim; printf "%s\\n" "${COMPREPLY[@]}"')
        text = done("bash", "--norc", "-c", script, "bash", smoke.PROGRAM, *words, cwd=directory or self.directory)
        return sorted(set(text.splitlines()) - {""})

    def test_commands_and_options_are_those_of_the_help(self):
        self.assertEqual(self.next_words(""), commands())
        self.assertGreaterEqual(len(commands()), 13)
        for command in commands():
            with self.subTest(command):
                self.assertEqual(self.next_words(command, "-"), options(command))

    def test_values(self):
        listed = json.loads(run("list", "--json")[0])
        run_tiny = ["run", "tiny"]
        for words, expected in [
                (["run", ""], listed["workloads"] + [":files"]),
                (["workload", ""], listed["workloads"] + [":files"]),
                (["info", ""], listed["workloads"] + listed["presets"] + [":files"]),
                (run_tiny + ["--machine", ""], listed["presets"] + [":files"]),
                (run_tiny + ["--machine="], listed["presets"] + [":files"]),
                (run_tiny + ["--baseline", ""], listed["baselines"] + ["none"] + listed["presets"] + [":files"]),
                (run_tiny + ["--recipe", ""], listed["recipes"]),
                (run_tiny + ["--clock", ""], ["skipping", "every-edge"]),
                (run_tiny + ["--mapping", ""], ["search", "greedy", ":files"]),
                (run_tiny + ["--out", ""], [":directories"]),
                (run_tiny + ["--batch", ""], []),
                (run_tiny + ["--layers", ""], []),
                (["memtest", "f", "--page", ""], ["open", "closed"]),
                (["memtest", "f", "--write-watermarks", ""], []),
                (["report", "a", "b", ""], [":files"]),
                (["sweep", "s", "--reuse", "a", ""], [":directories"]),
                (["completion", ""], ["bash", "zsh", "fish"]),
                (["no-such-command", ""], []),
                (["no-such-command", "--"], []),
                (run_tiny + ["--no-such-option=", ""], options("run"))]:
            with self.subTest(words):
                self.assertEqual(self.next_words(*words), expected)
        self.assertIn("DDR4-2400", self.next_words("memtest", "f", "--standard", ""))
        # An option is not offered again, unless it may be given again; after all arguments come options.
        left = [option for option in options("run") if option not in ("--machine", "--json")]
        self.assertEqual(self.next_words(*run_tiny, "--machine", "edge-int4", "--json", ""), left)
        self.assertIn("--reuse", self.next_words("sweep", "s", "--reuse", "a", "--"))
        # Nothing that is typed is taken for an option of the command that is asked.
        self.assertEqual(self.next_words("--help", "-"), ["--version"])

    def test_bash(self):
        self.assertEqual(self.in_bash("re"), ["report"])
        self.assertEqual(self.in_bash("run", "tiny", "--mach"), ["--machine"])
        edges = [name for name in json.loads(run("list", "--json")[0])["presets"] if name.startswith("edge")]
        self.assertEqual(self.in_bash("run", "tiny", "--machine", "ed"), edges)
        # Readline's words of --machine=ed, and those where = is no end of a word.
        self.assertEqual(self.in_bash("run", "tiny", "--machine", "=", "ed"), edges)
        self.assertEqual(self.in_bash("run", "tiny", "--machine=ed"), [f"--machine={name}" for name in edges])
        self.assertEqual(self.in_bash("run", "tiny", "--clock", "="), ["every-edge", "skipping"])
        os.mkdir(self.path("some dir"))
        self.write("some file.yaml", "")
        self.assertEqual(self.in_bash("run", "tiny", "--machine", "so"), ["some dir", "some file.yaml"])
        self.assertEqual(self.in_bash("run", "tiny", "--out", "so"), ["some dir"])
        self.assertEqual(self.in_bash("run", "tiny", "--out=so"), ["--out=some dir"])
        self.assertEqual(self.in_bash("run", "tiny", "--batch", ""), [])

    def test_what_is_typed_is_not_executed(self):
        self.in_bash("run", f"$(touch {self.path('broken')})", f"`touch {self.path('broken')}`", "*", "")
        self.assertEqual(os.listdir(self.directory), [])

    @needs("zsh")
    def test_zsh_takes_its_script(self):
        done("zsh", "-n", self.write("_nibblesim", run("completion", "zsh")[0]))

    @needs("fish")
    def test_fish_completes(self):
        script = self.write("nibblesim.fish", run("completion", "fish")[0])
        done("fish", "-n", script)
        environment = dict(clean_environment(), HOME=self.directory)
        asked = f"source {script}; complete -C '{smoke.PROGRAM} run tiny --machine edge-int4-'"
        text = done("fish", "--no-config", "-c", asked, env=environment)
        self.assertEqual(text.split("\t")[0], "edge-int4-2ch")


class Manual(smoke.Case):
    @needs("groff")
    def test_every_command_and_option_is_in_it(self):
        page = self.write("nibblesim.1", run("man")[0])
        text = done("groff", "-man", "-Tascii", "-P-cbou", "-rLL=100n", page)
        parts = re.split(r"^   (\S+)$", text, flags=re.MULTILINE)  # headings of commands are indented by three
        described = dict(zip(parts[1::2], parts[2::2]))
        self.assertEqual(list(described), commands())
        for command in commands():
            found = re.findall(r"^       (?:-\w, )?(--[\w-]+)", described[command], re.MULTILINE)
            self.assertEqual(found, options(command), command)
            arguments = [line.split()[0] for line in section(run(command, "--help")[0], "Positionals")]
            synopsis = re.search(r"^       (nibblesim " + command + r"\b.*)", described[command], re.MULTILINE)[1]
            for argument in arguments:
                self.assertRegex(synopsis, rf"\b{argument}\b")
        for name in ["NIBBLESIM_DATA_DIR", "XDG_CACHE_HOME", "NO_COLOR", "TERM", "EXIT STATUS", "edge-int4"]:
            self.assertIn(name, text)

    @needs("groff")
    def test_groff_has_no_warning(self):
        page = self.write("nibblesim.1", run("man")[0])
        checked = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True,
                                 timeout=60)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))


class Installed(smoke.Case):
    """A tree that was installed somewhere and then moved."""

    def setUp(self):
        super().setUp()
        first = self.path("first")
        done(CMAKE, "--install", BUILD, "--prefix", first)
        self.prefix = self.path("moved to a name with blanks")
        os.rename(first, self.prefix)
        self.program = self.below("bin/nibblesim")
        self.environment = clean_environment()

    def below(self, path):
        return os.path.join(self.prefix, path)

    def installed(self, *arguments):
        return done(self.program, *arguments, env=self.environment, cwd=self.directory)

    def test_it_runs_and_reports(self):
        text = self.installed("run", "tiny", "--machine", "edge-int4", "--out", self.path("out"), "--report",
                              self.path("page.html"))
        self.assertIn("By phase", text)
        with open(self.path("out/result.json"), encoding="utf-8") as file:
            result = json.load(file)
        here = json.loads(run("run", "tiny", "--machine", "edge-int4", "--json")[0])
        self.assertEqual(result["totals"], here["totals"])
        with open(self.path("page.html"), encoding="utf-8") as file:
            self.assertIn("echarts", file.read())

    def test_it_takes_its_own_data_and_no_others(self):
        preset = self.below(f"{DATA}/presets/edge-int4.yaml")
        with open(preset, encoding="utf-8") as file:
            text = file.read()
        changed = re.sub(r"^description:.*$", "description: a machine of the moved tree", text, flags=re.MULTILINE)
        self.assertNotEqual(changed, text)
        self.write(preset, changed)
        os.remove(self.below(f"{DATA}/workloads/vgg16.yaml"))
        self.assertIn("a machine of the moved tree", self.installed("list"))
        self.assertNotIn("vgg16", self.installed("list", "--json"))
        self.assertIn("vgg16", run("list", "--json")[0])
        # Each folder is needed, and is looked for here and not in the source tree.
        for folder, arguments in [("presets", []), ("workloads", []), ("energy", []), ("energy/sram", []),
                                  ("report", ["--report", self.path("page.html")])]:
            with self.subTest(folder):
                os.rename(self.below(f"{DATA}/{folder}"), self.path("away"))
                ended = subprocess.run([self.program, "run", "tiny", "--machine", "edge-int4", "--quiet", *arguments],
                                       env=self.environment, capture_output=True, text=True, timeout=60)
                os.rename(self.path("away"), self.below(f"{DATA}/{folder}"))
                self.assertEqual(ended.returncode, 2, ended.stderr)
                self.assertIn("'tiny'" if folder == "workloads" else self.below(DATA), ended.stderr)

    def test_a_link_to_the_program_is_as_good(self):
        os.symlink(self.program, self.path("link"))
        self.assertEqual(done(self.path("link"), "list", env=self.environment), self.installed("list"))

    def test_a_program_without_its_data_says_so(self):
        shutil.copy(self.program, self.path("alone"))
        ended = subprocess.run([self.path("alone"), "list"], env=self.environment, capture_output=True, text=True,
                               timeout=60)
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertIn(f"no data files in '{os.path.join(os.path.dirname(self.directory), DATA)}'", ended.stderr)

    def test_everything_is_there(self):
        for path in ["share/man/man1/nibblesim.1.gz", "share/bash-completion/completions/nibblesim",
                     "share/zsh/vendor-completions/_nibblesim", "share/fish/vendor_completions.d/nibblesim.fish",
                     f"{DOC}/README.md", f"{DOC}/copyright", f"{DOC}/changelog.gz", f"{DOC}/traces/FORMAT.md",
                     f"{DOC}/sim/report/result.schema.json", f"{DATA}/scripts/nibblesim_torch.py",
                     f"{DATA}/energy/dram.yaml", f"{DATA}/energy/sram/cacti7.yaml"]:
            self.assertTrue(os.path.isfile(self.below(path)), path)
        for installed, source in [(f"{DATA}/presets", "models/presets"), (f"{DATA}/workloads", "workloads"),
                                  (f"{DOC}/docs", "docs"), (f"{DATA}/report", "report/dist"),
                                  (f"{DOC}/studies", "studies")]:
            self.assertEqual(sorted(os.listdir(self.below(installed))), sorted(os.listdir(os.path.join(SOURCE, source))))
        with gzip.open(self.below("share/man/man1/nibblesim.1.gz"), "rt", encoding="utf-8") as file:
            self.assertEqual(file.read(), self.installed("man"))
        with open(self.below("share/bash-completion/completions/nibblesim"), encoding="utf-8") as file:
            self.assertEqual(file.read(), self.installed("completion", "bash"))
        # A link that leads out of the tree, or nowhere, would be worthless elsewhere.
        for folder, folders, files in os.walk(self.prefix):
            for path in (os.path.join(folder, name) for name in folders + files):
                self.assertTrue(os.path.realpath(path).startswith(os.path.realpath(self.prefix) + os.sep), path)
                self.assertTrue(os.path.exists(path), path)
                self.assertNotIn("CMakeLists.txt", path)

    def test_links_between_pages_lead_somewhere(self):
        """But for those to source code, which is not installed."""
        for folder, _, files in os.walk(self.below(DOC)):
            for page in (os.path.join(folder, name) for name in files if name.endswith(".md")):
                with open(page, encoding="utf-8") as file:
                    links = re.findall(r"\]\(([^)#\s]+)", file.read())
                for link in links:
                    if "://" not in link and not link.endswith((".h", ".cpp")):
                        self.assertTrue(os.path.exists(os.path.join(folder, link)), f"{page}: {link}")

    def test_scripts_run(self):
        scripts = self.below(f"{DATA}/scripts")
        for name in os.listdir(scripts):
            mode = os.stat(os.path.join(scripts, name)).st_mode
            with open(os.path.join(scripts, name), encoding="utf-8") as file:
                self.assertEqual(file.read(2) == "#!", bool(mode & stat.S_IXUSR), name)
        text = done(sys.executable, os.path.join(scripts, "plot_study.py"), "--help", cwd=self.directory)
        self.assertIn("points.json", text)

    @needs("readelf")
    def test_the_program_knows_no_path_of_the_build_tree(self):
        dynamic = done("readelf", "-d", self.program)
        self.assertNotIn("RPATH", dynamic)
        self.assertNotIn("RUNPATH", dynamic)


@needs("dpkg-deb", "dpkg-shlibdeps", "dpkg-parsechangelog")
class Package(smoke.Case):
    """The Debian package, built once."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.mkdtemp(prefix="nibblesim-smoke-deb-")
        cls.addClassCleanup(shutil.rmtree, cls.temporary, ignore_errors=True)
        done(CPACK, "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-G", "DEB", "-B", cls.temporary)
        version = run("--version")[0].split()[1]
        architecture = done("dpkg", "--print-architecture").strip()
        cls.package = os.path.join(cls.temporary, f"nibblesim_{version}_{architecture}.deb")
        cls.root = os.path.join(cls.temporary, "root")
        done("dpkg-deb", "-x", cls.package, cls.root)

    def field(self, name):
        return done("dpkg-deb", "-f", self.package, name).strip()

    def test_control_fields(self):
        for name, pattern in [("Package", "nibblesim"), ("Section", "science"), ("Priority", "optional"),
                              ("Maintainer", "nibblesim developers <nibblesim@nibblesim\.invalid>"),
                              ("Version", re.escape(run("--version")[0].split()[1])), ("Installed-Size", r"\d{4,}")]:
            self.assertRegex(self.field(name), f"^{pattern}$")
        description = self.field("Description").splitlines()
        self.assertLessEqual(len(description[0]), 80)  # Debian policy, section 3.4.1
        self.assertGreaterEqual(len(description), 3)
        changelog = os.path.join(SOURCE, "packaging", "changelog")
        self.assertEqual(done("dpkg-parsechangelog", "-l", changelog, "-S", "Version").strip(), self.field("Version"))

    def test_every_library_is_declared(self):
        """Another way than dpkg-shlibdeps: which package does each library belong to that the loader finds?"""
        program = os.path.join(self.root, "usr/bin/nibblesim")
        declared = {entry.split()[0] for entry in self.field("Depends").split(",")}
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", done("readelf", "-d", program))
        found = dict(re.findall(r"(\S+) => (\S+)", done("ldd", program)))
        self.assertGreater(len(needed), 5)
        for library in needed:
            owners = subprocess.run(["dpkg", "-S", found[library], "/usr" + found[library]], capture_output=True,
                                    text=True, timeout=60).stdout
            packages = set(re.findall(r"^([^:\s]+)", owners, re.MULTILINE))
            provided = done("dpkg-query", "-W", "-f", "${Provides},", *packages)
            packages |= {entry.split()[0] for entry in provided.split(",") if entry.strip()}
            self.assertTrue(packages & declared, f"{library}: {packages} not in {declared}")

    def test_content(self):
        listing = [line.split(None, 5) for line in done("dpkg-deb", "-c", self.package).splitlines()]
        for mode, owner, _, _, _, path in listing:
            self.assertEqual(owner, "root/root")
            self.assertTrue(path.startswith("./usr/"), path)
            self.assertNotIn("/local/", path)
            if not mode.startswith("l"):
                executable = mode[0] == "d" or path == "./usr/bin/nibblesim" or re.search(
                    r"(results|export_torch|plot_study)\.py$", path)
                self.assertEqual(mode[1:], "rwxr-xr-x" if executable else "rw-r--r--", path)
        sums = done("dpkg-deb", "-I", self.package, "md5sums").splitlines()
        files = [path for mode, *_, path in listing if mode.startswith("-")]
        self.assertEqual(len(sums), len(files))
        for line in sums:
            expected, path = line.split("  ")
            with open(os.path.join(self.root, path), "rb") as file:
                self.assertEqual(hashlib.md5(file.read()).hexdigest(), expected, path)

    def test_policy(self):
        """What Debian's policy asks of every package: compressed manual and changelog, a copyright file."""
        doc = os.path.join(self.root, "usr", DOC)
        with gzip.open(os.path.join(doc, "changelog.gz"), "rt", encoding="utf-8") as file:
            self.assertTrue(file.readline().startswith(f"nibblesim ({self.field('Version')}) "))
        with open(os.path.join(doc, "copyright"), encoding="utf-8") as file:
            text = file.read()
        for part in ["MIT License", "Apache License, Version 2.0", "/usr/share/common-licenses/Apache-2.0",
                     "BSD 3-Clause License"]:
            self.assertIn(part, text)
        self.assertNotRegex(text, "@[A-Z]")  # nothing is left to be filled in
        for path in ["usr/share/man/man1/nibblesim.1.gz", f"usr/{DOC}/changelog.gz"]:
            with open(os.path.join(self.root, path), "rb") as file:
                self.assertEqual(file.read(8)[3:8], bytes(5), path)  # neither name nor time: gzip -n

    def test_it_runs_from_where_it_is_unpacked(self):
        program = os.path.join(self.root, "usr/bin/nibblesim")
        environment = clean_environment()
        self.assertEqual(done(program, "list", env=environment), run("list")[0])
        page = self.path("page.html")
        text = done(program, "run", "tiny", "--machine", "edge-int4", "--report", page, env=environment)
        self.assertIn("By phase", text)
        self.assertGreater(os.path.getsize(page), 100_000)


if __name__ == "__main__":
    BUILD, CMAKE, CPACK = (os.path.abspath(path) for path in sys.argv[2:5])
    del sys.argv[2:5]
    smoke.main()
