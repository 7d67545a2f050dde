# SPDX-License-Identifier: MIT
"""Quantisers and matrix products in plain NumPy, written from the formats' definitions and not from models/numerics:
what the module and the layers above it are compared with. Slow."""

import math

import numpy


def half(x):
    """The nearest FP16 value, as float64."""
    with numpy.errstate(over="ignore"):
        return numpy.asarray(x, numpy.float64).astype(numpy.float16).astype(numpy.float64)


def pact(x, alpha):
    """Integers 0..15 and their unit: round(15 min(max(x, 0), alpha) / alpha), ties to even."""
    return numpy.rint(numpy.clip(x.astype(numpy.float64), 0, alpha) * 15 / alpha), alpha / 15


def symmetric(x, alpha):
    return numpy.rint(numpy.clip(x.astype(numpy.float64), -alpha, alpha) * 7 / alpha), alpha / 7


def sawb(w):
    """clip = 12.035 sqrt(E[w^2]) - 12.03 E|w|, IBM's code 403; integers -7..7."""
    w = w.astype(numpy.float64)
    clip = 12.035 * math.sqrt((w ** 2).mean()) - 12.03 * numpy.abs(w).mean()
    return symmetric(w, clip)


def fp4(x, scale_log2, odd):
    """Levels 4^-3..4^3 (half of them if odd) of FP16 gradients times 2^scale_log2: the nearest, ties upwards."""
    unit = 0.5 if odd else 1.0
    scaled = half(x) * 2.0 ** scale_log2 / unit
    levels = [0.0] + [4.0 ** n for n in range(-3, 4)]
    # 4^n begins at the middle between it and 4^(n-1), for the lowest level 4^-4: 4^n / 1.6.
    codes = sum((numpy.abs(scaled) >= level / 1.6).astype(int) for level in levels[1:])
    return numpy.sign(scaled) * numpy.array(levels)[codes] * unit


def fp8(x, exponent_bits, fraction_bits, bias, largest):
    """Nearest number, ties to even, with subnormals, saturating."""
    x = numpy.asarray(x, numpy.float64)
    _, exponent = numpy.frexp(x)
    exponent = numpy.maximum(exponent - 1, 1 - bias)
    quantum = numpy.exp2((exponent - fraction_bits).astype(numpy.float64))
    return numpy.clip(numpy.rint(x / quantum) * quantum, -largest, largest)


def fp8_scaled(x, gradient):
    """Brought into (8, 16] by a power of two; the numbers and their unit."""
    scale = 2.0 ** (4 - math.ceil(math.log2(numpy.abs(x).max())))
    rounded = fp8(x * scale, 5, 2, 15, 57344) if gradient else fp8(x * scale, 4, 3, 7, 448)
    return rounded, 1 / scale


def gemm(a, b, exact, chunk=64):
    """Sums of chunks: exactly, or in binary32 term by term; then added to a running FP16 sum."""
    m, k = a.shape
    total = numpy.zeros((m, b.shape[1]))
    for first in range(0, k, chunk):
        terms = slice(first, first + chunk)
        if exact:
            part = a[:, terms] @ b[terms]
        else:
            part = numpy.zeros(total.shape, numpy.float32)
            for one in range(first, min(k, first + chunk)):
                product = numpy.float32(a[:, one:one + 1]) * numpy.float32(b[one:one + 1])
                part = part + product
        total = half(total + part.astype(numpy.float64))
    return total


def clip_gradient(x, dx, alpha, signed):
    """What passes to x, and what belongs to alpha."""
    if signed:
        return dx * (numpy.abs(x) <= alpha), (dx * numpy.sign(x))[numpy.abs(x) >= alpha].sum()
    return dx * ((x >= 0) & (x <= alpha)), dx[x >= alpha].sum()
