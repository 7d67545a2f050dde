# SPDX-License-Identifier: MIT
"""What a run says of recorded values, recomputed with NumPy from their files and from the codes that it dumps."""

import json
import os
import sys

import smoke
from smoke import run

try:
    import numpy as np
except ImportError:  # a tool for tests only, and not everywhere
    print("skipped: this Python has no NumPy")
    sys.exit(77)

# A convolution with nothing symmetric about it, and a linear layer; both in all three phases.
N, C, H, W, K, R, S, GROUPS = 2, 6, 9, 7, 8, 3, 2, 2
STRIDE, PAD, DILATION = (2, 1), (1, 0, 1, 2), (1, 2)
P = (H + PAD[0] + PAD[1] - DILATION[0] * (R - 1) - 1) // STRIDE[0] + 1
Q = (W + PAD[2] + PAD[3] - DILATION[1] * (S - 1) - 1) // STRIDE[1] + 1
ROWS, INPUTS, OUTPUTS = 13, 40, 21
HEADS = 3

BITS = {"int4_signed": 4, "int4_unsigned": 4, "fp4_even": 4, "fp4_odd": 4, "fp8_143": 8, "fp8_152": 8, "fp16": 16}
LARGEST = {"fp4_even": 64, "fp4_odd": 32, "fp8_143": 448, "fp8_152": 57344, "fp16": 65504}


