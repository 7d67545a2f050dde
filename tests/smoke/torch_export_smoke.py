# SPDX-License-Identifier: MIT
"""The PyTorch exporter, and what becomes of its files: skipped where PyTorch is not installed (exit code 77)."""

import collections
import contextlib
import gc
import json
import os
import subprocess
import sys
import warnings
import weakref

SKIPPED = 77
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")

try:
    import torch
except ImportError:
    # The Python that is found first need not be the one that PyTorch is installed for.
    distribution = "/usr/bin/python3"
    if sys.executable != distribution and os.path.exists(distribution):
        os.execv(distribution, [distribution, *sys.argv])
    print("skipped: PyTorch is not installed")
    sys.exit(SKIPPED)

import numpy
from torch import nn
from torch.nn import functional

import smoke

sys.path.insert(0, SCRIPTS)
from nibblesim_torch import record  # noqa: E402


def read_dump(path):
    """First line, calls, last line."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return lines[0], lines[1:-1], lines[-1]["end"]


def tensors_of(values):
    for value in values:
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from tensors_of(value)


class Case(smoke.Case):
    def setUp(self):
        super().setUp()
        torch.manual_seed(0)
        self.dump = self.path("step.trace")

    def record_step(self, loss, optimizer=None, **options):
        """Records one training step; returns its calls."""
        with record(self.dump, **options):
            loss().backward()
            if optimizer is not None:
                optimizer.step()
        return read_dump(self.dump)[1]

    def vision(self, name, image):
        from torchvision import models
        model = getattr(models, name)(weights=None)
        pixels = torch.randn(2, 3, image, image)
        labels = torch.tensor([1, 2])
        return model, lambda: functional.cross_entropy(model(pixels), labels)


class Counts(Case):
    """Calls of each network's GEMMs, from its structure: every layer is one call forward; backward, a convolution is one
    call (convolution_backward makes both gradients) and a matrix product is two, except that nobody asks for the
    gradient of the network's input."""

    def gemms(self, calls, phase):
        counted = collections.Counter(call["op"] for call in calls if call["phase"] == phase)
        products = ("aten::mm", "aten::addmm")  # torch chooses by whether there is a bias, and how many dimensions
        return (counted["aten::convolution"] + counted["aten::convolution_backward"],
                sum(counted[op] for op in products), counted["aten::bmm"] + counted["aten::baddbmm"])

    def check(self, calls, forward, backward):
        self.assertEqual(self.gemms(calls, "forward"), forward)
        self.assertEqual(self.gemms(calls, "backward"), backward)
        self.assertEqual(self.gemms(calls, "optimizer"), (0, 0, 0))

    def test_resnet18(self):  # stem, 4 stages of 4, 3 shortcuts; classifier
        self.check(self.record_step(self.vision("resnet18", 64)[1]), (20, 1, 0), (20, 2, 0))

    def test_resnet50(self):  # stem, 16 blocks of 3, 4 shortcuts; classifier
        self.check(self.record_step(self.vision("resnet50", 64)[1]), (53, 1, 0), (53, 2, 0))

    def test_mobilenet(self):  # stem, a block of 2, 16 of 3, head; classifier
        self.check(self.record_step(self.vision("mobilenet_v2", 64)[1]), (52, 1, 0), (52, 2, 0))

    def test_vision_transformer(self):
        # patches; 12 blocks of packed projection, output projection and two layers, and two products of attention;
        # classifier. All inputs of matrix products depend on weights.
        self.check(self.record_step(self.vision("vit_b_16", 224)[1]), (1, 12 * 4 + 1, 24), (1, 2 * 49, 48))

    def test_encoder(self):  # 2 blocks; the input's gradient is not wanted
        layer = nn.TransformerEncoderLayer(32, 4, 64)
        model = nn.TransformerEncoder(layer, 2)
        x = torch.randn(7, 3, 32)
        self.check(self.record_step(lambda: model(x).sum()), (0, 8, 4), (0, 2 * 8 - 1, 8))

    def test_lstm(self):
        # 2 layers: one product for the inputs of all 10 steps, one for the state of each. Backward: two for each, but the
        # gradients of the input and of both first states are not wanted.
        model = nn.LSTM(16, 16, 2)
        x = torch.randn(10, 3, 16)
        self.check(self.record_step(lambda: model(x)[0].sum()), (0, 2 * 11, 0), (0, 2 * 22 - 3, 0))


