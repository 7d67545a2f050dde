# SPDX-License-Identifier: MIT
"""Importing files of other programs: whatever is wrong with them, one message that names the file and the place, exit
code 2 and no output; and every real file that is at hand is understood."""

import collections
import gzip
import io
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tarfile
import time
import unittest
import zlib

import smoke

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fuzz"))
import seeds  # pylint: disable=wrong-import-position

FORMATS = ["pytorch-et", "kineto", "chakra", "onnx", "scale-sim", "zigzag", "timeloop", "torch-dump"]
SEEDS = {name: files for name, files in seeds.all_seeds().items() if name in FORMATS}
# Whatever is cut off such a file, the rest cannot be a whole one: its end is marked.
MARKED_END = {"pytorch-et", "kineto", "torch-dump"}
# What a refusal may take at most: far below what a machine has, far above what one takes.
MOST_SECONDS = 60
MOST_BYTES = 3 << 30
HUGE = 1 << 62
SHARED = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


class Importing(smoke.Case):
    def bytes_file(self, name, content):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def run_import(self, path, *options, output=None):
        output = output or self.path("out.trace")
        done = subprocess.run([smoke.PROGRAM, "import", path, "-o", output, *options], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=MOST_SECONDS,
                              preexec_fn=limit_memory, check=False)
        return done.returncode, done.stderr

    def refused(self, path, *options, says="", allowed=False, output=None):
        """The messages of a refusal; "" if the file was understood, where that is allowed."""
        before = set(os.listdir(self.directory))
        code, errors = self.run_import(path, *options, output=output)
        if allowed and code == 0:
            smoke.run("info", self.path("out.trace"))
            os.remove(self.path("out.trace"))
            return ""
        self.assertEqual(code, 2, f"{path} {options}: {errors}")
        self.assertEqual(set(os.listdir(self.directory)), before, "a file was left behind")
        lines = errors.splitlines()
        self.assertTrue(1 <= len(lines) <= 21, errors)
        for line in lines:
            self.assertTrue(line.startswith(("nibblesim: error: ", "nibblesim: and ")), errors)
            self.assertLess(len(line), 1000)
        self.assertIn(os.path.basename(path), errors)
        self.assertIn(says, errors)
        return errors

    def seeds(self, *formats):
        for form in formats or FORMATS:
            for name, content in SEEDS[form].items():
                yield form, name, content


class Understood(Importing):
    def test_every_seed(self):
        for form, name, content in self.seeds():
            path = self.bytes_file(name, content)
            out = self.path("out.trace")
            smoke.run("import", path, "-o", out, "--batch", 4, "--quiet")
            smoke.run("import", path, "-o", out, "--batch", 4, "--from", form, "--quiet")
            smoke.run("run", path, "--batch", 4, "--machine", "edge-int4", "--baseline", "none", "--quiet")


