# SPDX-License-Identifier: MIT
"""Operands: float32 arrays brought into the format in which a GEMM takes them.

Array formats become codes, which the module makes. Formats that the array does not have become numbers on the
format's grid in a unit of the tensor's own, in which they are FP16 numbers, exactly: the array takes them as these.
"""

import dataclasses
import math

import numpy

from training.gemm_calls import Operand
from training.numerics import module


def largest_magnitude(values):
    """0 for no elements; NaN if there is one."""
    return float(max(values.max(), -values.min())) if values.size else 0.0


def int4_activation(values, alpha, signed):
    """PACT (unsigned), or its symmetric counterpart: [-alpha, alpha] to -7..7."""
    if signed:
        codes, scale = module().int4_symmetric(values, alpha)
        return Operand("activation", values, "int4_signed", codes, scale=scale, clip=alpha)
    codes, scale = module().pact(values, alpha)
    return Operand("activation", values, "int4_unsigned", codes, scale=scale, clip=alpha)


def int4_weight(values):
    """SAWB with 15 levels: what a signed INT4 multiplicand holds."""
    codes, scale, clip = module().sawb(values)
    return Operand("weight", values, "int4_signed", codes, scale=scale, clip=clip)


def fp8(role, values, name):
    log2 = module().scale_log2_into(largest_magnitude(values), module().fp8_largest_log2)
    return Operand(role, values, name, module().fp8(values, name, log2), scale=math.ldexp(1.0, -log2),
                   scale_log2=log2)


def fp16(role, values):
    return Operand(role, values, "fp16", module().half(values), scale_log2=0)


def fp4_pair(values, scale_log2):
    """Both phases of a gradient, and what scaling did to it."""
    even, odd, statistics = module().fp4_pair(values, scale_log2)
    scale = math.ldexp(1.0, -scale_log2)
    pair = {name: Operand("gradient", values, name, codes, scale=scale, scale_log2=scale_log2)
            for name, codes in (("fp4_even", even), ("fp4_odd", odd))}
    return pair, statistics


def joined_pair(pairs, values):
    """The pair of all time steps together, `values`, from the pairs of each; None where their scales differ."""
    if len({pair["fp4_even"].scale_log2 for pair in pairs}) != 1:
        return None
    return {name: dataclasses.replace(pairs[0][name], values=values,
                                      codes=numpy.concatenate([pair[name].codes for pair in pairs]))
            for name in pairs[0]}


def radix2(values, scale_log2):
    """Radix-2 FP4 by a scale that is meant for radix 4: its largest level is 8 and not 64, so that GradScale's window
    (32, 64] is (4, 8] here."""
    log2 = scale_log2 - 3
    levels = module().radix2_fp4(values, log2)
    largest = math.ldexp(largest_magnitude(values), scale_log2)
    found = {"largest_scaled": largest, "elements": values.size,
             "underflowed_even": int(((levels == 0) & (values != 0)).sum()),
             "saturated_even": int((numpy.abs(values) > math.ldexp(8.0, -log2)).sum())}
    return _as_half("gradient", values, "radix2_fp4", levels, math.ldexp(1.0, -log2), log2), found


def on_grid(role, values, name, axis, seed):
    """A format that the array does not have. Block formats (mxfp4, nvfp4) have their blocks along `axis`. The
    gradients of block formats, and LUQ, are rounded stochastically by `seed`."""
    stochastic = {"rounding": "stochastic", "seed": seed} if role == "gradient" else {}
    if name == "luq":
        levels = module().luq(values, seed)
        # Powers of two times the largest magnitude, which need not be one.
        return _as_half(role, values, name, levels, largest_magnitude(levels) / 16 or 1.0, None)
    if name == "nvfp4":
        levels = _nvfp4_weight(values) if role == "weight" else module().nvfp4(values, axis=axis, **stochastic)
        # E2M1 times E4M3 times the tensor's scale, by which the largest product is 6 x 448.
        return _as_half(role, values, name, levels, largest_magnitude(values) / (6 * 448) or 1.0, None)
    levels = module().mxfp4(values, axis=axis, **stochastic) if name == "mxfp4" else module().log5(values)
    log2 = module().scale_log2_into(largest_magnitude(levels), module().fp8_largest_log2)
    return _as_half(role, values, name, levels, math.ldexp(1.0, -log2), log2)


def _nvfp4_weight(values):
    """Tiles of 16 outputs by 16 inputs; the inputs of a convolution are taps by channels."""
    if values.ndim == 2:
        return module().nvfp4(values, two_dimensional=True)
    k, c, r, s = values.shape
    matrix = module().nvfp4(values.transpose(0, 2, 3, 1).reshape(k, -1), two_dimensional=True)
    return matrix.reshape(k, r, s, c).transpose(0, 3, 1, 2)


def _as_half(role, values, name, levels, unit, log2):
    """`levels` in units of `unit` have at most seven significant bits: FP16 holds them, but for what is smaller than
    2^-24 units."""
    return Operand(role, values, name, module().half(levels * numpy.float32(1 / unit)), scale=unit, scale_log2=log2)