class Identities(Case):
    def training(self, steps=3):
        model, loss = self.vision("resnet18", 32)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        with record(self.dump):
            for _ in range(steps):
                optimizer.zero_grad()
                loss().backward()
                optimizer.step()
        return read_dump(self.dump)

    def test_storages_are_never_reused(self):
        first, calls, end = self.training()
        self.assertEqual(first["nibblesim_torch"], 1)
        self.assertEqual(end["calls"], len(calls))
        self.assertEqual(end["steps"], 3)
        seen = 0
        for number, call in enumerate(calls):
            self.assertEqual(call["call"], number)
            read = {tensor["storage"] for tensor in tensors_of(call["in"])}
            seen = max(seen, *read)
            for tensor in tensors_of(call["out"]):
                # A result lies in memory of its own, which nobody has seen before, or in that of an argument.
                self.assertTrue(tensor["storage"] > seen or tensor["storage"] in read, call)
            seen = max(seen, *(tensor["storage"] for tensor in tensors_of(call["out"])))
        self.assertEqual(end["storages"], seen)

    def test_backward_reads_what_forward_read(self):
        _, calls, _ = self.training(1)
        forward = {call["module"]: call for call in calls if call["op"] == "aten::convolution"}
        backward = {call["module"]: call for call in calls if call["op"] == "aten::convolution_backward"}
        self.assertEqual(set(forward), set(backward))
        self.assertEqual(len(forward), 20)
        written = set()
        for call in calls:
            if call["op"] == "aten::convolution_backward":
                x, weight = forward[call["module"]]["in"][:2]
                self.assertEqual(call["in"][1:3], [x, weight])
                self.assertEqual(weight["name"], call["module"] + ".weight")
                self.assertIn(call["in"][0]["storage"], written)  # the gradient of the result
                self.assertEqual(call["out"][0] is None, call["module"] == "conv1")  # nobody needs the image's
            written |= {tensor["storage"] for tensor in tensors_of(call["out"])}

    def test_optimizer_updates_the_parameters(self):
        model, loss = self.vision("resnet18", 32)
        optimizer = torch.optim.Adam(model.parameters())
        calls = self.record_step(loss, optimizer)
        updated = {tensor.get("name") for call in calls if call["phase"] == "optimizer"
                   for tensor in tensors_of(call["out"])}
        names = {name for name, _ in model.named_parameters()}
        self.assertEqual(updated - {None}, names)
        for call in calls:
            if call["phase"] == "optimizer":
                for tensor in tensors_of(call["out"]):
                    if "name" in tensor:
                        self.assertEqual(call["module"], tensor["name"].rpartition(".")[0])

    def test_operators_on_lists_are_cut_up(self):
        sizes = range(1, 151)  # of 150 parameters: each is updated once, in calls on at most 64
        parameters = [nn.Parameter(torch.randn(size)) for size in sizes]
        optimizer = torch.optim.SGD(parameters, lr=0.1, foreach=True)
        calls = self.record_step(lambda: sum(parameter.sum() for parameter in parameters), optimizer)
        updates = [call for call in calls if call["op"] == "aten::_foreach_add_"]
        self.assertEqual([len(call["out"]) for call in updates], [64, 64, 22])
        for call in updates:
            values, gradients = call["in"][:2]
            self.assertEqual(call["out"], values)
            self.assertEqual([one["shape"] for one in values], [one["shape"] for one in gradients])
        self.assertEqual([one["shape"] for call in updates for one in call["out"]], [[size] for size in sizes])

    def test_names_are_found_without_the_model(self):
        model, loss = self.vision("resnet18", 32)
        found = self.record_step(loss)
        model.zero_grad(set_to_none=True)
        given = self.record_step(loss, model=model)
        self.assertEqual(found, given)