class Damaged(Importing):
    def test_cut_short(self):
        for form, name, content in self.seeds():
            for tenths in range(1, 10):
                cut = content[:len(content) * tenths // 10]
                self.refused(self.bytes_file(name, cut), "--from", form, allowed=form not in MARKED_END)
                self.refused(self.bytes_file(name, cut), allowed=form not in MARKED_END)

    def test_taken_for_another_format(self):
        for form, name, content in self.seeds():
            for other in FORMATS:
                if other != form:
                    self.refused(self.bytes_file(name, content), "--from", other)

    def test_noise(self):
        noise = random.Random(1)
        for size in (1, 100, 10_000, 1_000_000):
            path = self.bytes_file("noise", noise.randbytes(size))
            self.refused(path)
            for form in FORMATS:
                self.refused(path, "--from", form)

    def test_bytes_changed(self):
        """Whatever happens to single bytes, the program refuses or understands; it never fails."""
        changes = random.Random(2)
        for form, name, content in self.seeds():
            for _ in range(10):
                changed = bytearray(content)
                for _ in range(3):
                    changed[changes.randrange(len(changed))] = changes.randrange(256)
                self.refused(self.bytes_file(name, changed), "--from", form, "--batch", "4", allowed=True)

    def test_empty(self):
        path = self.bytes_file("empty", b"")
        self.refused(path)
        for form in FORMATS:
            self.refused(path, "--from", form)

    def test_no_file(self):
        os.mkdir(self.path("folder"))
        for form in ["auto", *FORMATS]:
            self.refused(self.path("folder"), "--from", form)
            self.refused(self.path("missing"), "--from", form)
            self.refused("/dev/zero", "--from", form)
        self.bytes_file("folder/read.me", b"no problem")
        self.refused(self.path("folder"), says="no such file")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self):
        path = self.bytes_file("net.csv", SEEDS["scale-sim"]["convolutions.csv"])
        os.chmod(path, 0)
        self.refused(path)

    def test_output(self):
        path = self.bytes_file("net.csv", SEEDS["scale-sim"]["convolutions.csv"])
        for output in [self.path("missing/out.trace"), self.directory, self.directory + "/"]:
            code, errors = self.run_import(path, output=output)
            self.assertEqual(code, 2, errors)
            self.assertEqual(os.listdir(self.directory), ["net.csv"])
        old = self.bytes_file("old.trace", b"precious")
        code, errors = self.run_import(self.bytes_file("bad.csv", b"Layer, M, N, K,\na, x, 1, 1,\n"), output=old)
        self.assertEqual(code, 2, errors)
        with open(old, "rb") as file:
            self.assertEqual(file.read(), b"precious")


class Sizes(Importing):
    """Sizes that no tensor has: huge, negative, or huge as a product."""

    def with_first_size(self, form, size):
        """Seeds in which a size of the first tensor is this one."""
        text = f"{size}"
        if form in ("pytorch-et", "kineto", "torch-dump"):
            step = seeds.convolutional_step()
            step[0][2][0].shape = [2, 3, size, size]
            write = {"pytorch-et": seeds.execution_trace, "kineto": seeds.kineto, "torch-dump": seeds.torch_dump}[form]
            return write(step)
        if form == "chakra":
            step = seeds.convolutional_step()
            step[0][2][0].shape = [2, 3, size, size]
            return seeds.chakra(step)
        if form == "onnx":
            return seeds.onnx_model([seeds.onnx_value("x", [2, size])], [seeds.onnx_value("y", [2, size])],
                                    [seeds.onnx_tensor("w", [size, size])],
                                    [seeds.onnx_node("MatMul", ["x", "w"], ["y"])])
        content = next(iter(SEEDS[form].values())).decode()
        old = {"scale-sim": " 11, 11,", "zigzag": "[2, 8, 3, 8, 8, 3, 3]", "timeloop": "P: 6, Q: 6"}[form]
        new = {"scale-sim": f" {text}, {text},", "zigzag": f"[2, 8, 3, {text}, {text}, 3, 3]",
               "timeloop": f"P: {text}, Q: {text}"}[form]
        assert old in content
        return content.replace(old, new).encode()

    def test_huge(self):
        for form in FORMATS:
            for size in (HUGE, (1 << 63) - 1, (1 << 64) - 1, 1 << 200, 1 << 32, 1 << 25):
                if form in ("onnx", "chakra") and size > 1 << 63:
                    size &= (1 << 64) - 1
                path = self.bytes_file("huge." + next(iter(SEEDS[form])).split(".")[1], self.with_first_size(form, size))
                self.refused(path, "--from", form)

    def test_negative(self):
        for form in FORMATS:
            for size in (-1, -8, -HUGE):
                self.refused(self.bytes_file("negative", self.with_first_size(form, size)), "--from", form)


