# SPDX-License-Identifier: MIT
"""The formats and the sums of the array once more, in NumPy and from their definitions; for the tests of the module."""

import sys

try:
    import numpy as np
    import nibblesim  # noqa: F401: the module under test
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

np.seterr(invalid="ignore", over="ignore")  # infinities and NaNs are among the inputs

FORMATS = ["int4_signed", "int4_unsigned", "fp4_even", "fp4_odd", "fp8_143", "fp8_152", "fp16"]
CODES = {form: 16 for form in FORMATS[:4]} | {"fp8_143": 256, "fp8_152": 256, "fp16": 65536}


def all_halves():
    """Every FP16 number, infinities and NaNs among them, as float32."""
    return np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)


def all_codes(form):
    return np.arange(CODES[form], dtype=np.uint16 if form == "fp16" else np.uint8)


def value(code, form):
    """What one code stands for."""
    if form == "int4_signed":
        return code - 16 if code >= 8 else code
    if form == "int4_unsigned":
        return code
    if form.startswith("fp4"):  # sign, and c: 4^(c - 4), halved in the odd phase; c = 0 is zero
        level = 4.0 ** ((code & 7) - 4) / (2 if form == "fp4_odd" else 1) if code & 7 else 0.0
        return -level if code & 8 and level else level
    bits, bias, fraction_bits = {"fp8_143": (8, 7, 3), "fp8_152": (8, 15, 2), "fp16": (16, 15, 10)}[form]
    magnitude = code & ((1 << (bits - 1)) - 1)
    exponent, fraction = magnitude >> fraction_bits, magnitude % (1 << fraction_bits)
    sign = -1.0 if code >> (bits - 1) else 1.0
    if form == "fp8_143" and magnitude == 0x7f:
        return np.nan
    if form != "fp8_143" and exponent == (1 << (bits - 1 - fraction_bits)) - 1:
        return np.nan if fraction else sign * np.inf
    significand = fraction / 2.0 ** fraction_bits + (1 if exponent else 0)
    return sign * significand * 2.0 ** (max(exponent, 1) - bias)


def values(codes, form):
    table = np.array([value(code, form) for code in range(CODES[form])])
    return table[codes]


def nearest(x, levels, tie):
    """Index of the level nearest to each magnitude x. `levels` ascend from 0; tie: 'even' index or 'up'."""
    levels = np.asarray(levels, np.float64)
    below = np.clip(np.searchsorted(levels, x, side="right") - 1, 0, len(levels) - 2)
    middle = (levels[below] + levels[below + 1]) / 2
    at_tie = (below % 2 == 1) if tie == "even" else np.full(np.shape(x), True)
    return below + ((x > middle) | ((x == middle) & at_tie))


def around(levels):
    """Float32 numbers at, just below and just above each level and each midpoint of two levels, of both signs."""
    levels = np.asarray(levels, np.float64)
    points = np.concatenate([levels, (levels[1:] + levels[:-1]) / 2]).astype(np.float32)
    near = np.concatenate([points, np.nextafter(points, np.float32(0)), np.nextafter(points, np.float32(np.inf))])
    return np.concatenate([near, -near])


def dlfloat16_levels():
    """Every non-negative DLFloat16 number: 6 bits of exponent with bias 31, 9 of fraction, no subnormals."""
    fraction = 1 + np.arange(512) / 512
    levels = np.concatenate([fraction * 2.0 ** (exponent - 31) for exponent in range(64)])
    levels[0] = 0  # the code of the lowest number is zero's
    return levels[:-1]  # and that of the highest is infinity


def round_dlfloat16(x):
    levels = dlfloat16_levels()
    magnitude = np.abs(np.asarray(x, np.float64))
    infinite = ~(magnitude < 2.0 ** 32 * (2 - 2.0 ** -9))
    # Nearest in the place of the last bit, which below the lowest number is that of its binade: half of it goes up only
    # if what comes out is at least the lowest number.
    rounded = levels[nearest(np.where(infinite, 0, magnitude), levels, "up")]
    rounded = np.where(magnitude < 2.0 ** -31 * (1 + 2.0 ** -10), 0, rounded)
    result = np.where(infinite, np.copysign(np.inf, x), np.where(rounded, np.copysign(rounded, x), 0))
    return np.where(np.isnan(x), np.inf, result)