class Phases(Case):
    def setUp(self):
        super().setUp()
        self.model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.x = torch.randn(3, 6)

    def test_work_on_gradients_belongs_to_the_optimizer(self):
        with record(self.dump):
            for _ in range(2):
                self.optimizer.zero_grad()
                self.model(self.x).sum().backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
        for call in read_dump(self.dump)[1]:
            if call["op"] in ("aten::linalg_vector_norm", "aten::norm", "aten::mul_", "aten::zero_", "aten::stack"):
                self.assertEqual(call["phase"], "optimizer", call)
            if call["op"] in ("aten::addmm", "aten::relu"):
                self.assertEqual(call["phase"], "forward", call)

    def test_optimizer_by_hand(self):
        with record(self.dump):
            self.model(self.x).sum().backward()
            with torch.no_grad():
                for parameter in self.model.parameters():
                    parameter -= 0.1 * parameter.grad
        phases = [call["phase"] for call in read_dump(self.dump)[1] if call["op"] in ("aten::sub_", "aten::mul")]
        self.assertEqual(phases, ["optimizer"] * 8)

    def test_recomputation_is_backward(self):
        from torch.utils.checkpoint import checkpoint
        x = self.x.requires_grad_()
        with record(self.dump):
            checkpoint(self.model, x, use_reentrant=True).sum().backward()
        _, calls, end = read_dump(self.dump)
        products = [(call["phase"], call["module"]) for call in calls if call["op"] == "aten::addmm"]
        self.assertEqual(products, [("forward", "0"), ("forward", "2"), ("backward", "0"), ("backward", "2")])
        self.assertEqual(end["recomputed"], 3)  # with the ReLU
        backward = [call["module"] for call in calls if call["op"] == "aten::mm"]
        self.assertEqual(backward, ["2", "2", "0", "0"])

    def test_steps_end_with_the_optimizer(self):
        with record(self.dump):
            for _ in range(3):
                self.model(self.x).sum().backward()
                self.optimizer.step()
        steps = [call["step"] for call in read_dump(self.dump)[1] if call["op"] == "aten::addmm"]
        self.assertEqual(steps, [0, 0, 1, 1, 2, 2])

    def test_steps_can_be_told(self):
        for at_the_end in (False, True):
            with record(self.dump) as recorder:
                for _ in range(2):
                    if not at_the_end:
                        recorder.step()
                    for _ in range(2):  # two optimisers' steps in one training step
                        self.model(self.x).sum().backward()
                        if not at_the_end:
                            self.optimizer.step()
                    if at_the_end:
                        recorder.step()
            steps = [call["step"] for call in read_dump(self.dump)[1] if call["op"] == "aten::addmm"]
            self.assertEqual(steps, [0] * 4 + [1] * 4)


