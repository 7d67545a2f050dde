# SPDX-License-Identifier: MIT
"""What the three GEMMs of a layer look like: convolution, linear layer, product of two activations.

Each geometry has forward, dx and dw, given their two operands as operands.py makes them, in the order of GemmCall, and
returns sums as NumPy arrays in the shape of the result; torch_* are the same in binary32 on tensors.
`block_axis` is the axis of the reduction of a phase along which block formats have their blocks.
"""

import numpy
import torch

from training.numerics import module


class Linear:
    """y = x w', x: rows by inputs, w: outputs by inputs."""

    kind = "matmul"
    pointwise = depthwise = activation_left_in_dw = False
    block_axis = {"forward": {"activation": -1, "weight": -1}, "dx": {"gradient": -1, "weight": 0},
                  "dw": {"gradient": 0, "activation": 0}}

    def forward(self, gemm, x, w):
        return multiply(gemm, x, w, right_turned=True)

    def dx(self, gemm, dy, w, _):
        return multiply(gemm, dy, w)

    def dw(self, gemm, dy, x, _):
        return multiply(gemm, dy, x, left_turned=True)

    def torch_forward(self, x, w):
        return x @ w.t()

    def torch_backward(self, dy, x, w, need):
        return dy @ w if need[0] else None, dy.t() @ x if need[1] else None

    def attributes(self, phase, x, w):
        """Of shapes of x and w."""
        m, n, k = x[0], w[0], w[1]
        if phase == "forward":
            return _product(1, m, n, k, "mk", "nk")
        if phase == "dx":
            return _product(1, m, k, n, "mk", "kn")
        return _product(1, n, k, m, "km", "kn")


class ActivationProduct:
    """y = a b for every matrix of a batch; a: batch, m, k; b: batch, k, n. If `right_turned`, b is batch, n, k."""

    kind = "matmul"
    pointwise = depthwise = False

    def __init__(self, right_turned):
        self.right_turned = right_turned
        self.activation_left_in_dw = not right_turned
        along, across = (-1, -2) if right_turned else (-2, -1)
        self.block_axis = {"forward": {"activation": -1, "weight": along}, "dx": {"gradient": -1, "weight": across},
                           "dw": {"gradient": -2, "activation": -2}}

    def forward(self, gemm, a, b):
        return multiply(gemm, a, b, right_turned=self.right_turned)

    def dx(self, gemm, dy, b, _):
        return multiply(gemm, dy, b, right_turned=not self.right_turned)

    def dw(self, gemm, dy, a, _):
        """The result lies as b does: a' dy, or dy' a."""
        if self.right_turned:
            return multiply(gemm, dy, a, left_turned=True)
        return multiply(gemm, a, dy, left_turned=True)

    def torch_forward(self, a, b):
        return a @ (b.transpose(-1, -2) if self.right_turned else b)

    def torch_backward(self, dy, a, b, need):
        da = dy @ (b if self.right_turned else b.transpose(-1, -2)) if need[0] else None
        if not need[1]:
            return da, None
        return da, dy.transpose(-1, -2) @ a if self.right_turned else a.transpose(-1, -2) @ dy

    def attributes(self, phase, a, b):
        """Of shapes of a and b."""
        batch, m, k = a
        n = b[1] if self.right_turned else b[2]
        if phase == "forward":
            return _product(batch, m, n, k, "mk", "nk" if self.right_turned else "kn")
        if phase == "dx":
            return _product(batch, m, k, n, "mk", "kn" if self.right_turned else "nk")
        return _product(batch, n, k, m, "km", "kn") if self.right_turned else _product(batch, k, n, m, "km", "kn")


class Convolution:
    """x: N,C,H,W; w: K,C/groups,R,S; y: N,K,P,Q. Blocks lie along channels, and for dw along the batch: an element of x
    meets other elements of dy in every tap, but the same image."""

    kind = "conv"
    activation_left_in_dw = False
    block_axis = {"forward": {"activation": 1, "weight": 1}, "dx": {"gradient": 1, "weight": 0},
                  "dw": {"gradient": 0, "activation": 0}}

    def __init__(self, channels, kernel, stride, padding, groups):
        self.kernel, self.stride, self.padding, self.groups = (kernel,) * 2, (stride,) * 2, (padding,) * 2, groups
        self.pointwise = kernel == 1
        self.depthwise = groups > 1 and groups == channels
        self._how = {"stride": self.stride, "padding": self.padding, "dilation": (1, 1), "groups": groups}

    def forward(self, gemm, x, w):
        return module().conv_forward(x.codes, w.codes, x.array_format, w.array_format, **self._how, **rule(gemm))

    def dx(self, gemm, dy, w, x_shape):
        return module().conv_dx(dy.codes, w.codes, dy.array_format, w.array_format, input_size=tuple(x_shape[2:]),
                                **self._how, **rule(gemm))

    def dw(self, gemm, dy, x, _):
        return module().conv_dw(x.codes, dy.codes, x.array_format, dy.array_format, kernel_size=self.kernel,
                                **self._how, **rule(gemm))

    def torch_forward(self, x, w):
        return torch.nn.functional.conv2d(x, w, None, self.stride, self.padding, 1, self.groups)

    def torch_backward(self, dy, x, w, need):
        dx, dw, _ = torch.ops.aten.convolution_backward(dy, x, w, [0], self.stride, self.padding, [1, 1], False, [0, 0],
                                                        self.groups, [need[0], need[1], False])
        return dx, dw

    def attributes(self, _, x_shape, w_shape):
        n, c, h, w = x_shape
        return {"n": n, "c": c, "h": h, "w": w, "k": w_shape[0], "r": w_shape[2], "s": w_shape[3],
                "stride_h": self.stride[0], "stride_w": self.stride[1], "pad_top": self.padding[0],
                "pad_left": self.padding[1], "pad_bottom": self.padding[0], "pad_right": self.padding[1],
                "dilation_h": 1, "dilation_w": 1, "groups": self.groups}


def _product(batch, m, n, k, left, right):
    return {"batch": batch, "m": m, "n": n, "k": k, "left": left, "right": right}


def rule(gemm):
    return {"chunk": gemm.chunk, "accumulator": gemm.accumulator}


def multiply(gemm, left, right, left_turned=False, right_turned=False):
    """left x right, either of them turned on its side first; matrices, or batches of them."""
    a, b = left.codes, right.codes
    a = a.swapaxes(-1, -2) if left_turned else a
    b = b.swapaxes(-1, -2) if right_turned else b
    if a.ndim == 2:
        return module().gemm(a, b, left.array_format, right.array_format, **rule(gemm))
    sums = numpy.empty((len(a), a.shape[1], b.shape[2]), numpy.float32)
    for one, (x, y) in enumerate(zip(a, b)):
        sums[one] = module().gemm(x, y, left.array_format, right.array_format, **rule(gemm))
    return sums
