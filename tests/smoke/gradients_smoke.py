# SPDX-License-Identifier: MIT
"""Derived gradients against PyTorch's: forward passes as an importer writes them, completed by derive_training() and
computed in binary64 from what the array would be given, for convolutions and matrix products of every odd kind.
Skipped where PyTorch is not installed (exit code 77)."""

import json
import os
import sys

SKIPPED = 77

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
from torch.nn import functional

import smoke

TOLERANCE = 1e-5
PHASES = ["forward", "dx", "dw"]  # in the order of the program


def numbers(*shape):
    """Random numbers that 16 bits hold exactly."""
    return torch.randn(*shape).half().double()


class Forward:
    """A trace of a forward pass, and the values of everything that PyTorch makes of it."""

    def __init__(self, case):
        self.case = case
        self.lines = [{"nibblesim_trace": 1, "name": "odd", "batch": 1}]
        self.tensors = 0

    def record(self, name, value):
        numpy.save(self.case.path(name + ".npy"), value.detach().numpy().astype("<f4"))

    def tensor(self, name, role, shape, value):
        self.lines.append({"tensor": self.tensors, "name": name, "role": role, "shape": list(shape)})
        self.record(name, value)
        self.tensors += 1
        return self.tensors - 1

    def add(self, name, x, w, y, operation):
        """An operation y = f(x, w), both of which are trained so that both have gradients."""
        x_id = self.tensor(name + ".x", "weight", x.shape, x)
        w_id = self.tensor(name + ".w", "weight", w.shape, w)
        y_id = self.tensor(name + ".y", "activation", y.shape, y)
        dy = numbers(*y.shape)
        y.backward(dy)
        self.record(name + ".y.gradient", dy)
        self.record(name + ".x.gradient", x.grad)
        self.record(name + ".w.gradient", w.grad)
        self.lines.append({"phase": "forward", "layer": name, **operation, "in": [x_id, w_id], "out": [y_id]})

    def convolution(self, name, x_shape, w_shape, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        """`pad` is top, bottom, left, right; lopsided padding is PyTorch's pad, then a convolution without."""
        x = numbers(*x_shape).requires_grad_()
        w = numbers(*w_shape).requires_grad_()
        padded = functional.pad(x, (pad[2], pad[3], pad[0], pad[1]))
        y = functional.conv2d(padded, w, stride=stride, dilation=dilation, groups=groups)
        self.add(name, x, w, y, {
            "op": "conv", "n": x_shape[0], "c": x_shape[1], "h": x_shape[2], "w": x_shape[3], "k": w_shape[0],
            "r": w_shape[2], "s": w_shape[3], "stride": stride, "pad": pad, "dilation": dilation, "groups": groups})

    def transposed(self, name, x_shape, w_shape, stride=(1, 1), pad=(0, 0), output_pad=(0, 0), dilation=(1, 1),
                   groups=1):
        x = numbers(*x_shape).requires_grad_()
        w = numbers(*w_shape).requires_grad_()
        y = functional.conv_transpose2d(x, w, stride=stride, padding=pad, output_padding=output_pad,
                                        dilation=dilation, groups=groups)
        self.add(name, x, w, y, {
            "op": "conv", "n": x_shape[0], "c": y.shape[1], "h": y.shape[2], "w": y.shape[3], "k": x_shape[1],
            "r": w_shape[2], "s": w_shape[3], "stride": stride, "pad": [pad[0], pad[0], pad[1], pad[1]],
            "dilation": dilation, "groups": groups, "transposed": True})

    def product(self, name, x_shape, w_shape, left="mk", right="kn"):
        x = numbers(*x_shape).requires_grad_()
        w = numbers(*w_shape).requires_grad_()
        y = (x if left == "mk" else x.transpose(-1, -2)) @ (w if right == "kn" else w.transpose(-1, -2))
        self.add(name, x, w, y, {
            "op": "matmul", "batch": y[..., 0, 0].numel(), "m": y.shape[-2], "n": y.shape[-1],
            "k": x_shape[-1] if left == "mk" else x_shape[-2], "left": left, "right": right})

    def check(self, compared):
        """Has the program derive and compute everything; `compared` GEMMs have a result that PyTorch gave."""
        operations = sum("op" in line for line in self.lines)
        self.lines.append({"end": {"tensors": self.tensors, "operations": operations}})
        trace = self.case.write("forward.jsonl", "\n".join(json.dumps(line) for line in self.lines) + "\n")
        output, _ = smoke.run(trace)
        *gemms, last = output.splitlines()
        self.case.assertEqual(last, f"{compared} compared")
        for gemm in gemms:
            layer, phase, error = gemm.split()
            self.case.assertLess(float(error), TOLERANCE, f"{layer} {PHASES[int(phase)]}")


class Gradients(smoke.Case):
    def setUp(self):
        super().setUp()
        torch.manual_seed(0)
        self.forward = Forward(self)

    def test_convolutions(self):
        convolution = self.forward.convolution
        convolution("plain", (2, 3, 7, 6), (4, 3, 3, 3), pad=(1, 1, 1, 1))
        convolution("stride2", (2, 3, 8, 8), (4, 3, 3, 3), stride=(2, 2), pad=(1, 1, 1, 1))
        convolution("stride3_remainder", (2, 3, 9, 11), (4, 3, 2, 3), stride=(3, 3))
        convolution("stride_uneven", (1, 2, 9, 7), (3, 2, 3, 2), stride=(2, 3), pad=(1, 1, 0, 0))
        convolution("stride_beyond_filter", (1, 2, 9, 9), (3, 2, 2, 2), stride=(4, 3))
        convolution("dilation", (2, 3, 9, 9), (4, 3, 3, 3), pad=(2, 2, 2, 2), dilation=(2, 2))
        convolution("dilation_stride", (1, 3, 11, 10), (2, 3, 3, 2), stride=(2, 2), dilation=(2, 3))
        convolution("groups", (2, 6, 5, 5), (4, 3, 3, 3), pad=(1, 1, 1, 1), groups=2)
        convolution("groups_stride", (2, 6, 6, 7), (9, 2, 3, 3), stride=(2, 2), groups=3)
        convolution("depthwise", (2, 5, 6, 6), (5, 1, 3, 3), stride=(2, 2), pad=(1, 1, 1, 1), groups=5)
        convolution("depthwise_multiplier", (2, 3, 6, 6), (6, 1, 3, 3), groups=3)
        convolution("lopsided", (2, 3, 8, 8), (4, 3, 3, 3), stride=(2, 2), pad=(0, 1, 0, 1))
        convolution("lopsided_more", (1, 2, 6, 5), (3, 2, 3, 3), pad=(2, 0, 1, 3))
        convolution("pointwise", (2, 5, 4, 4), (3, 5, 1, 1))
        convolution("pointwise_stride", (2, 24, 7, 7), (16, 24, 1, 1), stride=(2, 2))
        convolution("blocks", (2, 40, 6, 6), (48, 40, 3, 3), stride=(2, 2), pad=(1, 1, 1, 1))
        self.forward.check(3 * 16)

    def test_transposed_convolutions(self):
        transposed = self.forward.transposed
        transposed("plain", (2, 3, 5, 4), (3, 4, 3, 3), pad=(1, 1))
        transposed("stride2", (2, 4, 5, 5), (4, 3, 2, 2), stride=(2, 2))
        transposed("output_padding", (2, 4, 5, 4), (4, 3, 3, 3), stride=(2, 2), pad=(1, 1), output_pad=(1, 1))
        transposed("output_padding_uneven", (1, 4, 3, 4), (4, 2, 3, 2), stride=(3, 2), pad=(1, 0), output_pad=(2, 1))
        transposed("dilation", (1, 3, 4, 4), (3, 2, 3, 3), stride=(2, 2), dilation=(2, 2), output_pad=(1, 0))
        transposed("groups", (2, 6, 4, 4), (6, 2, 3, 3), stride=(2, 2), pad=(1, 1), groups=2)
        transposed("depthwise", (2, 4, 5, 5), (4, 1, 4, 4), stride=(2, 2), pad=(1, 1), groups=4)
        transposed("depthwise_multiplier", (2, 3, 5, 5), (3, 2, 3, 3), stride=(2, 2), groups=3)
        self.forward.check(3 * 8)

    def test_products(self):
        product = self.forward.product
        for left in ["mk", "km"]:
            for right in ["kn", "nk"]:
                x = (7, 5) if left == "mk" else (5, 7)
                w = (5, 9) if right == "kn" else (9, 5)
                product(f"{left}_{right}", x, w, left, right)
                product(f"batch_{left}_{right}", (3, *x), (3, *w), left, right)
        # A weight that the batch shares has its gradient from one product over all rows.
        product("shared", (3, 7, 5), (5, 9))
        product("shared_transposed", (2, 3, 7, 5), (9, 5), right="nk")
        self.forward.check(3 * 10)


if __name__ == "__main__":
    smoke.main()
