#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The module against the simulator: the codes that the simulated machine makes of recorded values, and what its array
makes of them, are those of the module.

The simulator compares its array's sums and its log-gradient unit's codes with a reference of its own on every run; of
the sums it reports how far they are from the product in full precision. The module's sums must be exactly as far.
"""

import json
import os
import sys
import unittest

import reference
from reference import np
import nibblesim

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../smoke"))
import smoke  # noqa: E402

N, C, H, W, K, R, S = 2, 6, 9, 7, 8, 3, 2
GEOMETRY = dict(stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)
P, Q = (H + 2 - (R - 1) - 1) // 2 + 1, W - 2 * (S - 1)
ROWS, INPUTS, OUTPUTS = 13, 40, 21


def halves(array):
    """Numbers that FP16 holds: gradients reach the log-gradient unit in it."""
    return array.astype("<f2").astype("<f4")


def write_trace(directory):
    random = np.random.default_rng(4)
    heavy = lambda *shape: halves(random.standard_normal(shape) * np.exp(2 * random.standard_normal(shape)))
    values = {"x": ("activation", np.maximum(heavy(N, C, H, W), 0)), "w": ("weight", heavy(K, C // 2, R, S)),
              "dy": ("gradient", heavy(N, K, P, Q)), "fc.x": ("activation", heavy(ROWS, INPUTS)),
              "fc.w": ("weight", heavy(OUTPUTS, INPUTS)), "fc.dy": ("gradient", heavy(ROWS, OUTPUTS))}
    others = {"y": ("activation", (N, K, P, Q)), "dx": ("gradient", (N, C, H, W)),
              "dw": ("weight_gradient", (K, C // 2, R, S)), "fc.y": ("activation", (ROWS, OUTPUTS)),
              "fc.dx": ("gradient", (ROWS, INPUTS)), "fc.dw": ("weight_gradient", (OUTPUTS, INPUTS))}
    lines = [{"nibblesim_trace": 1, "name": "module", "batch": N}]
    for name, (role, array) in values.items():
        np.save(os.path.join(directory, name + ".npy"), array)
        lines.append({"tensor": len(lines) - 1, "name": name, "role": role, "shape": list(array.shape),
                      "values": name + ".npy"})
    for name, (role, shape) in others.items():
        lines.append({"tensor": len(lines) - 1, "name": name, "role": role, "shape": list(shape)})
    number = {line["name"]: line["tensor"] for line in lines[1:]}

    def operation(kind, phase, layer, ins, out, **work):
        lines.append({"op": kind, "phase": phase, "layer": layer, **work, "in": [number[name] for name in ins],
                      "out": [number[out]]})

    conv = dict(n=N, c=C, h=H, w=W, k=K, r=R, s=S, stride=GEOMETRY["stride"], pad=(1, 1, 0, 0),
                dilation=GEOMETRY["dilation"], groups=2)
    operation("conv", "forward", "conv", ["x", "w"], "y", **conv)
    operation("vector", "vector", "loss", ["y"], "dy", steps=["copy"], elements=N * K * P * Q)
    operation("conv", "dx", "conv", ["dy", "w"], "dx", **conv)
    operation("conv", "dw", "conv", ["x", "dy"], "dw", **conv)
    operation("matmul", "forward", "fc", ["fc.x", "fc.w"], "fc.y", batch=1, m=ROWS, n=OUTPUTS, k=INPUTS, right="nk")
    operation("vector", "vector", "loss", ["fc.y"], "fc.dy", steps=["copy"], elements=ROWS * OUTPUTS)
    operation("matmul", "dx", "fc", ["fc.dy", "fc.w"], "fc.dx", batch=1, m=ROWS, n=INPUTS, k=OUTPUTS)
    operation("matmul", "dw", "fc", ["fc.dy", "fc.x"], "fc.dw", batch=1, m=OUTPUTS, n=INPUTS, k=ROWS, left="km")
    count = sum("op" in line for line in lines)
    lines.append({"end": {"tensors": len(number), "operations": count}})
    path = os.path.join(directory, "module.trace")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return path, {name: array for name, (_, array) in values.items()}


def module_codes(x, form, role):
    """Codes and scale by the rules of recorded values (traces/FORMAT.md)."""
    largest = float(np.abs(x).max())
    if form == "int4_signed":
        return nibblesim.sawb(x)[:2] if role == "weight" else nibblesim.int4_symmetric(x, largest)
    if form == "int4_unsigned":
        return nibblesim.pact(x, largest)
    if form == "fp16":
        return nibblesim.half(x), 1.0
    scale_log2 = nibblesim.scale_log2_into(largest, 6 if form.startswith("fp4") else 4)
    if form.startswith("fp4"):
        even, odd, _ = nibblesim.fp4_pair(x, scale_log2)
        return (even if form == "fp4_even" else odd), 2.0 ** -scale_log2
    return nibblesim.fp8(x, form, scale_log2), 2.0 ** -scale_log2


def sums(layer, phase, first, second, rule):
    """The operation on (codes, format) through the module."""
    (a, a_format), (b, b_format) = first, second
    if layer == "fc":
        a, b = {"forward": (a, b.T), "dx": (a, b), "dw": (a.T, b)}[phase]
        return nibblesim.gemm(a, b, a_format, b_format, **rule)
    if phase == "forward":
        return nibblesim.conv_forward(a, b, a_format, b_format, **GEOMETRY, **rule)
    if phase == "dx":
        return nibblesim.conv_dx(a, b, a_format, b_format, (H, W), **GEOMETRY, **rule)
    return nibblesim.conv_dw(a, b, a_format, b_format, (R, S), **GEOMETRY, **rule)


def exact(layer, phase, first, second):
    """The same on numbers in binary64."""
    if layer == "fc":
        a, b = {"forward": (first, second.T), "dx": (first, second), "dw": (first.T, second)}[phase]
        return a @ b
    shape = {"forward": (N, K, P, Q), "dx": (N, C, H, W), "dw": (K, C // 2, R, S)}[phase]
    out = np.zeros(shape)
    for index, terms in reference.convolution_terms(phase, (N, C, H, W), (K, C // 2, R, S), **GEOMETRY):
        out[index] = sum(first[i] * second[j] for i, j in terms if i is not None)
    return out


class Simulator(smoke.Case):
    SOURCES = {("conv", "forward"): ("x", "w"), ("conv", "dx"): ("dy", "w"), ("conv", "dw"): ("x", "dy"),
               ("fc", "forward"): ("fc.x", "fc.w"), ("fc", "dx"): ("fc.dy", "fc.w"), ("fc", "dw"): ("fc.dy", "fc.x")}

    def test_every_recipe(self):
        trace, values = write_trace(self.directory)
        rounded = 0
        for recipe in json.loads(smoke.run("list", "--json")[0])["recipes"]:
            dump = self.path("codes.npz")
            result = json.loads(smoke.run("run", trace, "--machine", "edge-int4", "--baseline", "none", "--recipe", recipe,
                                          "--values", "--dump-codes", dump, "--json")[0])
            rule = dict(chunk=32, accumulator="fp16")  # of edge-int4
            with np.load(dump) as archive:
                dumped = {name: archive[name] for name in archive.files}
            operations = [op for op in result["ops"] if "values" in op]
            self.assertEqual(len(operations), 6)
            for op in operations:
                with self.subTest(recipe, layer=op["layer"], phase=op["phase"]):
                    layer, phase = op["layer"], op["phase"]
                    operands = []
                    for operand, name in zip(op["values"]["operands"], self.SOURCES[layer, phase]):
                        form = operand["format"]
                        codes, scale = module_codes(values[name], form, "weight" if name.endswith("w") else "")
                        key = f"{layer}.{phase}.{operand['operand']}"
                        theirs = dumped[key + ".codes"]
                        theirs = theirs.view(np.uint16) if form == "fp16" else theirs.view(np.uint8)
                        mask = reference.CODES[form] - 1
                        self.assertTrue(np.array_equal(theirs & mask, codes), f"{key}: {form}")
                        self.assertEqual(float(dumped[key + ".scale"]), scale)
                        operands.append((codes, form, scale))
                    (a, a_form, a_scale), (b, b_form, b_scale) = operands
                    made = sums(layer, phase, (a, a_form), (b, b_form), rule).astype(np.float64) * a_scale * b_scale
                    full = exact(layer, phase, *(values[name].astype(np.float64) for name in self.SOURCES[layer, phase]))
                    output = op["values"]["output"]
                    error = np.linalg.norm(made - full) / np.linalg.norm(full)
                    self.assertLess(abs(output["array_relative_error"] / error - 1), 1e-11)
                    rounded += output["array_relative_error"] != output["relative_error"]
        self.assertGreater(rounded, 10, "sums are rounded, so that another order of them would show")


smoke.main()
