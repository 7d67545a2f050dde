# SPDX-License-Identifier: MIT
"""Replay of recorded results: operands and results made by hand in NumPy, right ones, planted wrong ones, wrong kinds."""

import json
import sys

import smoke
from smoke import run

try:
    import numpy as np
except ImportError:  # a tool for tests only, and not everywhere
    print("skipped: this Python has no NumPy")
    sys.exit(77)

# Reductions of at most 32 terms are one chunk on edge-int4: sums are exact integers, below 2048 and so exact in FP16.
M, N, K = 6, 5, 16
ALPHA, CLIP, SCALE = 1.5, 0.875, 3


def layer():
    """x in unsigned INT4 up to ALPHA, w in INT4 up to CLIP, dy in FP4 times 2^SCALE; all codes known."""
    random = np.random.default_rng(7)
    x = random.integers(0, 16, (M, K))
    w = random.integers(-7, 8, (N, K))
    dy = random.choice([-4.0, -1.0, 0.0, 1.0, 4.0, 16.0], (M, N))  # levels of the even phase
    return x, w, dy


class Replay(smoke.Case):
    def save(self, name, array):
        np.save(self.path(name + ".npy"), np.asarray(array, np.float32))
        return name + ".npy"

    def trace(self, forward, dx, x_says=None, dy_says=None):
        x, w, dy = layer()
        # Numbers that quantise to exactly these codes; one below 0 and one beyond alpha are clipped to the last codes.
        numbers = x * (ALPHA / 15)
        numbers[x == 0] = -0.3
        numbers[x == 15] = 2 * ALPHA
        lines = [{"nibblesim_trace": 1, "name": "replay", "batch": M}]

        def tensor(role, shape, **more):
            lines.append({"tensor": len(lines) - 1, "role": role, "shape": shape, **more})

        tensor("activation", [M, K], values=self.save("x", numbers),
               quantized=x_says or {"clip": ALPHA, "signed": False})
        tensor("weight", [N, K], values=self.save("w", w * (CLIP / 7)), quantized={"clip": CLIP})
        tensor("activation", [M, N])
        tensor("gradient", [M, N], values=self.save("dy", dy / 2 ** SCALE),
               quantized=dy_says or {"fp4_scale_log2": SCALE})
        tensor("gradient", [M, K])
        product = {"op": "matmul", "layer": "fc"}
        lines.append({**product, "phase": "forward", "m": M, "n": N, "k": K, "right": "nk", "in": [0, 1], "out": [2],
                      "result": self.save("y", forward)})
        lines.append({"op": "vector", "phase": "vector", "layer": "loss", "steps": ["copy"], "elements": M * N,
                      "in": [2], "out": [3]})
        lines.append({**product, "phase": "dx", "m": M, "n": K, "k": N, "in": [3, 1], "out": [4],
                      "result": self.save("dx", dx)})
        lines.append({"end": {"tensors": 5, "operations": 3}})
        return self.write("replay.trace", "".join(json.dumps(line) + "\n" for line in lines))

    def expected(self):
        """Exact sums times float32 of the scales' product, in binary32."""
        x, w, dy = layer()
        y = (x @ w.T).astype(np.float32) * np.float32(ALPHA / 15 * (CLIP / 7))
        dx = (dy @ w).astype(np.float32) * np.float32(2.0 ** -SCALE * (CLIP / 7))
        return y, dx

    def replay(self, trace, *flags):
        out, _ = run("run", trace, "--machine", "edge-int4", "--values", "--quiet", "--json", *flags)
        return json.loads(out)

    def test_right_results_are_found_equal(self):
        result = self.replay(self.trace(*self.expected()))
        self.assertEqual(result["replay"], {
            "gemms": 2, "gemms_different": 0, "gemms_not_in_untiled_order": 0, "outputs_compared": M * N + M * K,
            "outputs_different": 0, "largest_difference": 0, "untiled_order": True})
        x, w = result["ops"][0]["values"]["operands"]
        self.assertEqual((x["format"], x["range"], x["clip"], x["scale"]), ("int4_unsigned", "given", ALPHA, ALPHA / 15))
        self.assertEqual((w["format"], w["range"], w["clip"], w["scale"]), ("int4_signed", "given", CLIP, CLIP / 7))
        dy = result["ops"][2]["values"]["operands"][0]
        self.assertEqual((dy["format"], dy["range"], dy["scale_log2"]), ("fp4_even", "given", SCALE))
        # The baseline computes in FP16: its results are its own, and not compared.
        self.assertNotIn("result", result["ops"][0]["baseline"]["values"])

    def test_statistics_of_gradients_are_those_of_the_unit(self):
        _, _, dy = layer()
        dy_statistics = self.replay(self.trace(*self.expected()))["ops"][2]["values"]["operands"][0]["gradient"]
        # 16 is below both limits, 1 above both least levels: nothing is lost.
        self.assertEqual(dy_statistics, {"largest_scaled": np.abs(dy).max(), "saturated_even": 0, "saturated_odd": 0,
                                         "underflowed_even": 0, "underflowed_odd": 0})
        # Scaled by 2^12 more, 4 and 16 are beyond 64 and 32, and so is 1.
        said = {"fp4_scale_log2": SCALE + 12}
        found = self.replay(self.trace(*self.expected(), dy_says=said))["ops"][2]["values"]["operands"][0]["gradient"]
        self.assertEqual((found["saturated_even"], found["saturated_odd"]), (np.count_nonzero(dy),) * 2)
        said = {"fp4_scale_log2": SCALE - 12}  # 16 * 2^-12 = 2^-8 is below half of the least levels, 1/64 and 1/128
        found = self.replay(self.trace(*self.expected(), dy_says=said))["ops"][2]["values"]["operands"][0]["gradient"]
        self.assertEqual(found["underflowed_even"], np.count_nonzero(dy))

    def test_wrong_results_are_counted_and_shown(self):
        y, dx = self.expected()
        dx[2, 3] += 0.25
        y[0, 0] = np.nextafter(y[0, 0], np.float32(9))
        trace = self.trace(y, dx)
        result = self.replay(trace)
        self.assertEqual((result["replay"]["gemms_different"], result["replay"]["outputs_different"]), (2, 2))
        self.assertAlmostEqual(result["replay"]["largest_difference"], 0.25, 5)
        self.assertEqual([op["values"]["result"]["outputs_different"] for op in result["ops"] if "values" in op], [1, 1])
        text, _ = run("run", trace, "--machine", "edge-int4", "--values")
        self.assertIn(f"2 of {M * N + M * K} outputs differ, in 2 of 2 GEMMs", text)

    def test_without_values_nothing_is_compared(self):
        out, _ = run("run", self.trace(*self.expected()), "--machine", "edge-int4", "--quiet", "--json")
        self.assertIsNone(json.loads(out)["replay"])

    def test_energy_adds_up(self):
        result = self.replay(self.trace(*self.expected()))
        totals = result["totals"]
        self.assertEqual(sum(op["values"]["activity_pj"] for op in result["ops"] if "values" in op),
                         totals["activity_pj"])
        # 7 nm: the multiplier of an INT4 MAC takes 0.0175 pJ at half of all bits.
        x, w = (operand["toggle_rate"] for operand in result["ops"][0]["values"]["operands"])
        macs = result["ops"][0]["macs"]
        self.assertAlmostEqual(result["ops"][0]["values"]["activity_pj"], macs * 0.0175 * ((x + w) / 2 / 0.5 - 1), 9)

    def test_problems_name_their_line(self):
        def problem(trace, recipe="int4-fp4"):
            return run("run", trace, "--machine", "edge-int4", "--values", "--recipe", recipe, expect=2)[1]

        trace = self.trace(*self.expected())
        self.assertIn("replay.trace:7: fc: tensor 0 says how it was quantised to INT4 (clip), but this GEMM reads it in "
                      "FP8", problem(trace, "hfp8"))
        self.assertIn("tensor 3 says how it was quantised to FP4", problem(trace, "hfp8"))
        self.assertIn("fc: tensor 0 says how it was quantised to FP4 (fp4_scale_log2), but this GEMM reads it in INT4",
                      problem(self.trace(*self.expected(), x_says={"fp4_scale_log2": 1})))
        self.assertIn("clip: expected a number above 0", problem(self.trace(*self.expected(), x_says={"clip": -1})))
        y, dx = self.expected()
        self.assertIn("replay.trace:9", problem(self.trace(y, dx[1:])))
        self.assertIn("y.npy", problem(self.trace(np.full_like(y, np.inf), dx)))


if __name__ == "__main__":
    smoke.main()
