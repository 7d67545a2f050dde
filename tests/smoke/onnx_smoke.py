# SPDX-License-Identifier: MIT
"""ONNX models as PyTorch exports them, against what PyTorch computes: skipped where PyTorch is not installed (exit code
77)."""

import json
import math
import os
import sys
import warnings

SKIPPED = 77

try:
    import torch
    import torchvision
except ImportError:
    # The Python that is found first need not be the one that PyTorch is installed for.
    distribution = "/usr/bin/python3"
    if sys.executable != distribution and os.path.exists(distribution):
        os.execv(distribution, [distribution, *sys.argv])
    print("skipped: PyTorch and torchvision are not installed")
    sys.exit(SKIPPED)

from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

import smoke


class CountedProducts(TorchDispatchMode):
    """Multiply-accumulates of every matrix product and convolution that PyTorch executes."""

    def __init__(self):
        super().__init__()
        self.macs = []

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        name = str(function).split(".")[1]
        if name in ("mm", "bmm"):
            self.macs.append(result.numel() * arguments[0].shape[-1])
        elif name in ("addmm", "baddbmm"):
            self.macs.append(result.numel() * arguments[1].shape[-1])
        elif name == "convolution":
            image, weight, transposed = arguments[0], arguments[1], arguments[6]
            # Each element of the result, or of the input, meets the weights of one channel of a group.
            self.macs.append((image if transposed else result).numel() * weight[0].numel())
        return result


def macs_of(operation):
    """Multiply-accumulates of an operation of a trace (traces/FORMAT.md)."""
    if operation["op"] == "matmul":
        return operation.get("batch", 1) * operation["m"] * operation["n"] * operation["k"]
    top, bottom, left, right = operation.get("pad", [0, 0, 0, 0])
    stride, dilation = operation.get("stride", [1, 1]), operation.get("dilation", [1, 1])
    rows = (operation["h"] + top + bottom - dilation[0] * (operation["r"] - 1) - 1) // stride[0] + 1
    columns = (operation["w"] + left + right - dilation[1] * (operation["s"] - 1) - 1) // stride[1] + 1
    return (operation["n"] * rows * columns * operation["k"] * operation["r"] * operation["s"] *
            (operation["c"] // operation.get("groups", 1)))


class Recurrent(nn.Module):
    def __init__(self, layers, width):
        super().__init__()
        self.layers = layers
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        y, _ = self.layers(x)
        return self.head(y)


class Upsampling(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1)
        self.odd = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1, groups=2)

    def forward(self, x):
        y = functional.gelu(self.up(torch.relu(self.down(x))))
        return functional.interpolate(self.odd(y), scale_factor=2, mode="bilinear")


class Tied(nn.Module):
    """A language model whose last layer has the weights of its first."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(100, 32)
        self.norm = nn.LayerNorm(32)
        self.head = nn.Linear(32, 100, bias=False)
        self.head.weight = self.words.weight

    def forward(self, tokens):
        return functional.log_softmax(self.head(self.norm(self.words(tokens))), -1)


class Onnx(smoke.Case):
    def export(self, model, inputs, opset=14, **options):
        torch.manual_seed(0)
        model.train()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(model, inputs, self.path("model.onnx"), opset_version=opset,
                              training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, **options)
        return self.path("model.onnx")

    def read(self, *arguments):
        """Imports the model; returns the trace's tensors and operations and what the program said."""
        said, _ = smoke.run("import", self.path("model.onnx"), "-o", self.path("model.jsonl"), "--json", *arguments)
        with open(self.path("model.jsonl"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return ([line for line in lines if "tensor" in line], [line for line in lines if "op" in line],
                json.loads(said))

    def check(self, model, inputs, **options):
        """The forward pass has the products that PyTorch computes, and the model's parameters."""
        self.export(model, inputs, **options)
        tensors, operations, _ = self.read("--training", "forward-only")
        with CountedProducts() as counted:
            model(inputs)
        found = [macs_of(operation) for operation in operations if operation["op"] != "vector"]
        self.assertEqual(sorted(found), sorted(counted.macs))
        trained = sum(math.prod(tensor["shape"]) for tensor in tensors if tensor["role"] in ("weight", "state"))
        self.assertEqual(trained, sum(parameter.numel() for parameter in model.parameters()))
        return operations

    def test_image_networks(self):
        for network in ("resnet18", "mobilenet_v2", "squeezenet1_0", "shufflenet_v2_x1_0", "regnet_y_400mf"):
            with self.subTest(network=network):
                self.check(getattr(torchvision.models, network)(), torch.randn(2, 3, 64, 64))

    def test_transformers(self):
        encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), 2)
        for opset in (12, 13, 14, 16):
            with self.subTest(opset=opset):
                self.check(encoder, torch.randn(2, 16, 64), opset=opset)
        self.check(torchvision.models.VisionTransformer(64, 16, 2, 4, 64, 128), torch.randn(2, 3, 64, 64))

    def test_recurrent_networks(self):
        self.check(Recurrent(nn.LSTM(32, 48, num_layers=2), 48), torch.randn(7, 4, 32))
        self.check(Recurrent(nn.GRU(32, 48, bidirectional=True, batch_first=True), 96), torch.randn(4, 7, 32))
        self.check(Recurrent(nn.RNN(32, 48), 48), torch.randn(7, 4, 32))

    def test_transposed_convolutions(self):
        operations = self.check(Upsampling(), torch.randn(2, 3, 32, 32))
        self.assertEqual([operation.get("transposed", False) for operation in operations if operation["op"] == "conv"],
                         [False, True, True])

    def test_tied_weights_are_one_tensor(self):
        operations = self.check(Tied(), torch.randint(0, 100, (3, 16)))
        gather = next(operation for operation in operations if operation.get("steps") == ["gather"])
        product = next(operation for operation in operations if operation["op"] == "matmul")
        self.assertEqual(gather["in"][0], product["in"][1])

    def test_the_built_in_network_is_the_same(self):
        """Every GEMM of the training step, with the batch that the user gives."""
        self.export(torchvision.models.resnet18(), torch.randn(2, 3, 224, 224), input_names=["image"],
                    dynamic_axes={"image": {0: "batch"}})
        _, error = smoke.run("import", self.path("model.onnx"), "-o", self.path("model.jsonl"), expect=2)
        self.assertIn("--batch", error)
        _, operations, said = self.read("--batch", "5")
        smoke.run("workload", "resnet18", "--batch", "5", "-o", self.path("built_in.jsonl"))
        with open(self.path("built_in.jsonl"), encoding="utf-8") as file:
            built_in = [json.loads(line) for line in file]
        kinds = ("op", "phase", "position", "batch", "m", "n", "k", "c", "h", "w", "r", "s", "stride", "pad", "groups")

        def gemms(lines):
            return sorted(json.dumps({key: line[key] for key in kinds if key in line})
                          for line in lines if line.get("op") in ("conv", "matmul"))

        self.assertEqual(gemms(operations), gemms(built_in))
        self.assertEqual(said["batch"], 5)

    def test_the_step_runs(self):
        self.export(torchvision.models.resnet18(), torch.randn(2, 3, 32, 32))
        self.read()
        smoke.run("run", self.path("model.jsonl"), "--machine", "edge-int4", "--json")


if __name__ == "__main__":
    smoke.main()
