# SPDX-License-Identifier: MIT
"""Convolution, linear layer and attention as modules; names are those that recordings and reports use."""

import math

import torch

from training.gemm_layer import GemmLayer
from training.geometry import ActivationProduct, Convolution, Linear


class QuantisedConv(torch.nn.Module):
    """Without bias: batch normalisation follows. Weights: He et al. 2015, fan out."""

    def __init__(self, session, name, inputs, outputs, kernel, stride=1, padding=0, groups=1, position="middle"):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        torch.nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        geometry = Convolution(inputs, kernel, stride, padding, groups)
        self.gemm = GemmLayer(session, name, geometry, signed=False, position=position)

    def forward(self, x):
        return self.gemm.multiply(x, self.weight)


class QuantisedLinear(torch.nn.Module):
    """Any leading dimensions; the bias is added in binary32. Weights and bias: uniform in +-1/sqrt(inputs)."""

    def __init__(self, session, name, inputs, outputs, signed, position="middle", bias=True):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = torch.nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = torch.nn.Parameter(torch.empty(outputs).uniform_(-bound, bound)) if bias else None
        self.gemm = GemmLayer(session, name, Linear(), signed, position)

    def forward(self, x):
        y = self.gemm.multiply(x.reshape(-1, x.shape[-1]), self.weight)
        y = y if self.bias is None else y + self.bias
        return y.reshape(*x.shape[:-1], -1)


class CausalAttention(torch.nn.Module):
    """Multi-head self-attention over what came before: two linear layers and two products of activations."""

    def __init__(self, session, name, width, heads, position="middle"):
        super().__init__()
        self.heads = heads
        self.qkv = QuantisedLinear(session, f"{name}.qkv", width, 3 * width, signed=True, position=position)
        self.scores = GemmLayer(session, f"{name}.scores", ActivationProduct(right_turned=True), (True, True))
        self.mixed = GemmLayer(session, f"{name}.mixed", ActivationProduct(right_turned=False), (False, True))
        self.out = QuantisedLinear(session, f"{name}.out", width, width, signed=True)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).flatten(1, 2)
        scores = self.scores.multiply(q, k) / math.sqrt(width // self.heads)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        chances = torch.softmax(scores.masked_fill(future, -math.inf), dim=-1)
        mixed = self.mixed.multiply(chances, v).reshape(batch, self.heads, length, -1)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))
