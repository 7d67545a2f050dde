# SPDX-License-Identifier: MIT
"""Operands: float32 arrays brought into the format in which a GEMM takes them.

Array formats become codes, which the module makes. Formats that the array does not have become numbers on the
format's grid, multiplied by a power of two that keeps sums of products well within binary16.
"""

import math

import numpy

from training.gemm_calls import Operand
from training.numerics import module

CODED = {"int4_signed", "int4_unsigned", "fp4_even", "fp4_odd", "fp8_143", "fp8_152", "fp16"}
# Largest magnitudes of operands after scaling: (8, 16], as recorded_values.h chooses for FP8.
_WINDOW_LOG2 = 4


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
    log2 = module().scale_log2_into(largest_magnitude(values), _WINDOW_LOG2)
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


def on_grid(role, values, name, axis, seed):
    """A format without codes. Block formats (mxfp4, nvfp4) have their blocks along `axis`. The gradients of block
    formats, and LUQ, are rounded stochastically by `seed`."""
    stochastic = {"rounding": "stochastic", "seed": seed} if role == "gradient" else {}
    if name == "luq":
        levels = module().luq(values, seed)
    elif name == "mxfp4":
        levels = module().mxfp4(values, axis=axis, **stochastic)
    elif name == "nvfp4":
        two_dimensional = {"two_dimensional": True} if role == "weight" else {}
        levels = module().nvfp4(values, axis=axis, **stochastic, **two_dimensional)
    else:
        levels = module().log5(values)
    return scaled(role, values, name, levels, module().scale_log2_into(largest_magnitude(levels), _WINDOW_LOG2))


def scaled(role, values, name, levels, log2):
    return Operand(role, values, name, levels=levels * numpy.float32(math.ldexp(1.0, log2)),
                   scale=math.ldexp(1.0, -log2), scale_log2=log2)


def numbers(operand):
    """What a GEMM of numbers multiplies: the levels, or the numbers that the codes stand for."""
    if operand.levels is None:
        operand.levels = module().decode(operand.codes, operand.format)
    return operand.levels