class Values(Case):
    def setUp(self):
        super().setUp()
        self.model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(64, 10))
        self.x = torch.randn(3, 2, 6, 6)

    def load(self, tensor):
        return numpy.load(os.path.join(self.directory, tensor["values"]))

    def test_files_hold_the_operands(self):
        dy = {}
        weight = self.model[2].weight.detach().clone()

        def loss():
            hidden = self.model[1](self.model[0](self.x))
            y = self.model[2](hidden)
            hidden.register_hook(lambda gradient: dy.update(hidden=gradient.clone()))
            y.register_hook(lambda gradient: dy.update(y=gradient.clone()))
            dy["x"] = hidden.detach().clone()
            return (y * y).sum()

        calls = self.record_step(loss, torch.optim.SGD(self.model.parameters(), lr=0.1), model=self.model,
                                 values=True)
        named = {}
        for call in calls:
            if call["op"] in ("aten::addmm", "aten::mm", "aten::convolution", "aten::convolution_backward"):
                named.setdefault((call["op"], call["phase"]), []).append(call)
        conv = named["aten::convolution", "forward"][0]
        numpy.testing.assert_array_equal(self.load(conv["in"][0]), self.x.numpy())
        self.assertNotIn("values", conv["in"][2])  # a bias is no operand
        product = named["aten::addmm", "forward"][0]
        numpy.testing.assert_array_equal(self.load(product["in"][1]), dy["x"].numpy())
        self.assertEqual(product["in"][2]["shape"], [64, 10])
        numpy.testing.assert_array_equal(self.load(product["in"][2]), weight.numpy())  # transposed, but as it lies
        dx, dw = named["aten::mm", "backward"]
        numpy.testing.assert_array_equal(self.load(dx["in"][0]), dy["y"].numpy())
        # Each is saved once.
        self.assertEqual(dx["in"][1]["values"], product["in"][2]["values"])
        self.assertEqual(dw["in"][0]["values"], dx["in"][0]["values"])
        self.assertEqual(dw["in"][1]["values"], product["in"][1]["values"])
        back = named["aten::convolution_backward", "backward"][0]
        numpy.testing.assert_array_equal(self.load(back["in"][0]).reshape(3, 64), dy["hidden"].numpy())
        self.assertEqual([one["values"] for one in back["in"][1:3]], [one["values"] for one in conv["in"][:2]])

    def test_a_change_in_place_makes_a_new_version(self):
        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        before = self.model[0].weight.detach().clone()
        with record(self.dump, values=True, layers="0"):
            for _ in range(2):
                self.model(self.x).sum().backward()
                last = self.model[0].weight.detach().clone()
                optimizer.step()
        convs = [call for call in read_dump(self.dump)[1] if call["op"] == "aten::convolution"]
        numpy.testing.assert_array_equal(self.load(convs[0]["in"][1]), before.numpy())
        numpy.testing.assert_array_equal(self.load(convs[1]["in"][1]), last.numpy())
        self.assertEqual(convs[0]["in"][0]["values"], convs[1]["in"][0]["values"])  # the image has not changed

    def test_layers_and_steps_are_chosen(self):
        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        with record(self.dump, values=True, layers="2*", steps=[1]):
            for _ in range(3):
                self.model(self.x).sum().backward()
                optimizer.step()
        chosen = {(call["module"], call["step"]) for call in read_dump(self.dump)[1]
                  for tensor in tensors_of(call["in"]) if "values" in tensor}
        self.assertEqual(chosen, {("2", 1)})

    def test_short_types_are_widened(self):
        x = torch.randn(4, 8).to(torch.bfloat16)
        weight = torch.randn(8, 2).to(torch.bfloat16)
        with record(self.dump, values=True):
            torch.mm(x, weight)
        call = read_dump(self.dump)[1][0]
        self.assertEqual(call["in"][0]["dtype"], "bfloat16")
        loaded = self.load(call["in"][0])
        self.assertEqual(loaded.dtype, numpy.float32)
        numpy.testing.assert_array_equal(loaded, x.float().numpy())

    def test_the_budget_is_kept(self):
        size = 3 * 2 * 6 * 6 * 4  # bytes of the image
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.record_step(lambda: self.model(self.x).sum(), values=True, max_bytes=size + 100)
        self.assertTrue(any("left out, as max_bytes is reached" in str(one.message) for one in caught))
        _, calls, end = read_dump(self.dump)
        files = {tensor["values"] for call in calls for tensor in tensors_of(call["in"]) if "values" in tensor}
        self.assertLessEqual(sum(self.load({"values": name}).nbytes for name in files), size + 100)
        self.assertEqual(len(files), len(os.listdir(self.dump + ".values")))
        self.assertGreater(end["values_left_out"], 0)

    def test_values_of_an_earlier_run_are_replaced(self):
        for _ in range(2):
            self.record_step(lambda: self.model(self.x).sum(), values=True)
        self.assertEqual(sorted(os.listdir(self.directory)), ["step.trace", "step.trace.values"])
        self.write("step.trace.values/notes.txt", "mine")
        with self.assertRaisesRegex(FileExistsError, "notes.txt"):
            self.record_step(lambda: self.model(self.x).sum(), values=True)
        self.assertTrue(os.path.exists(self.path("step.trace.values/notes.txt")))


