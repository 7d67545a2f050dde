#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Quantised layers against the same steps in plain NumPy (reference_numerics.py), exactly: forward, both gradients, the
gradient of alpha; what the recorder is told; scales, overflow and NaN. The machine adds up in binary16 here, which
NumPy has."""

import math

from support import expect_error, require, run_tests

require("numpy", "torch", "nibblesim")

import numpy
import reference_numerics as reference
import torch

from training.errors import Diverged
from training.gemm_calls import Recorder
from training.gemm_layer import GemmLayer, calibrated_alpha
from training.geometry import ActivationProduct
from training.layers import QuantisedConv, QuantisedLinear
from training.lstm import QuantisedLstm
from training.recipe import find_recipe
from training.session import Session

RANDOM = numpy.random.default_rng(3)


class Listener(Recorder):
    def __init__(self):
        self.calls, self.statistics = [], []

    def wants(self, step):
        return True

    def gemm(self, call):
        self.calls.append(call)

    def gradients(self, statistics):
        self.statistics.append(statistics)


def session(recipe, listener=None):
    torch.manual_seed(5)
    made = Session(find_recipe(recipe), 1, listener, accumulator="fp16", chunk=64)
    return made


def tensor(*shape, positive=False):
    values = RANDOM.standard_normal(shape).astype(numpy.float32)
    return torch.from_numpy(numpy.abs(values) if positive else values).requires_grad_()


def delivered(sums, scale):
    """What a GEMM delivers: sums times the scale in binary32, as FP16."""
    return reference.half(numpy.float32(sums) * numpy.float32(scale))


def same(ours, expected):
    ours = ours.detach().numpy() if isinstance(ours, torch.Tensor) else ours
    assert ours.shape == expected.shape, (ours.shape, expected.shape)
    different = numpy.argwhere(ours != expected.astype(numpy.float32))
    assert not len(different), f"{len(different)} differ, first at {different[0]}: {ours[tuple(different[0])]}, " \
                               f"expected {expected[tuple(different[0])]}"


def close(ours, expected):
    assert math.isclose(float(ours), float(expected), rel_tol=1e-5), (ours, expected)


def largest_into_window(dy):
    """The scale that brings the largest magnitude into (32, 64]."""
    return 6 - math.ceil(math.log2(numpy.abs(dy).max()))


def set_alpha(layer, which, value):
    with torch.no_grad():
        layer.alphas[which].fill_(value)
    return layer.alphas[which].item()


def four_bit_gradients(dy, scale=None):
    log2 = largest_into_window(dy) if scale is None else scale
    return reference.fp4(dy, log2, False), reference.fp4(dy, log2, True), 2.0 ** -log2


def test_linear_in_four_bits():
    """100 inputs: two chunks forward; 90 rows: two chunks of dw; 70 outputs: two chunks of dx."""
    for signed in (False, True):
        shared = session("int4-fp4")
        layer = QuantisedLinear(shared, "l", 100, 70, signed, bias=False)
        alpha = set_alpha(layer.gemm, 0, 1.75)
        x, dy = tensor(90, 100), tensor(90, 70)
        shared.begin_step()
        y = layer(x)
        y.backward(dy)
        xs, w, d = x.detach().numpy(), layer.weight.detach().numpy(), dy.detach().numpy()
        a, a_scale = (reference.symmetric if signed else reference.pact)(xs, alpha)
        b, b_scale = reference.sawb(w)
        same(y, delivered(reference.gemm(a, b.T, True), a_scale * b_scale))
        even, odd, d_scale = four_bit_gradients(d)
        dx = delivered(reference.gemm(even, b, True), d_scale * b_scale)
        dx, dalpha = reference.clip_gradient(xs, dx, alpha, signed)
        same(x.grad, dx)
        close(layer.gemm.alphas[0].grad, dalpha)
        same(layer.weight.grad, delivered(reference.gemm(odd.T, a, True), d_scale * a_scale))


def test_the_phases_of_the_recipes():
    """What the gradient is rounded to for dx and dw; with one chunk a sum is exact."""
    x, dy = tensor(12, 20, positive=True), tensor(12, 10)
    d = dy.detach().numpy()
    even, odd, d_scale = four_bit_gradients(d)
    for recipe, for_dx, for_dw in (("int4-fp4", even, odd), ("int4-fp4-single-phase", even, even)):
        shared = session(recipe)
        layer = QuantisedLinear(shared, "l", 20, 10, signed=False, bias=False)
        alpha = set_alpha(layer.gemm, 0, 9.0)  # beyond the largest, so that nothing is clipped
        x.grad = None
        layer(x).backward(dy)
        b, b_scale = reference.sawb(layer.weight.detach().numpy())
        a, a_scale = reference.pact(x.detach().numpy(), alpha)
        same(x.grad, delivered(reference.half(for_dx @ b), d_scale * b_scale))
        same(layer.weight.grad, delivered(reference.half(for_dw.T @ a), d_scale * a_scale))


def test_linear_in_eight_and_sixteen_bits():
    for recipe in ("hfp8", "fp16"):
        layer = QuantisedLinear(session(recipe), "l", 70, 20, signed=True, bias=False)
        x, dy = tensor(30, 70), tensor(30, 20)
        y = layer(x)
        y.backward(dy)
        arrays = [x.detach().numpy(), layer.weight.detach().numpy(), dy.detach().numpy()]
        if recipe == "hfp8":
            (a, a_scale), (b, b_scale) = reference.fp8_scaled(arrays[0], False), reference.fp8_scaled(arrays[1], False)
            d, d_scale = reference.fp8_scaled(arrays[2], True)
        else:
            (a, b, d), (a_scale, b_scale, d_scale) = map(reference.half, arrays), (1, 1, 1)
        same(y, delivered(reference.gemm(a, b.T, False), a_scale * b_scale))
        same(x.grad, delivered(reference.gemm(d, b, False), d_scale * b_scale))
        same(layer.weight.grad, delivered(reference.gemm(d.T, a, False), d_scale * a_scale))


def convolution_sums(x, w, dy, stride, padding, groups):
    """y from x and w, dx from dy and w, dw from dy and x, by the definition. `dy` is a pair: for dx and for dw."""
    n, c, height, width = x.shape
    k, per_group, r, s = w.shape
    padded = numpy.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    _, _, p, q = dy[0].shape
    y, dw, dpadded = numpy.zeros((n, k, p, q)), numpy.zeros(w.shape), numpy.zeros(padded.shape)
    for out in range(k):
        first = out // (k // groups) * per_group
        for i in range(p):
            for j in range(q):
                window = (slice(None), slice(first, first + per_group), slice(i * stride, i * stride + r),
                          slice(j * stride, j * stride + s))
                y[:, out, i, j] = (padded[window] * w[out]).sum((1, 2, 3))
                dw[out] += (padded[window] * dy[1][:, out, i, j, None, None, None]).sum(0)
                dpadded[window] += w[out] * dy[0][:, out, i, j, None, None, None]
    return y, dpadded[:, :, padding:padding + height, padding:padding + width], dw


def test_convolution_in_four_bits():
    """At most 64 terms in any sum, so that each is exact but for the rounding of the one chunk: forward 4 x 9 = 36, dx
    6 x 9 = 54, dw 2 x 5 x 6 = 60 (stride 1), 2 x 3 x 3 (stride 2)."""
    for kernel, stride, padding, groups in ((3, 1, 1, 1), (3, 2, 1, 1), (1, 2, 0, 1), (3, 1, 1, 2)):
        layer = QuantisedConv(session("int4-fp4"), "c", 4, 6, kernel, stride, padding, groups)
        alpha = set_alpha(layer.gemm, 0, 1.5)
        x = tensor(2, 4, 5, 6)
        y = layer(x)
        dy = tensor(*y.shape)
        y.backward(dy)
        a, a_scale = reference.pact(x.detach().numpy(), alpha)
        b, b_scale = reference.sawb(layer.weight.detach().numpy())
        even, odd, d_scale = four_bit_gradients(dy.detach().numpy())
        sums = convolution_sums(a, b, (even, odd), stride, padding, groups)
        expected = [delivered(reference.half(one), scale) for one, scale in
                    zip(sums, (a_scale * b_scale, d_scale * b_scale, d_scale * a_scale))]
        same(y, expected[0])
        dx, dalpha = reference.clip_gradient(x.detach().numpy(), expected[1], alpha, False)
        same(x.grad, dx)
        close(layer.gemm.alphas[0].grad, dalpha)
        same(layer.weight.grad, expected[2])


def test_product_of_activations_in_four_bits():
    """dx is the gradient of the left one, from even codes; dw of the right one, from odd codes."""
    for turned in (False, True):
        layer = GemmLayer(session("int4-fp4"), "p", ActivationProduct(turned), (False, True))
        alphas = [set_alpha(layer, 0, 1.25), set_alpha(layer, 1, 1.5)]
        a, b = tensor(3, 4, 8), tensor(3, 5, 8) if turned else tensor(3, 8, 5)
        y = layer.multiply(a, b)
        dy = tensor(*y.shape)
        y.backward(dy)
        p, p_scale = reference.pact(a.detach().numpy(), alphas[0])
        q, q_scale = reference.symmetric(b.detach().numpy(), alphas[1])
        even, odd, d_scale = four_bit_gradients(dy.detach().numpy())
        right = q.swapaxes(1, 2) if turned else q
        same(y, delivered(reference.half(p @ right), p_scale * q_scale))
        da = delivered(reference.half(even @ right.swapaxes(1, 2)), d_scale * q_scale)
        same(a.grad, reference.clip_gradient(a.detach().numpy(), da, alphas[0], False)[0])
        db = odd.swapaxes(1, 2) @ p if turned else p.swapaxes(1, 2) @ odd
        db = delivered(reference.half(db), d_scale * p_scale)
        db, dalpha = reference.clip_gradient(b.detach().numpy(), db, alphas[1], True)
        same(b.grad, db)
        close(layer.alphas[1].grad, dalpha)


def test_lstm_in_four_bits():
    """The state's products, step by step; the gates in binary32. The first batch sets the scale of the gradients, by
    the last time step, with which backward begins."""
    hidden, batch, length = 6, 3, 4
    layer = QuantisedLstm(session("int4-fp4"), "r", 5, hidden)
    alpha = set_alpha(layer.hh, 0, 0.5)
    set_alpha(layer.ih.gemm, 0, 2.0)
    x, dy = tensor(length, batch, 5), tensor(length, batch, hidden)
    inputs = layer.ih(x).detach()
    layer(x).backward(dy)
    w, w_scale = reference.sawb(layer.weight.detach().numpy())

    def gates_of(t, state):
        total = inputs[t]
        if t:
            codes, scale = reference.symmetric(state.numpy(), alpha)
            total = total + torch.from_numpy(delivered(codes @ w.T, scale * w_scale).astype(numpy.float32))
        i, f, g, o = total.split(hidden, 1)
        return torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)

    states, cells, gates = [torch.zeros(batch, hidden)], [torch.zeros(batch, hidden)], []
    for t in range(length):
        i, f, g, o = gates_of(t, states[-1])
        gates.append((i, f, g, o))
        cells.append(f * cells[-1] + i * g)
        states.append(o * torch.tanh(cells[-1]))
    dstate, dcell, log2, dgates, dalpha = torch.zeros(batch, hidden), torch.zeros(batch, hidden), None, {}, 0
    for t in reversed(range(length)):
        i, f, g, o = gates[t]
        squashed = torch.tanh(cells[t + 1])
        dh = dy[t].detach() + dstate
        dcell = dcell + dh * o * (1 - squashed ** 2)
        dgates[t] = torch.cat((dcell * g * i * (1 - i), dcell * cells[t] * f * (1 - f), dcell * i * (1 - g ** 2),
                               dh * squashed * o * (1 - o)), 1).numpy()
        dcell = dcell * f
        if t:
            log2 = largest_into_window(dgates[t]) if log2 is None else log2
            back = delivered(reference.fp4(dgates[t], log2, False) @ w, 2.0 ** -log2 * w_scale)
            back, share = reference.clip_gradient(states[t].numpy(), back, alpha, True)
            dstate, dalpha = torch.from_numpy(back.astype(numpy.float32)), dalpha + share
    before, scale = reference.symmetric(torch.cat(states[1:length]).numpy(), alpha)
    odd = reference.fp4(numpy.concatenate([dgates[t] for t in range(1, length)]), log2, True)
    expected = delivered(odd.T @ before, 2.0 ** -log2 * scale)
    # Gates' gradients differ in the last bit of binary32 by the order of operations; few of their codes do.
    ours = layer.weight.grad.numpy()
    assert (ours == expected.astype(numpy.float32)).mean() > 0.99, "dw of the state's product"
    close(layer.hh.alphas[0].grad, dalpha)


def test_first_last_and_depthwise_layers_are_in_sixteen_bits():
    shared = session("int4-fp4")
    kinds = {"first": "first", "middle": "middle", "last": "last"}
    layers = {key: QuantisedLinear(shared, key, 4, 4, True, position=kind) for key, kind in kinds.items()}
    layers["depthwise"] = QuantisedConv(shared, "d", 4, 4, 3, 1, 1, groups=4)
    formats = {key: layer.gemm.precision.forward.activation for key, layer in layers.items()}
    assert formats == {"first": "fp16", "middle": "int4", "last": "fp16", "depthwise": "fp16"}


def test_recorder_sees_the_gemms():
    listener = Listener()
    shared = session("int4-fp4", listener)
    layer = QuantisedLinear(shared, "l", 8, 5, signed=True, bias=False)
    x, dy = tensor(3, 8), tensor(3, 5)
    shared.begin_step()
    layer(x).backward(dy)
    shared.end_step(1.0, finite=True)
    forward, dx, dw = listener.calls
    assert [call.phase for call in listener.calls] == ["forward", "dx", "dw"]
    assert [(call.left.format, call.right.format) for call in listener.calls] == [
        ("int4_signed", "int4_signed"), ("fp4_even", "int4_signed"), ("fp4_odd", "int4_signed")]
    assert [tuple(call.attributes[key] for key in ("m", "n", "k", "left", "right")) for call in listener.calls] == [
        (3, 5, 8, "mk", "nk"), (3, 8, 5, "mk", "kn"), (5, 8, 3, "km", "kn")]
    assert forward.left.values is not None and dx.left.scale_log2 == largest_into_window(dy.detach().numpy())
    # Sums times scales are what the layer delivered.
    same(layer.weight.grad, delivered(dw.sums, dw.left.scale * dw.right.scale))
    statistics = listener.statistics[0][0]
    assert (statistics.layer, statistics.elements, statistics.scale_log2) == ("l", 15, dx.left.scale_log2)
    # Nobody asked for another step.
    listener.wants = lambda step: False
    shared.begin_step()
    layer(x).backward(dy)
    shared.end_step(1.0, finite=True)
    assert len(listener.calls) == 3 and len(listener.statistics) == 2


def steps(recipe, factors):
    """Scales of two layers after steps whose gradients are multiplied by these factors; the second layer's are 16 times
    smaller."""
    shared = session(recipe)
    layers = [QuantisedLinear(shared, name, 8, 5, True, bias=False) for name in "ab"]
    dy = tensor(3, 5).detach()
    dy *= 40 / dy.abs().max()  # the largest scaled by 1 is 40, in the window
    found = []
    for factor in factors:
        shared.begin_step()
        for layer, share in zip(layers, (1, 1 / 16)):
            layer(tensor(3, 8)).backward(dy * factor * share)
        shared.end_step(1.0, finite=True)
        found.append([layer.gemm.scale.log2 for layer in layers])
    return found


def test_scales_follow_the_gradients():
    """40 stays; 160 is an overflow, the scale is halved; then 40 times 1/2 is an underflow, it is doubled."""
    assert steps("int4-fp4", [1, 4, 1, 1]) == [[0, 4], [-1, 3], [0, 4], [0, 4]]
    # One scale follows the larger of the two.
    assert steps("int4-fp4-global-scale", [1, 4, 1, 1]) == [[0, 0], [-1, -1], [0, 0], [0, 0]]


def test_stochastic_rounding_has_a_seed_of_its_own_everywhere():
    """Steps, layers, phases and calls: all 5 x 4 x 3 x 6 seeds differ, repeat, and change with the run's seed."""
    def seeds(run):
        shared = Session(find_recipe("mxfp4"), run)
        found = []
        for shared.step in range(5):
            found += [shared.stochastic_seed(layer, phase, call) for layer in range(4)
                      for phase in ("forward", "dx", "dw") for call in range(6)]
        return found

    assert len(set(seeds(1) + seeds(2))) == 2 * 5 * 4 * 3 * 6 and seeds(1) == seeds(1)