ROUNDED = {
    "fp16": lambda x: x.astype(np.float16).astype(np.float64),
    "dlfloat16": round_dlfloat16,
    "fp32": lambda x: x.astype(np.float32).astype(np.float64),
}


def product(a, b, exact, chunk, accumulator):
    """Sums of a (m, k) times b (k, n): chunks exactly or term by term in float32; rounded after every chunk."""
    partial = np.zeros((a.shape[0], b.shape[1]))
    for start in range(0, a.shape[1], chunk):
        terms = range(start, min(start + chunk, a.shape[1]))
        if exact:
            total = a[:, terms] @ b[terms, :]
        else:
            total = np.zeros(partial.shape, np.float32)
            for term in terms:
                total += (a[:, term, None] * b[None, term, :]).astype(np.float32)
        partial = ROUNDED[accumulator](partial + total.astype(np.float64))
    return partial.astype(np.float32)


def is_exact(a_format, b_format):
    return CODES[a_format] == 16 and CODES[b_format] == 16


def convolution_terms(phase, x_shape, w_shape, stride, padding, dilation, groups):
    """For each output of a convolution's product: the index of each of its terms in the first and the second operand, in
    the order of the array, or None for padding. Operands: x, w (forward); dy, w (dx); x, dy (dw). All NCHW, KCRS."""
    (n, c, h, w), (k, per_group, r, s) = x_shape, w_shape
    p = (h + 2 * padding[0] - dilation[0] * (r - 1) - 1) // stride[0] + 1
    q = (w + 2 * padding[1] - dilation[1] * (s - 1) - 1) // stride[1] + 1
    taps = [(i, j) for i in range(r) for j in range(s)]
    filters = k // groups

    def pixel(at_p, at_q, tap):
        at_h = at_p * stride[0] + tap[0] * dilation[0] - padding[0]
        at_w = at_q * stride[1] + tap[1] * dilation[1] - padding[1]
        return (at_h, at_w) if 0 <= at_h < h and 0 <= at_w < w else None

    if phase == "forward":
        for image, out, at_p, at_q in np.ndindex(n, k, p, q):
            terms = []
            for tap in taps:
                at = pixel(at_p, at_q, tap)
                for channel in range(per_group):
                    source = (image, out // filters * per_group + channel, *at) if at else None
                    terms.append((source, (out, channel, *tap)))
            yield (image, out, at_p, at_q), terms
    elif phase == "dx":
        for image, channel, at_h, at_w in np.ndindex(n, c, h, w):
            terms = []
            for tap in taps:
                up = at_h + padding[0] - tap[0] * dilation[0]
                left = at_w + padding[1] - tap[1] * dilation[1]
                if up % stride[0] or left % stride[1]:
                    continue
                inside = 0 <= up // stride[0] < p and 0 <= left // stride[1] < q
                for out in range(filters):
                    out += channel // per_group * filters
                    source = (image, out, up // stride[0], left // stride[1]) if inside else None
                    terms.append((source, (out, channel % per_group, *tap)))
            yield (image, channel, at_h, at_w), terms
    else:
        for out, channel, i, j in np.ndindex(k, per_group, r, s):
            terms = []
            for image, at_p, at_q in np.ndindex(n, p, q):
                at = pixel(at_p, at_q, (i, j))
                source = (image, out // filters * per_group + channel, *at) if at else None
                terms.append((source, (image, out, at_p, at_q)))
            yield (out, channel, i, j), terms


def convolution(phase, first, second, x_shape, w_shape, geometry, exact, chunk, accumulator, shape):
    """The product of decoded operands, output by output."""
    out = np.zeros(shape, np.float32)
    for index, terms in convolution_terms(phase, x_shape, w_shape, **geometry):
        a = np.array([[first[i] if i is not None else 0.0 for i, _ in terms]])
        b = np.array([[second[j]] for _, j in terms]).reshape(len(terms), 1)
        out[index] = product(a, b, exact, chunk, accumulator)[0, 0]
    return out