class Manners(Case):
    def hooks(self):
        module = torch.nn.modules.module
        return (len(module._global_forward_hooks), len(module._global_forward_pre_hooks),
                torch.autograd.Variable._execution_engine, torch.autograd.profiler.record_function)

    def test_nothing_is_left_behind_when_the_block_raises(self):
        before = self.hooks()
        model = nn.Linear(3, 2)
        with self.assertRaisesRegex(RuntimeError, "mine"), record(self.dump, values=True):
            model(torch.randn(4, 3))
            raise RuntimeError("mine")
        self.assertEqual(os.listdir(self.directory), [])
        self.assertEqual(self.hooks(), before)
        calls = self.record_step(lambda: model(torch.randn(4, 3)).sum())
        self.assertTrue(calls)
        self.assertEqual(self.hooks(), before)

    def test_older_files_survive_when_the_block_raises(self):
        self.write("step.trace", "older")
        os.mkdir(self.dump + ".values")
        self.write("step.trace.values/0.npy", "older")
        with contextlib.suppress(RuntimeError), record(self.dump, values=True):
            torch.randn(3).exp()
            raise RuntimeError
        for name in ("step.trace", "step.trace.values/0.npy"):
            with open(self.path(name), encoding="utf-8") as file:
                self.assertEqual(file.read(), "older")

    def test_a_model_that_raises_does_not_confuse_the_paths(self):
        class Fails(nn.Module):
            def forward(self, x):
                raise ValueError

        model = nn.Sequential(nn.Linear(3, 2), Fails())
        with record(self.dump, model=model):
            with contextlib.suppress(ValueError):
                model(torch.randn(4, 3))
            model[0](torch.randn(4, 3))
        modules = [call["module"] for call in read_dump(self.dump)[1] if call["op"] == "aten::addmm"]
        self.assertEqual(modules, ["0", "0"])

    def test_empty_and_nested_recordings_are_refused(self):
        with self.assertRaisesRegex(RuntimeError, "nothing was recorded"), record(self.dump):
            pass
        with self.assertRaisesRegex(RuntimeError, "another recording"), record(self.dump):
            with record(self.path("other.trace")):
                pass
        self.assertEqual(os.listdir(self.directory), [])

    def test_results_are_those_without_recording(self):
        def losses():
            torch.manual_seed(1)
            model = nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.5), nn.GELU(), nn.Linear(5, 4))
            optimizer = torch.optim.Adam(model.parameters())
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(torch.randn(8, 6)).pow(2).mean()
                loss.backward()
                optimizer.step()
                yield loss.item()

        plain = list(losses())
        with record(self.dump):
            recorded = list(losses())
        self.assertEqual(plain, recorded)

    def test_activations_are_not_kept_alive(self):
        model = nn.Sequential(*[nn.Linear(50, 50) for _ in range(4)])
        alive = []
        handle = model[1].register_forward_hook(lambda _, inputs, output: alive.append(weakref.ref(output)))
        self.addCleanup(handle.remove)
        gc.disable()  # a cycle would hold them, too
        self.addCleanup(gc.enable)
        with record(self.dump) as recorder:
            for _ in range(300):
                model(torch.randn(2, 50)).sum().backward()
            self.assertEqual([one for one in alive if one() is not None], [])
            # Each pass makes more than 8 storages: most of them are forgotten again.
            self.assertLess(len(recorder._storages._by_address), 1500)
        self.assertGreater(read_dump(self.dump)[2]["storages"], 2400)


