# SPDX-License-Identifier: MIT
"""Recipes: how each operand of the three GEMMs of a layer is quantised, and what multiplies them.

The recipes that the simulator has are those of sim/lowering/recipe.cpp, layer class by layer class:
  sensitive   the first and the last GEMM layer of the network, and depthwise convolutions
  pointwise   1x1 convolutions
  other       everything else; products of two activations, too

Formats of operands:
  int4        activations: PACT with a learnt alpha, unsigned after a rectifier and signed otherwise; weights: SAWB
  fp4_even, fp4_odd   gradients: radix-4, scaled by the layer's GradScale
  fp8_143, fp8_152    a power-of-two scale brings the tensor's largest magnitude into (8, 16]
  fp16        as it is
  radix2_fp4, luq, mxfp4, nvfp4, log5   docs/formats; the array does not have them, and multiplies them in FP16 mode, in
              which their levels are exact
  fp32        as it is, and torch's own product
"""

import dataclasses

from training.errors import InputError


@dataclasses.dataclass(frozen=True)
class Gemm:
    """The formats of its operands. A GEMM reads two of the three roles; a product of two activations has the format of
    weight for the right one. The accumulator is the machine's where the recipe says nothing."""

    activation: str = None
    weight: str = None
    gradient: str = None
    accumulator: str = None
    chunk: int = None


@dataclasses.dataclass(frozen=True)
class Layer:
    forward: Gemm
    dx: Gemm
    dw: Gemm


@dataclasses.dataclass(frozen=True)
class Recipe:
    """`scale` says whose scale multiplies FP4 gradients: "layer" (GradScale, Sun et al. 2020) or "global" (one for all
    layers, that follows the largest gradient of the network by the same rule)."""

    name: str
    description: str
    sensitive: Layer
    pointwise: Layer
    other: Layer
    scale: str = "layer"

    def layer(self, kind):
        return getattr(self, kind)

    @property
    def emulated(self):
        """Whether the module is needed."""
        return self.other.forward.activation != "fp32"

    def on_machine(self, accumulator, chunk):
        """The recipe with the machine's rule of accumulation wherever it has none of its own."""
        def ruled(layer):
            return Layer(*(dataclasses.replace(gemm, accumulator=gemm.accumulator or accumulator, chunk=chunk)
                           for gemm in (layer.forward, layer.dx, layer.dw)))

        return dataclasses.replace(self, sensitive=ruled(self.sensitive), pointwise=ruled(self.pointwise),
                                   other=ruled(self.other))


def _same(activation, weight, gradient, accumulator=None):
    """All GEMMs with one format for each role."""
    return Layer(forward=Gemm(activation=activation, weight=weight, accumulator=accumulator),
                 dx=Gemm(gradient=gradient, weight=weight, accumulator=accumulator),
                 dw=Gemm(gradient=gradient, activation=activation, accumulator=accumulator))


def _int4(dx, dw):
    """INT4 forward; gradients in the format of dx and the format of dw."""
    return Layer(forward=Gemm(activation="int4", weight="int4"), dx=Gemm(gradient=dx, weight="int4"),
                 dw=Gemm(gradient=dw, activation="int4"))


_FP32 = _same("fp32", "fp32", "fp32")
_FP16 = _same("fp16", "fp16", "fp16")
_FP8 = _same("fp8_143", "fp8_143", "fp8_152")
_TWO_PHASES = _int4(dx="fp4_even", dw="fp4_odd")
_ONE_PHASE = _int4(dx="fp4_even", dw="fp4_even")
_DW8 = _int4(dx="fp4_even", dw="fp8_152")
_BACKWARD_FP8 = _int4(dx="fp8_152", dw="fp8_152")
_BACKWARD_FP16 = _int4(dx="fp16", dw="fp16")
_RADIX2 = _int4(dx="radix2_fp4", dw="radix2_fp4")
_LUQ = _int4(dx="luq", dw="luq")
# The machines that these formats come from add up in binary32.
_MXFP4 = _same("mxfp4", "mxfp4", "mxfp4", accumulator="fp32")
_NVFP4 = _same("nvfp4", "nvfp4", "nvfp4", accumulator="fp32")
_LOG5 = _same("log5", "log5", "log5")

_RECIPES = [
    Recipe("fp32", "binary32, torch's own products", _FP32, _FP32, _FP32),
    Recipe("fp16", "everything in FP16", _FP16, _FP16, _FP16),
    Recipe("hfp8", "FP8 forward (1-4-3) and backward (1-5-2)", _FP16, _FP8, _FP8),
    Recipe("int4-fp4", "INT4 forward, FP4 gradients in two phases (Sun et al. 2020)", _FP16, _TWO_PHASES, _TWO_PHASES),
    Recipe("int4-fp4-single-phase", "int4-fp4 with even codes for dx and dw", _FP16, _ONE_PHASE, _ONE_PHASE),
    Recipe("int4-fp4-global-scale", "int4-fp4 with one scale for all layers", _FP16, _TWO_PHASES, _TWO_PHASES,
           scale="global"),
    Recipe("int4-fp4-radix2", "INT4 forward, radix-2 FP4 gradients", _FP16, _RADIX2, _RADIX2),
    Recipe("int4-luq", "INT4 forward, LUQ gradients (Chmiel et al. 2021)", _FP16, _LUQ, _LUQ),
    Recipe("mxfp4", "MXFP4 forward and backward, stochastic gradients", _FP16, _MXFP4, _MXFP4),
    Recipe("nvfp4", "NVFP4 forward and backward, stochastic gradients", _FP16, _NVFP4, _NVFP4),
    Recipe("log5", "5-bit base-2 logarithms everywhere (Miyashita et al. 2016)", _FP16, _LOG5, _LOG5),
    Recipe("int4-fp4-dw8", "INT4 forward, FP4 input gradients, FP8 weight gradients", _FP16, _DW8, _DW8),
    Recipe("int4-fp4-1x1-fp8", "int4-fp4 with the backward GEMMs of 1x1 convolutions in FP8", _FP16, _BACKWARD_FP8,
           _TWO_PHASES),
    Recipe("int4-fp8", "INT4 forward, FP8 backward", _FP16, _BACKWARD_FP8, _BACKWARD_FP8),
    Recipe("int4-fp16", "INT4 forward, FP16 backward", _FP16, _BACKWARD_FP16, _BACKWARD_FP16),
]
RECIPES = {recipe.name: recipe for recipe in _RECIPES}


def find_recipe(name):
    if name not in RECIPES:
        raise InputError(f"unknown recipe '{name}': expected one of {', '.join(RECIPES)}")
    return RECIPES[name]