def tensors():
    random = np.random.default_rng(4)
    heavy = lambda *shape: (random.standard_normal(shape) * np.exp(2 * random.standard_normal(shape))).astype("<f4")
    relu = lambda *shape: np.maximum(heavy(*shape), 0)
    small = lambda *shape: (1e-5 * heavy(*shape)).astype("<f4")
    return {
        "x": ("activation", relu(N, C, H, W)),
        "w": ("weight", random.standard_normal((K, C // GROUPS, R, S)).astype("<f4")),
        "dy": ("gradient", small(N, K, P, Q)),
        "up.x": ("activation", relu(N, K, P, Q)),
        "fc.x": ("activation", heavy(ROWS, INPUTS)),  # negative ones too
        "fc.w": ("weight", heavy(OUTPUTS, INPUTS)),
        "fc.dy": ("gradient", small(ROWS, OUTPUTS)),
        "q": ("activation", heavy(HEADS, ROWS, INPUTS).astype("<f2")),
        "keys": ("activation", relu(HEADS, OUTPUTS, INPUTS).astype("<f8")),
    }


def write_trace(directory, values):
    lines = [{"nibblesim_trace": 1, "name": "values", "batch": N}]
    numbers = {}

    def tensor(name, role, shape, file=None):
        numbers[name] = len(numbers)
        lines.append({"tensor": numbers[name], "name": name, "role": role, "shape": list(shape)})
        if file:
            lines[-1]["values"] = file

    for name, (role, array) in values.items():
        np.save(os.path.join(directory, name + ".npy"), array)
        tensor(name, role, array.shape, name + ".npy")
    tensor("hashed", "weight", [K, C // GROUPS, R, S])
    for name, role, shape in [("y", "activation", (N, K, P, Q)), ("dx", "gradient", (N, C, H, W)),
                              ("dw", "weight_gradient", (K, C // GROUPS, R, S)), ("y2", "activation", (N, K, P, Q)),
                              ("up.y", "activation", (N, C, H, W)),
                              ("fc.y", "activation", (ROWS, OUTPUTS)), ("fc.dx", "gradient", (ROWS, INPUTS)),
                              ("fc.dw", "weight_gradient", (OUTPUTS, INPUTS)),
                              ("scores", "activation", (HEADS, ROWS, OUTPUTS))]:
        tensor(name, role, shape)

    def operation(kind, phase, layer, ins, out, **work):
        lines.append({"op": kind, "phase": phase, "layer": layer, **work, "in": [numbers[name] for name in ins],
                      "out": [numbers[out]]})

    conv = dict(n=N, c=C, h=H, w=W, k=K, r=R, s=S, stride=STRIDE, pad=PAD, dilation=DILATION, groups=GROUPS)
    operation("conv", "forward", "block/conv", ["x", "w"], "y", **conv)
    operation("vector", "vector", "loss", ["y"], "dy", steps=["copy"], elements=N * K * P * Q)
    operation("conv", "dx", "block/conv", ["dy", "w"], "dx", **conv)
    operation("conv", "dw", "block/conv", ["x", "dy"], "dw", **conv)
    operation("conv", "forward", "block/conv", ["x", "hashed"], "y2", **conv)
    operation("conv", "forward", "up", ["up.x", "w"], "up.y", transposed=True, **conv)
    operation("matmul", "forward", "fc", ["fc.x", "fc.w"], "fc.y", batch=1, m=ROWS, n=OUTPUTS, k=INPUTS, right="nk")
    operation("vector", "vector", "loss", ["fc.y"], "fc.dy", steps=["copy"], elements=ROWS * OUTPUTS)
    operation("matmul", "dx", "fc", ["fc.dy", "fc.w"], "fc.dx", batch=1, m=ROWS, n=INPUTS, k=OUTPUTS)
    operation("matmul", "dw", "fc", ["fc.dy", "fc.x"], "fc.dw", batch=1, m=OUTPUTS, n=INPUTS, k=ROWS, left="km")
    operation("matmul", "forward", "scores", ["q", "keys"], "scores", batch=HEADS, m=ROWS, n=OUTPUTS, k=INPUTS,
              right="nk")
    count = sum("op" in line for line in lines)
    lines.append({"end": {"tensors": len(numbers), "operations": count}})
    path = os.path.join(directory, "values.trace")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return path


def gemms(result):
    """Operations on the array in the order of the trace: the fourth reads one hashed operand."""
    return [op for op in result["ops"] if "values" in op]


def compared(result):
    return [op for op in gemms(result) if "output" in op["values"]]


def decoded(codes, form):
    """The numbers that codes stand for, in units of their scale; from the formats' definitions."""
    if form == "fp16":
        return codes.astype(np.float64)
    if form.startswith("int4"):
        return codes.astype(np.float64)
    code = codes.astype(np.int64) & 0xff
    if form.startswith("fp4"):  # sign, exponent: 4^(c - 4), halves of that in the odd phase
        magnitude = np.where(code & 7, 4.0 ** ((code & 7) - 4), 0) / (2 if form == "fp4_odd" else 1)
        return np.where(code & 8, -magnitude, magnitude)
    fraction_bits, bias = (3, 7) if form == "fp8_143" else (2, 15)
    exponent = (code & 0x7f) >> fraction_bits
    fraction = (code & ((1 << fraction_bits) - 1)) / 2.0 ** fraction_bits
    magnitude = np.where(exponent, (1 + fraction) * 2.0 ** (exponent - bias), fraction * 2.0 ** (1 - bias))
    return np.where(code & 0x80, -magnitude, magnitude)


def expected_range(x, role, form):
    """Clip and scale, from the rules."""
    largest = np.abs(x).max()
    if form.startswith("int4"):
        if role == "weight":  # SAWB
            clip = 12.035 * np.sqrt(np.mean(x ** 2)) - 12.03 * np.mean(np.abs(x))
            return clip, clip / 7, "sawb"
        return (largest, largest / 7, "symmetric") if x.min() < 0 else (largest, largest / 15, "pact")
    if form == "fp16":
        return LARGEST[form], 1, "unscaled"
    window = 6 if form.startswith("fp4") else 4
    scale = 2.0 ** (np.ceil(np.log2(largest)) - window)
    return LARGEST[form] * scale, scale, "grad_scale" if form.startswith("fp4") else "power_of_two"


def taps():
    """Every multiplication of the convolution: (n, k, p, q), (n, c, h, w), (k, c of the group, r, s)."""
    for k in range(K):
        for p in range(P):
            for q in range(Q):
                for r in range(R):
                    for s in range(S):
                        h = p * STRIDE[0] + r * DILATION[0] - PAD[0]
                        w = q * STRIDE[1] + s * DILATION[1] - PAD[2]
                        if 0 <= h < H and 0 <= w < W:
                            for c in range(C // GROUPS):
                                channel = k // (K // GROUPS) * (C // GROUPS) + c
                                yield (slice(None), k, p, q), (slice(None), channel, h, w), (k, c, r, s)


TAPS = list(taps())


def product(layer, phase, first, second):
    """The operation on these operands in binary64, as the textbook has it."""
    if layer == "block/conv":
        shapes = {"forward": (N, K, P, Q), "dx": (N, C, H, W), "dw": (K, C // GROUPS, R, S)}
        out = np.zeros(shapes[phase])
        for y, x, w in TAPS:
            if phase == "forward":
                out[y] += first[x] * second[w]
            elif phase == "dx":
                out[x] += first[y] * second[w]
            else:
                out[w] += np.dot(first[x], second[y])
        return out
    if layer == "up":  # transposed: the input gradient of the convolution that it turns round
        return product("block/conv", "dx", first, second)
    if layer == "scores":
        return np.einsum("bmk,bnk->bmn", first, second)
    return {"forward": lambda: first @ second.T, "dx": lambda: first @ second, "dw": lambda: first.T @ second}[phase]()


def toggled(codes, axis, step, bits):
    """Mean share of bits that differ between codes `step` apart along the axis."""
    raw = codes.view(np.uint16) if codes.dtype == np.float16 else codes.astype(np.int64)
    raw = raw.astype(np.int64) & ((1 << bits) - 1)
    size = raw.shape[axis]
    if size <= step:
        return None
    change = np.take(raw, range(step, size), axis) ^ np.take(raw, range(size - step), axis)
    return np.vectorize(lambda x: bin(x).count("1"))(change).mean() / bits


class Values(smoke.Case):
    def setUp(self):
        super().setUp()
        self.values = tensors()
        self.trace = write_trace(self.directory, self.values)

    def run_values(self, *arguments):
        """The result, and the dumped arrays."""
        dump = self.path("codes.npz")
        text, _ = run("run", self.trace, "--values", "--dump-codes", dump, "--json", *arguments)
        with np.load(dump) as archive:
            return json.loads(text), {name: archive[name] for name in archive.files}

    def close(self, found, expected, what):
        self.assertIsNotNone(found, what)
        self.assertLessEqual(abs(found - expected), 1e-9 * abs(expected), what)

    def check_operand(self, op, operand, dump, name, key):
        role, array = self.values[name]
        x = array.astype("<f4").astype(np.float64)
        codes, scale, form = (dump[f"{key}.{part}"] for part in ["codes", "scale", "format"])
        what = f"{key} {form}"
        self.assertEqual(form, operand["format"])
        self.assertEqual(codes.shape, array.shape, what)
        self.assertEqual(float(scale), operand["scale"], what)
        clip, expected_scale, rule = expected_range(x, role, operand["format"])
        self.assertEqual(operand["range"], rule, what)
        self.close(operand["clip"] / clip, 1, what)
        self.close(operand["scale"] / expected_scale, 1, what)
        if operand["scale_log2"] is not None:
            self.assertEqual(2.0 ** -operand["scale_log2"], operand["scale"], what)
        made = decoded(codes, operand["format"]) * scale
        # No code is further off than another would have been: half the distance to the next one.
        if operand["format"].startswith("int4"):
            inside = np.abs(x) <= clip
            self.assertLessEqual(np.abs(made - x)[inside].max(), 0.5000001 * scale, what)
        signal, noise = np.sum(x ** 2), np.sum((x - made) ** 2)
        if noise == 0:
            self.assertIsNone(operand["sqnr_db"], what)
        else:
            self.close(operand["sqnr_db"], 10 * np.log10(signal / noise), what)
        self.assertEqual(operand["elements"], x.size, what)
        self.close(operand["clipped"], np.mean(np.abs(x) > operand["clip"]), what)
        self.close(operand["underflowed"], np.mean((x != 0) & (made == 0)), what)
        self.close(operand["zero_codes"], np.mean(made == 0), what)
        self.close(operand["non_zero"], np.mean(x != 0), what)
        self.assertTrue(operand["toggle_rate"] is None or 0 < operand["toggle_rate"] < 1, what)
        return x, made, codes

    def check_toggles(self, op, sides, macs_per_pe):
        """Of a matrix product in one tile, with the codes as the array has them: left m x k, right k x n."""
        left = (-2, 1) if op["dataflow"] == "weight" else (-1, macs_per_pe)
        right = (-1, 1) if op["dataflow"] == "input" else (-2, macs_per_pe)
        for (operand, codes), (axis, step) in zip(sides, [left, right]):
            expected = toggled(codes, axis, step, BITS[operand["format"]])
            if expected is None:
                self.assertIsNone(operand["toggle_rate"])
            else:
                self.close(operand["toggle_rate"], expected, f"{op['layer']} {op['phase']} toggles")

    def check(self, result, dump):
        names = {"block/conv": ["x", "w", "dy"], "fc": ["fc.x", "fc.w", "fc.dy"]}
        checked_toggles = 0
        for op in compared(result):
            key = f"{op['layer'].replace('/', '_')}.{op['phase']}"
            operands = op["values"]["operands"]
            if op["layer"] in ("scores", "up"):
                sources = {"scores": ["q", "keys"], "up": ["up.x", "w"]}[op["layer"]]
            else:
                x, w, dy = names[op["layer"]]
                sources = {"forward": [x, w], "dx": [dy, w], "dw": [x, dy] if x == "x" else [dy, x]}[op["phase"]]
            wanted = [name.split(".")[-1] for name in sources] if op["kind"] == "conv" else ["left", "right"]
            self.assertEqual([operand["operand"] for operand in operands], wanted)
            self.assertEqual([operand["source"] for operand in operands], ["recorded"] * 2)
            swapped = op["layer"] == "block/conv" and op["phase"] == "dw"
            self.assertEqual([operand["side"] for operand in operands],
                             ["right", "left"] if swapped else ["left", "right"])
            (a, a_made, a_codes), (b, b_made, b_codes) = (
                self.check_operand(op, operand, dump, name, f"{key}.{operand['operand']}")
                for operand, name in zip(operands, sources))
            exact = product(op["layer"], op["phase"], a, b)
            made = product(op["layer"], op["phase"], a_made, b_made)
            output = op["values"]["output"]
            self.close(output["relative_error"], np.linalg.norm(made - exact) / np.linalg.norm(exact), key)
            self.close(output["cosine_similarity"],
                       np.sum(made * exact) / np.linalg.norm(made) / np.linalg.norm(exact), key)
            self.assertGreater(output["relative_error"], 0)
            self.assertEqual(output["overflowed"], 0)
            # The machine of this test rounds its sums to binary32, of 2^-24 of them.
            self.assertLess(abs(output["array_relative_error"] - output["relative_error"]), 1e-6, key)
            self.assertLess(abs(output["array_cosine_similarity"] - output["cosine_similarity"]), 1e-6, key)
            mapping = op["mapping"]
            whole = all(mapping["tile"][name] == mapping["extent"][name] for name in "ijl")
            if op["kind"] == "matmul" and whole:
                macs_per_pe = 4 if op["mode"].startswith("int4") else 1
                sides = [[operands[0], a_codes], [operands[1], b_codes]]
                if op["layer"] == "scores" or op["phase"] == "forward":
                    sides[1][1] = np.swapaxes(b_codes, -1, -2)
                elif op["phase"] == "dw":
                    sides[0][1] = a_codes.T
                self.check_toggles(op, sides, macs_per_pe)
                checked_toggles += 1
        self.assertEqual(len(compared(result)), 8)
        return checked_toggles

    def machine_with_wide_sums(self):
        with open(os.path.join(os.path.dirname(__file__), "../../models/presets/edge-int4.yaml"),
                  encoding="utf-8") as file:
            text = file.read()
        self.assertIn("format: fp16", text)
        return self.write("machine.yaml", text.replace("format: fp16", "format: fp32"))

    def test_every_recipe(self):
        machine = self.machine_with_wide_sums()
        for recipe in json.loads(run("list", "--json")[0])["recipes"]:
            with self.subTest(recipe):
                result, dump = self.run_values("--machine", machine, "--recipe", recipe)
                self.assertGreater(self.check(result, dump), 0)

    def test_formats_follow_the_phase(self):
        result, dump = self.run_values("--machine", "edge-int4", "--baseline", "none")
        forms = {(op["layer"], op["phase"]): [operand["format"] for operand in op["values"]["operands"]]
                 for op in compared(result)}
        self.assertEqual(forms, {("block/conv", "forward"): ["int4_unsigned", "int4_signed"],
                                 ("block/conv", "dx"): ["fp4_even", "int4_signed"],
                                 ("block/conv", "dw"): ["int4_unsigned", "fp4_odd"],
                                 ("up", "forward"): ["int4_unsigned", "int4_signed"],
                                 ("fc", "forward"): ["int4_signed", "int4_signed"],
                                 ("fc", "dx"): ["fp4_even", "int4_signed"],
                                 ("fc", "dw"): ["fp4_odd", "int4_signed"],
                                 ("scores", "forward"): ["int4_signed", "int4_unsigned"]})
        self.assertEqual(dump["block_conv.dw.dy.codes"].dtype, np.int8)
        # Sums in FP16 add to the error of quantisation, a little, once they go beyond its whole numbers.
        differ = 0
        for op in compared(result):
            output = op["values"]["output"]
            differ += output["array_relative_error"] != output["relative_error"]
            self.assertLess(abs(output["array_relative_error"] - output["relative_error"]), 0.01)
        self.assertGreater(differ, 0)

    def test_one_operand_recorded(self):
        result, dump = self.run_values("--machine", "edge-int4")
        op = gemms(result)[3]
        values = op["values"]
        self.assertEqual([operand["source"] for operand in values["operands"]], ["recorded", "hashed"])
        self.assertNotIn("output", values)
        self.assertEqual(set(values["operands"][1]), {"operand", "side", "source", "format"})
        # The second GEMM of its layer and phase.
        self.assertIn("block_conv#2.forward.x.codes", dump)
        self.assertNotIn("block_conv#2.forward.w.codes", dump)
        self.assertEqual(len(dump), 3 * (8 * 2 + 1))
        self.assertEqual(op["baseline"]["values"]["operands"][0]["format"], "fp16")

    def test_measuring_changes_nothing_else(self):
        shapes = json.loads(run("run", self.trace, "--machine", "edge-int4", "--json")[0])
        values, _ = self.run_values("--machine", "edge-int4")
        again, _ = self.run_values("--machine", "edge-int4", "--clock", "every-edge")
        self.assertEqual(values["ops"], again["ops"])
        self.assertEqual(len(gemms(values)), 9)
        for op in gemms(values):
            del op["values"], op["baseline"]["values"]
        self.assertEqual(values["ops"], shapes["ops"])
        self.assertNotEqual(values["totals"].pop("activity_pj"), 0)
        self.assertEqual(shapes["totals"].pop("activity_pj"), 0)
        self.assertEqual(values["totals"], shapes["totals"])

    def test_report_and_table(self):
        out = self.path("out")
        text, _ = run("run", self.trace, "--machine", "edge-int4", "--values", "--out", out)
        self.assertIn("Quantisation of recorded values", text)
        self.assertIn("GEMMs with recorded operands: 9; outputs compared with full precision: 8", text)
        self.assertRegex(text, r"block/conv +dx +fp4_even x int4_signed")
        self.assertRegex(text, r"fc +dw +fp4_odd x int4_signed")
        with open(os.path.join(out, "ops.csv"), encoding="utf-8") as file:
            self.assertIn("output_relative_error", file.readline())
        self.assertNotIn("Quantisation", run("run", "tiny", "--machine", "edge-int4", "--values")[0])

    def test_the_dump_is_there_whole_or_not_at_all(self):
        where = self.path("codes.npz")
        _, errors = run("run", self.trace, "--machine", "edge-int4", "--dump-codes", where, expect=2)
        self.assertIn("--dump-codes needs --values", errors)
        _, errors = run("run", "tiny", "--machine", "edge-int4", "--values", "--dump-codes", where, expect=2)
        self.assertIn("names no values", errors)
        _, errors = run("run", self.trace, "--machine", "edge-int4", "--values", "--dump-codes",
                        self.path("missing/codes.npz"), expect=2)
        self.assertIn("cannot be written: No such file or directory", errors)
        _, errors = run("run", self.trace, "--machine", "edge-int4", "--values", "--dump-codes", self.directory,
                        expect=2)
        self.assertIn("found a directory", errors)
        self.assertEqual([name for name in os.listdir(self.directory) if "part" in name or "npz" in name], [])
        dumps = []
        for _ in range(2):
            self.run_values("--machine", "edge-int4")
            with open(where, "rb") as file:
                dumps.append(file.read())
        self.assertEqual(dumps[0], dumps[1])
        self.assertEqual([name for name in os.listdir(self.directory) if "part" in name], [])


if __name__ == "__main__":
    smoke.main()