class Script(Case):
    def export(self, *arguments, expect=0):
        done = subprocess.run([sys.executable, os.path.join(SCRIPTS, "export_torch.py"), *map(str, arguments)],
                              capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stderr

    def test_writes_a_compressed_dump(self):
        dump = self.path("net.trace.gz")
        self.export("--model", "torchvision:resnet18", "--batch", 2, "--image", 64, "-o", dump)
        with open(dump, "rb") as file:
            self.assertEqual(file.read(2), b"\x1f\x8b")

    def test_runs_models_of_ones_own(self):
        file = self.write("mine.py", "from torch import nn, randn\n\n\ndef make(batch):\n    model = nn.Linear(3, 2)\n"
                                     "    x = randn(batch, 3)\n    return model, lambda: model(x).sum()\n")
        self.export("--model", f"{file}:make", "--batch", 5, "-o", self.dump, "--optimizer", "adam", "--values")
        first, calls, _ = read_dump(self.dump)
        self.assertEqual((first["name"], first["batch"]), ("mine", 5))
        self.assertEqual(calls[0]["in"][1]["shape"], [5, 3])
        self.assertIn("has no function 'mak' (did you mean 'make'?)",
                      self.export("--model", f"{file}:mak", "--batch", 5, "-o", self.dump, expect=2))

    def test_errors_help(self):
        for model, text in (("torchvision:resent18", "(did you mean 'resnet18'?)"),
                            ("resnet18", "(did you mean 'torchvision:resnet18'?)"),
                            ("lstn", "(did you mean 'lstm'?)"), ("missing.py:make", "no such file")):
            self.assertIn(text, self.export("--model", model, "--batch", 1, "-o", self.dump, expect=2))
        self.assertIn("does not run on images of 100 x 100",
                      self.export("--model", "torchvision:vit_b_16", "--image", 100, "--batch", 1, "-o", self.dump,
                                  expect=2))
        self.assertIn("expected at least 1",
                      self.export("--model", "lstm", "--batch", 0, "-o", self.dump, expect=2))
        self.assertEqual(os.listdir(self.directory), [])


def gemms_of(path):
    """How often each GEMM occurs in a trace: ("conv", phase, shape) or ("matmul", phase, batch, m, n, k)."""
    found = collections.Counter()
    with open(path, encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line.get("op") == "conv":
                shape = tuple(line[key] for key in "nchwkrs")
                found["conv", line["phase"], shape, tuple(line.get("stride", (1, 1))),
                      tuple(line.get("pad", (0, 0, 0, 0))), line.get("groups", 1)] += 1
            elif line.get("op") == "matmul":
                found["matmul", line["phase"], line.get("batch", 1), line["m"], line["n"], line["k"]] += 1
    return found


def unpacked(gemms, width):
    """PyTorch packs the projections of one tensor to queries, keys and values, or of the encoder's output to keys and
    values, in one product that is three or two times as wide; the built-in attention has one for each."""
    result = collections.Counter()
    for (kind, phase, *shape), count in gemms.items():
        packed = 1
        if kind == "matmul":
            wide = {"forward": 2, "dx": 3, "dw": 1}[phase]  # which of batch, m, n and k is packed
            if width in shape and shape[wide] in (2 * width, 3 * width):
                packed = shape[wide] // width
                shape[wide] = width
        result[(kind, phase, *shape)] += packed * count
    return result


def transposed(gemms):
    """The gradient of the keys: PyTorch multiplies queries by transposed keys, so that it makes the gradient of the
    transposed keys; it is the same product, rows and columns exchanged."""
    result = collections.Counter()
    for (kind, phase, *shape), count in gemms.items():
        if kind == "matmul" and phase == "dw" and shape[0] > 1:
            shape[1:3] = sorted(shape[1:3])
        result[(kind, phase, *shape)] += count
    return result


def over_all_steps(gemms, batch, steps):
    """The gradient of an LSTM's recurrent weight: PyTorch makes one product for each step of the sequence and adds them
    up; the built-in LSTM makes one over all steps, whose reduction is that much longer."""
    result = collections.Counter()
    for (kind, phase, *shape), count in gemms.items():
        if kind == "matmul" and phase == "dw" and shape[3] == batch:
            shape[3] *= steps
            count //= steps
        result[(kind, phase, *shape)] += count
    return result


class Agreement(Case):
    """An imported step has the GEMMs of the built-in workload of the same network, each in the same phase."""

    batch = 2

    def imported(self, model):
        trace = self.path("imported.jsonl")
        done = subprocess.run([sys.executable, os.path.join(SCRIPTS, "export_torch.py"), "--model", model, "--batch",
                               str(self.batch), "-o", self.dump], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        smoke.run("import", self.dump, "-o", trace)
        return gemms_of(trace)

    def built_in(self, workload):
        trace = self.path("workload.jsonl")
        smoke.run("workload", workload, "--batch", self.batch, "-o", trace)
        return gemms_of(trace)

    def test_convolutional_networks(self):
        for network in ("alexnet", "resnet18", "resnet50", "mobilenet_v2", "vgg16"):
            with self.subTest(network=network):
                self.assertEqual(self.imported(f"torchvision:{network}"), self.built_in(network))

    def test_bert(self):
        recorded = transposed(unpacked(self.imported("encoder"), 768))
        self.assertEqual(recorded, transposed(self.built_in("bert-base")))

    def test_transformer(self):
        recorded = transposed(unpacked(self.imported("transformer"), 512))
        self.assertEqual(recorded, transposed(self.built_in("transformer-base")))

    def test_lstm(self):
        self.assertEqual(over_all_steps(self.imported("lstm"), self.batch, 35), self.built_in("lstm-ptb"))

    def test_vision_transformer(self):
        # There is no workload of it. Dosovitskiy et al., arXiv 2010.11929, table 1: 12 layers of width 768, 12 heads,
        # inner width 3072, on 14 x 14 patches of 16 x 16 pixels and one more token.
        expected = collections.Counter()
        image = (self.batch, 3, 224, 224, 768, 16, 16)
        for phase in ("forward", "dw"):  # nobody needs the gradient of the image
            expected["conv", phase, image, (16, 16), (0, 0, 0, 0), 1] += 1
        tokens = 14 * 14 + 1
        rows = self.batch * tokens
        heads = 12 * self.batch
        # batch, m, n, k
        block = [(1, rows, 3 * 768, 768), (heads, tokens, tokens, 64), (heads, tokens, 64, tokens), (1, rows, 768, 768),
                 (1, rows, 3072, 768), (1, rows, 768, 3072)]
        for batch, m, n, k in 12 * block + [(1, self.batch, 1000, 768)]:
            expected["matmul", "forward", batch, m, n, k] += 1
            expected["matmul", "dx", batch, m, k, n] += 1
            # of a weight, as it lies: n x k; of the right operand of two activations: k x n
            expected[("matmul", "dw", batch, n, k, m) if batch == 1 else ("matmul", "dw", batch, k, n, m)] += 1
        self.assertEqual(self.imported("torchvision:vit_b_16"), expected)


if __name__ == "__main__":
    smoke.main()