class Structure(Importing):
    def test_circles(self):
        def node(here, caller):
            return {"id": here, "name": "aten::relu", "ctrl_deps": caller, "inputs": seeds.lists([seeds.Tensor(1, 2)]),
                    "outputs": seeds.lists([seeds.Tensor(2, 2)]), "attrs": []}

        trace = {"schema": "1.1.1-chakra.0.0.4", "pid": 1, "nodes": [node(2, 3), node(3, 2)]}
        self.refused(self.bytes_file("circle.json", json.dumps(trace).encode()), says="circle")
        model = seeds.onnx_model([seeds.onnx_value("x", [2, 3])], [seeds.onnx_value("a", [2, 3])], [],
                                 [seeds.onnx_node("Add", ["x", "b"], ["a"]), seeds.onnx_node("Relu", ["a"], ["b"])])
        self.refused(self.bytes_file("circle.onnx", model))
        layers = SEEDS["zigzag"]["layers.yaml"].decode().replace("operand_source: {I: 0, W: 0}",
                                                                 "operand_source: {I: 3, W: 2}")
        self.refused(self.bytes_file("circle.yaml", layers.encode()), allowed=True)
        include = b"problem:\n  <<: &a [*a]\n"
        self.refused(self.bytes_file("alias.yaml", include))

    def test_deep_nesting(self):
        deep = 200_000
        texts = {
            "pytorch-et": b'{"schema":"1.0.1","nodes":[' + b"[" * deep,
            "kineto": b'{"traceEvents":[{"ph":"X","cat":"cpu_op","args":' + b'{"a":' * deep,
            "torch-dump": b'{"nibblesim_torch":1,"torch":"1","name":"a"}\n' + b"[" * deep,
            "zigzag": b"- id: 0\n  loop_dims: " + b"[" * deep,
            "timeloop": b"problem: " + b"{a: " * deep,
            "scale-sim": b"Layer, M, N, K,\n" + b'"' * deep,
        }
        call = seeds.delimited(seeds.field(1, 2) + seeds.field(2, "aten::relu") + seeds.field(3, 4) +
                               seeds.field(8, seeds.field(1, "[" * deep) + seeds.field(2, "[]") +
                                           seeds.field(3, "['Tensor(float)']")) +
                               seeds.field(10, seeds.field(1, "is_cpu_op") + seeds.field(27, 1)))
        texts["chakra"] = seeds.delimited(seeds.field(1, "0.0.4")) + call
        graph = b""
        for _ in range(5_000):  # graphs in attributes of nodes in graphs
            graph = seeds.field(1, seeds.field(4, "If") + seeds.field(5, seeds.field(1, "a") + seeds.field(6, graph)))
        texts["onnx"] = seeds.field(1, 8) + seeds.field(7, graph)
        for form, text in texts.items():
            self.refused(self.bytes_file("deep", text), "--from", form)

    def test_aliases_that_multiply(self):
        """Ten levels of ten aliases each: 10^10 nodes for those who follow them."""
        text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 11))
        for form, head in (("timeloop", "problem: {}\n"), ("zigzag", "operator_type: x\n")):
            self.refused(self.bytes_file("laughs.yaml", (head + text).encode()), "--from", form)


