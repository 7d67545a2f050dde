# SPDX-License-Identifier: MIT
"""The part that convolution, linear layer, LSTM and attention have in common: operands quantised as the recipe says,
three GEMMs, results scaled and rounded to FP16, and all of it told to the recorder."""

import math

import numpy
import torch

from training import operands
from training.errors import Diverged
from training.gemm_calls import GemmCall
from training.numerics import module


class GemmLayer(torch.nn.Module):
    """One GEMM layer of the network.

    `signed` says whether activations may be negative: one bool, or two for a product of two activations. The clips of
    INT4 activations, alpha, are parameters; the first batch sets them (calibrated_alpha()).
    """

    def __init__(self, session, name, geometry, signed, position="middle"):
        super().__init__()
        self.session, self.name, self.geometry, self.position = session, name, geometry, position
        sensitive = geometry.depthwise or position != "middle"
        kind = "sensitive" if sensitive else "pointwise" if geometry.pointwise else "other"
        self.precision = session.recipe.layer(kind)
        self.signed = signed if isinstance(signed, tuple) else (signed,)
        self.two_activations = len(self.signed) == 2
        self.alphas = torch.nn.ParameterList()
        if self.precision.forward.activation == "int4":
            self.alphas.extend(torch.nn.Parameter(torch.zeros(())) for _ in self.signed)
        self.number = session.register(self)
        self.scale = session.gradient_scale()
        self._weight_operands, self._weight_version = {}, None
        self.begin_step()

    def begin_step(self):
        self.statistics = self.session.new_statistics(self.name)
        self._calls = {}

    def alpha(self, which):
        return self.alphas[which] if len(self.alphas) else None

    def multiply(self, left, right):
        """The layer's forward GEMM, differentiable: x and weight, or two activations."""
        return _Gemm.apply(left, right, self.alpha(0), self.alpha(1) if self.two_activations else None, self)

    # Operands -------------------------------------------------------------------------------------------------------

    def activation(self, gemm, phase, values, cache, which=0):
        """`which` of a product's two activations. `cache` keeps what forward and backward have in common."""
        name = gemm.weight if which else gemm.activation
        place = "weight" if which else "activation"
        key = name, which, self._axis(name, phase, place)
        if key not in cache:
            if name == "int4":
                cache[key] = operands.int4_activation(values, self._alpha_for(values, which), self.signed[which])
            else:
                cache[key] = self._operand(name, phase, "activation", values, place)
        return cache[key]

    def weight(self, gemm, phase, weight):
        """Quantised once for each format and reduction, until the optimiser changes the weights."""
        if self._weight_version != weight._version:
            self._weight_operands, self._weight_version = {}, weight._version
        key = gemm.weight, self._axis(gemm.weight, phase, "weight")
        if key not in self._weight_operands:
            values = array(weight)
            self._require_finite(values, phase, "weight")
            self._weight_operands[key] = (operands.int4_weight(values) if gemm.weight == "int4" else
                                          self._operand(gemm.weight, phase, "weight", values, "weight"))
        return self._weight_operands[key]

    def gradient(self, phase, values, cache):
        """An output gradient for dx or dw; `cache` keeps what both have in common."""
        gemm = getattr(self.precision, phase)
        name = gemm.gradient
        if name in ("fp4_even", "fp4_odd"):
            if "pair" not in cache:
                log2 = self.scale.log2_for(lambda: operands.largest_magnitude(values))
                cache["pair"], found = operands.fp4_pair(values, log2)
                self._observe(found, log2)
            return cache["pair"][name]
        if name == "radix2_fp4":
            if name not in cache:
                log2 = self.scale.log2_for(lambda: operands.largest_magnitude(values))
                cache[name], found = operands.radix2(values, log2)
                self._observe(found, log2)
            return cache[name]
        key = name, self._axis(name, phase, "gradient")
        if key not in cache:
            cache[key] = self._operand(name, phase, "gradient", values, "gradient")
        return cache[key]

    def _axis(self, name, phase, place):
        """The axis that blocks of a format lie along, None for formats without blocks."""
        return self.geometry.block_axis[phase][place] if name in ("mxfp4", "nvfp4") else None

    def _operand(self, name, phase, role, values, place):
        if name == "fp16":
            return operands.fp16(role, values)
        if name.startswith("fp8"):
            return operands.fp8(role, values, name)
        seed = self.session.stochastic_seed(self.number, phase, self._calls.get(phase, 0))
        return operands.on_grid(role, values, name, self._axis(name, phase, place), seed)

    def _alpha_for(self, values, which):
        parameter = self.alphas[which]
        if parameter.item() <= 0:
            with torch.no_grad():
                parameter.fill_(calibrated_alpha(values, self.signed[which]))
        return parameter.item()

    def _observe(self, found, log2):
        statistics = self.statistics
        self.scale.observe(found["largest_scaled"])
        statistics.scale_log2 = log2
        statistics.largest_scaled = max(statistics.largest_scaled, found["largest_scaled"])
        for count in ("elements", "saturated_even", "saturated_odd", "underflowed_even", "underflowed_odd"):
            setattr(statistics, count, getattr(statistics, count) + int(found.get(count, 0)))

    # GEMMs ----------------------------------------------------------------------------------------------------------

    def _result(self, phase, gemm, left, right, x_shape, w_shape, sums):
        """Raw sums to values: times the scales, rounded to FP16, as a tensor. Reports the GEMM if asked to."""
        number = self._calls.get(phase, 0)
        self._calls[phase] = number + 1
        if self.session.recording:
            self.session.recorder.gemm(GemmCall(
                self.name, self.position, phase, self.geometry.kind, left, right,
                self.geometry.attributes(phase, x_shape, w_shape), number, sums, gemm.chunk, gemm.accumulator))
        # The scales' product as one binary32 number.
        return torch.from_numpy(module().round_half(sums * numpy.float32(left.scale * right.scale)))

    def _require_finite(self, values, phase, what):
        """Before formats that would hide it: NaN has a code in INT4."""
        if not math.isfinite(float(values.sum(dtype=numpy.float32))):
            if numpy.isfinite(values).all():
                return
            kind = "NaN" if numpy.isnan(values).any() else "infinity"
            raise Diverged(f"step {self.session.step}: layer {self.name}: {kind} in the {what} of the {phase} GEMM")

    def forward_gemm(self, left, right, cache):
        gemm = self.precision.forward
        if not self.session.recipe.emulated:
            return self.geometry.torch_forward(left, right)
        x, w = array(left), array(right)
        self._require_finite(x, "forward", "activation")
        a = self.activation(gemm, "forward", x, cache)
        if self.two_activations:
            self._require_finite(w, "forward", "activation")
            b = self.activation(gemm, "forward", w, cache, which=1)
        else:
            b = self.weight(gemm, "forward", right)
        return self._result("forward", gemm, a, b, x.shape, w.shape, self.geometry.forward(gemm, a, b))

    def check_gradient(self, dy):
        """Before formats in which infinity and NaN are the largest level: such a step is not taken, and the layer's
        scale comes down."""
        if not math.isfinite(float(dy.sum(dtype=numpy.float32))) and not numpy.isfinite(dy).all():
            self.session.gradients_finite = False
            self.scale.observe(math.inf)

    def dx_gemm(self, dy, left, right, cache):
        """The gradient of the left operand, as the GEMM delivers it."""
        gemm = self.precision.dx
        a = self.gradient("dx", dy, cache)
        if self.two_activations:
            b = self.activation(gemm, "dx", array(right), cache, which=1)
        else:
            b = self.weight(gemm, "dx", right)
        return self._result("dx", gemm, a, b, left.shape, right.shape, self.geometry.dx(gemm, a, b, left.shape))

    def dw_gemm(self, dy, left, right, cache):
        """The gradient of the right operand."""
        gemm = self.precision.dw
        a = self.gradient("dw", dy, cache)
        b = self.activation(gemm, "dw", array(left), cache)
        first, second = (b, a) if self.geometry.activation_left_in_dw else (a, b)
        return self._result("dw", gemm, first, second, left.shape, right.shape,
                            self.geometry.dw(gemm, a, b, right.shape))

    def clip_gradient(self, which, values, gradient):
        """Straight through the quantiser: what passes to the activation, and the gradient of alpha."""
        alpha = self.alphas[which].item()
        x, dy = array(values), array(gradient)
        if not self.signed[which]:
            dx, dalpha = module().pact_gradient(x, dy, alpha)
            return torch.from_numpy(dx), torch.tensor(dalpha, dtype=torch.float32)
        inside = values.abs() <= alpha
        outside = values.abs() >= alpha
        dalpha = (gradient * values.sign() * outside).sum(dtype=torch.float64)
        return gradient * inside, dalpha.to(torch.float32)


