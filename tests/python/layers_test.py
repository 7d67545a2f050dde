#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Layers in FP32 against torch's own, outputs and all gradients to 1e-6 of the largest."""

from support import require, run_tests

require("numpy", "torch")

import torch
from torch.nn import functional

from training.layers import CausalAttention, QuantisedConv, QuantisedLinear
from training.lstm import QuantisedLstm
from training.recipe import find_recipe
from training.session import Session


def session():
    torch.manual_seed(7)
    return Session(find_recipe("fp32"))


def agree(ours, theirs):
    assert ours.shape == theirs.shape
    worst = (ours - theirs).abs().max().item() / theirs.abs().max().item()
    assert worst <= 1e-6, f"differs by {worst}"


def compare(ours, theirs, *tensors):
    """Two functions of the same tensors: the outputs, and the gradients of a weighted sum of them."""
    outputs = []
    for act in (ours, theirs):
        for tensor in tensors:
            tensor.grad = None
        y = act()
        (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
        outputs.append((y, [tensor.grad for tensor in tensors]))
    agree(outputs[0][0], outputs[1][0])
    for mine, other in zip(outputs[0][1], outputs[1][1]):
        agree(mine, other)


def test_convolution():
    for kernel, stride, padding, groups in ((3, 1, 1, 1), (3, 2, 1, 1), (1, 2, 0, 1), (3, 1, 1, 2), (3, 2, 1, 6)):
        layer = QuantisedConv(session(), "c", 6, 12, kernel, stride, padding, groups)
        x = torch.randn(3, 6, 9, 8, requires_grad=True)
        compare(lambda: layer(x), lambda: functional.conv2d(x, layer.weight, None, stride, padding, 1, groups),
                x, layer.weight)


def test_linear():
    layer = QuantisedLinear(session(), "l", 20, 30, signed=True)
    x = torch.randn(4, 5, 20, requires_grad=True)
    compare(lambda: layer(x), lambda: functional.linear(x, layer.weight, layer.bias), x, layer.weight, layer.bias)


def test_lstm_in_both_directions():
    for reverse in (False, True):
        layer = QuantisedLstm(session(), "r", 5, 7, reverse)
        theirs = torch.nn.LSTM(5, 7)
        with torch.no_grad():
            theirs.bias_hh_l0.zero_()
        theirs.weight_ih_l0, theirs.bias_ih_l0 = layer.ih.weight, layer.ih.bias
        theirs.weight_hh_l0 = layer.weight
        x = torch.randn(6, 3, 5, requires_grad=True)

        def own():
            return theirs(x.flip(0))[0].flip(0) if reverse else theirs(x)[0]

        compare(lambda: layer(x), own, x, layer.weight, layer.ih.weight, layer.ih.bias)


def test_attention():
    layer = CausalAttention(session(), "a", 12, 3)
    theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True)
    theirs.in_proj_weight, theirs.in_proj_bias = layer.qkv.weight, layer.qkv.bias
    theirs.out_proj.weight, theirs.out_proj.bias = layer.out.weight, layer.out.bias
    x = torch.randn(2, 5, 12, requires_grad=True)
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    compare(lambda: layer(x), lambda: theirs(x, x, x, attn_mask=future, need_weights=False)[0], x, layer.qkv.weight,
            layer.qkv.bias, layer.out.weight)


run_tests(globals())
