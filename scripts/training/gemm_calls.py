# SPDX-License-Identifier: MIT
"""What training tells a recorder: every quantised GEMM that it executes, and what each step did to the gradients.

A recorder is any object with the methods of Recorder, given to scripts/training/session.py. A session without one pays
one comparison a GEMM. All tensors are NumPy arrays. Nothing is copied: a recorder that keeps an array beyond the call
that gave it must copy it.
"""

import dataclasses

import numpy


ARRAY_FORMATS = ("int4_signed", "int4_unsigned", "fp4_even", "fp4_odd", "fp8_143", "fp8_152", "fp16")


@dataclasses.dataclass
class Operand:
    """One operand of a GEMM, as it was and as the array takes it.

    role      "activation", "weight" or "gradient"; of a product of two activations both are "activation" forward.
    values    the float32 tensor before quantisation. Convolutions: N,C,H,W; K,C/groups,R,S; N,K,P,Q. Products: with the
              batch dimensions that the product has, in the layout that the call's `layout` gives. Padding is not in it.
    format    an array format (int4_signed, int4_unsigned, fp4_even, fp4_odd, fp8_143, fp8_152, fp16), or the name of
              one that the array does not have (radix2_fp4, luq, mxfp4, nvfp4, log5).
    codes     operand codes, uint8 (fp16: uint16), of the same shape as values, in array_format: `format` where the
              array has it, and fp16 otherwise, in which the levels of the others are exact.
    scale     what a code's number is multiplied by: value = number(code) * scale. A Python float.
    clip      the limit that the format's range was stretched to (SAWB's clip, PACT's alpha); None for other formats.
    scale_log2  where the scale is a power of two (fp4, fp8, radix2_fp4, mxfp4, log5): numbers were multiplied by
              2^scale_log2 first, and scale = 2^-scale_log2. 0 for fp16; None for int4, luq and nvfp4.
    """

    role: str
    values: numpy.ndarray
    format: str
    codes: numpy.ndarray
    scale: float = 1.0
    clip: float = None
    scale_log2: int = None

    @property
    def array_format(self):
        return self.format if self.format in ARRAY_FORMATS else "fp16"


@dataclasses.dataclass
class GemmCall:
    """One GEMM on the array: out = left x right, in the terms of traces/FORMAT.md.

    layer     name of the layer, the same in all phases and steps ("layer1.0.conv1", "lstm1.forward.hh")
    position  "first", "middle" or "last" GEMM layer of the network
    phase     "forward", "dx" or "dw"; of a product of two activations, dx is the gradient of the left operand and dw
              that of the right one
    kind      "conv" or "matmul"
    left, right  operands. conv: x, w (forward); dy, w (dx); dy, x (dw). matmul forward: x, w; dx: dy, w; dw: dy, x
              where x is m,k, w is n,k and dy is m,n. Products of two activations: a, b; dy, b; a, dy (dy, a if b lies
              n,k, so that the result lies as b does).
    attributes  conv: n, c, h, w, k, r, s, stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right, dilation_h,
              dilation_w, groups of the layer's forward convolution. matmul: batch, m, n, k of this GEMM and how its
              operands lie, left "mk" or "km", right "kn" or "nk".
    call      counts the calls of this layer and phase within the training step, from 0 (the time steps of an LSTM)
    sums      raw sums in the accumulator's format, in units of left.scale * right.scale; shape of the result
    chunk, accumulator  the accumulation rule
    """

    layer: str
    position: str
    phase: str
    kind: str
    left: Operand
    right: Operand
    attributes: dict
    call: int
    sums: numpy.ndarray
    chunk: int
    accumulator: str


@dataclasses.dataclass
class GradientStatistics:
    """What quantisation did to one layer's output gradient in one training step, all calls together.

    Of the FP4 recipes with a power-of-two scale. `saturated` and `underflowed` are counts, as in
    models/log_gradient/gradient_values.h; scale_log2 is the scale that was in force during the step, relative to
    gradients that carry the loss scale 2^loss_scale_log2.
    """

    layer: str
    step: int
    elements: int = 0
    largest_scaled: float = 0.0
    saturated_even: int = 0
    saturated_odd: int = 0
    underflowed_even: int = 0
    underflowed_odd: int = 0
    scale_log2: int = 0
    loss_scale_log2: int = 0


class Recorder:
    """The interface, doing nothing. `step` counts training steps from 0 and goes on after a resume."""

    def wants(self, step):
        """Whether gemm() is to be called during this step. Asked once, before the step."""
        return False

    def begin_step(self, step):
        """Before the forward pass of a step that is wanted."""

    def gemm(self, call):
        """A GemmCall of a step that is wanted, in the order of execution. Calls while evaluating are not reported."""

    def end_step(self, step, loss):
        """After the optimiser of a step that is wanted; the loss as a float, without the loss scale."""

    def gradients(self, statistics):
        """Every step, wanted or not: a list of GradientStatistics, one for each layer, in the order of layers."""