def test_numbers_that_are_not_finite():
    """In an activation: an error that says where. In a gradient: GradScale and loss scale come down."""
    for bad, kind in ((math.nan, "NaN"), (math.inf, "infinity"), (-math.inf, "infinity")):
        for recipe in ("int4-fp4", "fp16", "hfp8"):
            layer = QuantisedLinear(session(recipe), "mine", 8, 5, True)
            x = tensor(3, 8).detach()
            x[1, 2] = bad
            expect_error(Diverged, ["step 0", "layer mine", kind, "activation of the forward GEMM"], layer, x)
    shared = session("int4-fp4")
    layer = QuantisedLinear(shared, "mine", 8, 5, True, bias=False)
    for bad in (1.0, math.inf, math.nan):
        shared.begin_step()
        dy = torch.full((3, 5), 1.0)
        dy[1, 2] = bad
        layer(tensor(3, 8)).backward(dy)
        assert shared.gradients_finite == math.isfinite(bad)
        shared.end_step(1.0, shared.gradients_finite)
    # 1.0 comes to 64 = 2^6; two overflows halve both scales twice.
    assert (layer.gemm.scale.log2, shared.loss_scale.log2) == (4, 8), (layer.gemm.scale.log2, shared.loss_scale.log2)


def test_first_clip_has_the_least_error():
    """Values on the grid of a clip are rounded without error by it, and by none of the larger ones."""
    levels = numpy.arange(16, dtype=numpy.float32) / 15
    assert calibrated_alpha(numpy.append(levels, numpy.float32(1)), signed=False) == 1.0
    # One far value costs less than coarse steps for a thousand others.
    values = numpy.append(numpy.tile(levels, 1000), numpy.float32(2)).astype(numpy.float32)
    assert calibrated_alpha(values, signed=False) == 1.0
    assert calibrated_alpha(numpy.zeros(4, numpy.float32), signed=True) == 1.0


run_tests(globals())