class _Gemm(torch.autograd.Function):
    """A layer's three GEMMs. `right` is a weight, or the other activation (then there may be a second alpha)."""

    @staticmethod
    def forward(ctx, left, right, left_alpha, right_alpha, layer):
        ctx.layer = layer
        ctx.cache = {}
        ctx.save_for_backward(left, right)
        return layer.forward_gemm(left, right, ctx.cache)

    @staticmethod
    def backward(ctx, dy):
        layer, (left, right) = ctx.layer, ctx.saved_tensors
        need = ctx.needs_input_grad
        if not layer.session.recipe.emulated:
            dx, dw = layer.geometry.torch_backward(dy, left, right, need)
            return dx, dw, None, None, None
        gradient = array(dy)
        layer.check_gradient(gradient)
        dx = layer.dx_gemm(gradient, left, right, ctx.cache) if need[0] else None
        dw = layer.dw_gemm(gradient, left, right, ctx.cache) if need[1] else None
        dalpha = [None, None]
        if layer.alpha(0) is not None:
            if dx is not None:
                dx, dalpha[0] = layer.clip_gradient(0, left, dx)
            if layer.two_activations and dw is not None:
                dw, dalpha[1] = layer.clip_gradient(1, right, dw)
        return dx, dw, dalpha[0], dalpha[1], None


def array(tensor):
    """The tensor's memory as a NumPy array."""
    return tensor.detach().contiguous().numpy()


def calibrated_alpha(values, signed):
    """The clip, out of 20 fractions of the largest magnitude, with the least mean square error of INT4; 1 for zeros.

    The first batch sets alpha so, and training takes it from there. The PACT paper starts from a constant instead;
    ours needs no choice for each network [assumption].
    """
    sample = values.ravel()[:: max(1, values.size // 16384)].astype(numpy.float64)
    sample = numpy.abs(sample) if signed else sample
    largest = sample.max()
    if largest <= 0:
        return 1.0
    steps = 7 if signed else 15
    clips = [largest * fraction / 20 for fraction in range(1, 21)]
    errors = []
    for clip in clips:
        rounded = numpy.rint(numpy.clip(sample, 0, clip) * (steps / clip)) * (clip / steps)
        errors.append(float(((numpy.maximum(sample, 0) - rounded) ** 2).sum()))
    return clips[int(numpy.argmin(errors))]
