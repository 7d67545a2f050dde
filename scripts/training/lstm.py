# SPDX-License-Identifier: MIT
"""LSTM: the product with the inputs is one GEMM over all time steps, that with the state one for each.

Backward through time gathers the gates' gradients: dx of the state step by step, dw and the input's GEMMs over all time
steps at once. Gates, states and their gradients are binary32; gates come in the order of torch.nn.LSTM: i, f, g, o.
"""

import math

import torch

from training import operands
from training.gemm_layer import GemmLayer, array
from training.geometry import Linear
from training.layers import QuantisedLinear


class QuantisedLstm(torch.nn.Module):
    """One layer and direction; x: time, batch, inputs to time, batch, hidden. The state starts at zero. Weights and
    bias: uniform in +-1/sqrt(hidden), as torch has it; the forget gate's bias is 1 higher (Jozefowicz et al. 2015)."""

    def __init__(self, session, name, inputs, hidden, reverse=False, position="middle"):
        super().__init__()
        bound = 1 / math.sqrt(hidden)
        self.reverse, self.hidden = reverse, hidden
        self.ih = QuantisedLinear(session, f"{name}.ih", inputs, 4 * hidden, signed=True, position=position)
        for parameter in self.ih.parameters(recurse=False):
            torch.nn.init.uniform_(parameter, -bound, bound)
        with torch.no_grad():
            self.ih.bias[hidden:2 * hidden] += 1
        self.weight = torch.nn.Parameter(torch.empty(4 * hidden, hidden).uniform_(-bound, bound))
        self.hh = GemmLayer(session, f"{name}.hh", Linear(), signed=True)

    def forward(self, x):
        gates = self.ih(x.flip(0) if self.reverse else x)
        y = _Recurrence.apply(gates, self.weight, self.hh.alpha(0), self.hh)
        return y.flip(0) if self.reverse else y


class _Recurrence(torch.autograd.Function):
    """From the inputs' part of the gates (time, batch, 4 hidden) to the states."""

    @staticmethod
    def forward(ctx, inputs, weight, alpha, layer):
        length, batch, hidden = inputs.shape[0], inputs.shape[1], inputs.shape[2] // 4
        gates = torch.empty_like(inputs)
        cells = inputs.new_zeros(length + 1, batch, hidden)  # the state before each step, and the last one
        states = inputs.new_zeros(length + 1, batch, hidden)
        tanhs = inputs.new_empty(length, batch, hidden)
        for t in range(length):
            # The state before the first step is zero, and so is its product.
            summed = inputs[t] + layer.forward_gemm(states[t], weight, {}) if t else inputs[0]
            gate = gates[t]
            torch.sigmoid(summed, out=gate)
            torch.tanh(summed[:, 2 * hidden:3 * hidden], out=gate[:, 2 * hidden:3 * hidden])
            i, f, g, o = gate.split(hidden, 1)
            torch.addcmul(f * cells[t], i, g, out=cells[t + 1])
            torch.tanh(cells[t + 1], out=tanhs[t])
            torch.mul(o, tanhs[t], out=states[t + 1])
        ctx.layer = layer
        ctx.save_for_backward(weight, gates, cells, states, tanhs)
        return states[1:].clone()

    @staticmethod
    def backward(ctx, dy):
        layer = ctx.layer
        weight, gates, cells, states, tanhs = ctx.saved_tensors
        length, batch, hidden = tanhs.shape
        emulated = layer.session.recipe.emulated
        learns_clip = layer.alpha(0) is not None
        dgates = torch.empty_like(gates)
        dstate = torch.zeros_like(tanhs[0])
        dcell = torch.zeros_like(tanhs[0])
        dalpha = torch.zeros(()) if learns_clip else None
        caches = []
        for t in reversed(range(length)):
            i, f, g, o = gates[t].split(hidden, 1)
            dh = dy[t] + dstate
            dcell = torch.addcmul(dcell, dh * o, 1 - tanhs[t] * tanhs[t])
            di, df, dg, do = dgates[t].split(hidden, 1)
            torch.mul(dcell * g, i * (1 - i), out=di)
            torch.mul(dcell * cells[t], f * (1 - f), out=df)
            torch.mul(dcell * i, 1 - g * g, out=dg)
            torch.mul(dh * tanhs[t], o * (1 - o), out=do)
            dcell = dcell * f
            if t == 0:
                break
            if not emulated:
                dstate = dgates[t] @ weight
                continue
            caches.append({})
            dstate = layer.dx_gemm(array(dgates[t]), states[t], weight, caches[-1])
            if learns_clip:
                dstate, share = layer.clip_gradient(0, states[t], dstate)
                dalpha = dalpha + share
        # Steps 1 and later: the others have no state to multiply.
        later, before = dgates[1:].flatten(0, 1), states[1:length].flatten(0, 1)
        if emulated:
            layer.check_gradient(array(later))
            dw = layer.dw_gemm(array(later), before, weight, _joined(caches[::-1], array(later)))
        else:
            dw = later.t() @ before
        return dgates, dw, dalpha, None


def _joined(caches, values):
    """Gradients that were quantised step by step, both phases at once, need not be again."""
    pairs = [cache["pair"] for cache in caches if "pair" in cache]
    pair = operands.joined_pair(pairs, values) if pairs else None
    return {"pair": pair} if pair else {}