class Bombs(Importing):
    def bomb(self, name, head, filler, gib=10):
        """A gzip file of some MB that unpacks to `head`, and then GiBs of `filler`."""
        def deflated(data):
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)

        body = deflated(filler * ((1 << 24) // len(filler)))
        with open(self.path(name), "wb") as file:
            file.write(b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + deflated(head))
            for _ in range(gib << 6):
                file.write(body)
        self.assertLess(os.path.getsize(self.path(name)), 40 << 20)
        return self.path(name)

    def quickly_refused(self, *arguments, **options):
        begin = time.monotonic()
        self.refused(*arguments, **options)
        self.assertLess(time.monotonic() - begin, 30)

    def test_gzip(self):
        zeros = self.bomb("zeros.gz", b"", b"\0")
        for form in ["auto", *FORMATS]:
            self.quickly_refused(zeros, "--from", form)
        trace = b'{"schema":"1.0.1","nodes":['
        for form, head, filler in [
                ("pytorch-et", trace, b" "), ("pytorch-et", b'{"schema":"1.0.1","x":[', b"[],"),
                ("pytorch-et", trace + b'{"id":"', b"a"), ("pytorch-et", b"{", b'"a":1,'),
                ("pytorch-et", trace, b'{"id":0,"name":""},'),
                ("kineto", b'{"traceEvents":[', b'{"ph":"M"},'),
                ("torch-dump", b'{"nibblesim_torch":1,"torch":"1","name":"a"}\n', b" "),
                ("chakra", seeds.delimited(seeds.field(1, "0.0.4")), b"\0"),
                ("onnx", seeds.field(1, 8), seeds.field(2, 1)), ("scale-sim", b"Layer, M, N, K,\n", b"a, 1, 1, 1,\n"),
                ("zigzag", b"", b"- {id: 0}\n"), ("timeloop", b"problem:\n", b"# a comment\n")]:
            self.quickly_refused(self.bomb("bomb.gz", head, filler), "--from", form)

    def tar_header(self, name, size):
        member = tarfile.TarInfo(name)
        member.size = size
        return member.tobuf(tarfile.GNU_FORMAT)

    def test_tar(self):
        many = io.BytesIO()
        for i in range(150_000):
            many.write(self.tar_header(f"{i}.txt", 0))
        self.quickly_refused(self.bytes_file("many.tar.gz", gzip.compress(many.getvalue(), 1)), says="members")
        for name in ("skipped.txt", "taken.json"):
            self.quickly_refused(self.bomb("endless.tar.gz", self.tar_header(name, 1 << 40), b" "))
            self.refused(self.bytes_file("cut.tar", self.tar_header(name, 1 << 40) + b"x" * 5000))


def trace_items(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def macs(item):
    out = [(item[size] + item["pad"][2 * i] + item["pad"][2 * i + 1] - item["dilation"][i] * (item[kernel] - 1) - 1) //
           item["stride"][i] + 1 for i, (size, kernel) in enumerate((("h", "r"), ("w", "s")))]
    return (item["n"] * item["k"] * out[0] * out[1] * item["r"] * item["s"] * item["c"]) // item["groups"]


@unittest.skipUnless(SHARED.is_dir(), "there are no real files here")
class RealFiles(Importing):
    def imported(self, path, *options):
        """(summary, lines of the trace)"""
        out = self.path("out.trace")
        text, _ = smoke.run("import", path, "-o", out, "--json", *options)
        return json.loads(text), trace_items(out)

    def test_every_file(self):
        files = [file for folder in ("pytorch-et", "chakra", "scale-sim") for file in sorted((SHARED / folder).iterdir())]
        self.assertTrue(files)
        for file in files:
            with self.subTest(file=file.name):
                summary, _ = self.imported(file)
                for entry in summary["unrecognised"]:
                    self.assertTrue(entry["reason"], entry)

    def convolutions(self, file, *options):
        """(phase, shape) of every convolution."""
        _, items = self.imported(file, "--no-fusion", *options)
        return [item for item in items if item.get("op") == "conv"]

    def test_resnet50_macs(self):
        """The figures of the folder's README: three steps of batch 32."""
        found = collections.Counter()
        for item in self.convolutions(SHARED / "pytorch-et" / "resnet_1gpu_et.json.gz"):
            found[item["phase"]] += macs(item)
        self.assertEqual({phase: round(count / 1e6) for phase, count in found.items()},
                         {"forward": 392_365, "dx": 381_036, "dw": 392_365})
        self.assertEqual(found["forward"], found["dw"])

    def test_chakra_is_the_execution_trace(self):
        """Both were recorded of one network; the Chakra file holds one step of the three."""
        keys = ["phase", "n", "c", "h", "w", "k", "r", "s", "stride", "pad", "dilation", "groups"]

        def shapes(items):
            return collections.Counter(json.dumps([item[key] for key in keys]) for item in items)

        chakra = shapes(self.convolutions(SHARED / "chakra" / "feeder_tests_trace.tar.gz"))
        trace = shapes(self.convolutions(SHARED / "pytorch-et" / "resnet_1gpu_et.json.gz", "--iteration", "1"))
        self.assertTrue(chakra)
        self.assertEqual(chakra, trace)


if __name__ == "__main__":
    smoke.main()
