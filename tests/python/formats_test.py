#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The module's array formats against references in NumPy: every code, every FP16 number, every rounding boundary."""

import unittest

import reference
from reference import all_codes, all_halves, around, nearest, np
import nibblesim


def same(found, expected):
    """Equal, element by element and in sign; NaN equals NaN."""
    return np.array_equal(found, expected, equal_nan=True) and np.array_equal(
        np.signbit(found)[~np.isnan(found)], np.signbit(np.asarray(expected))[~np.isnan(found)])


class Formats(unittest.TestCase):
    def test_decode_every_code(self):
        for form in reference.FORMATS:
            with self.subTest(form):
                codes = all_codes(form)
                found = nibblesim.decode(codes, form)
                self.assertEqual(found.dtype, np.float32)
                self.assertTrue(np.array_equal(found, reference.values(codes, form), equal_nan=True))

    def test_half(self):
        levels = np.arange(0x7c00, dtype=np.uint16).view(np.float16).astype(np.float64)
        x = np.concatenate([all_halves(), around(levels), np.float32([1e30, -1e30, 65519.996, 65520])])
        expected = np.clip(x, -65504, 65504).astype(np.float16).view(np.uint16)
        rounded = x.astype(np.float16).astype(np.float32)
        found = nibblesim.half(x)
        number = ~np.isnan(x)
        self.assertEqual(found.dtype, np.uint16)
        self.assertTrue(np.array_equal(found[number], expected[number]))
        self.assertEqual(set(found[~number]), {0x7e00}, "there is one NaN")
        self.assertTrue(same(nibblesim.round_half(x), rounded))

    def test_dlfloat16(self):
        levels = reference.dlfloat16_levels()
        x = np.concatenate([all_halves(), around(levels[1:]), np.float32([2.0 ** -32, 2.0 ** -31, 1e-30, 1e30])])
        self.assertTrue(same(nibblesim.round_dlfloat16(x), reference.round_dlfloat16(x)))

    def test_fp8(self):
        for form in ["fp8_143", "fp8_152"]:
            top = 0x7f if form == "fp8_143" else 0x7c  # codes below are numbers
            levels = reference.values(np.arange(top), form)
            x = np.concatenate([all_halves(), around(levels), np.float32([np.inf, -np.inf, 1e38])])
            for scale_log2 in [0, 5, -3, 1000, -1000]:
                with self.subTest(form, scale_log2=scale_log2):
                    scaled = np.ldexp(np.abs(x.astype(np.float64)), scale_log2)
                    # Codes count the levels; a tie goes to the even one.
                    code = np.where(scaled >= levels[-1], top - 1, nearest(np.minimum(scaled, 1e6), levels, "even"))
                    expected = np.where(np.isnan(x), 0x7f, code | np.where(np.signbit(x), 0x80, 0))
                    self.assertTrue(np.array_equal(nibblesim.fp8(x, form, scale_log2), expected))

    def fp4_codes(self, x, scale_log2, phase):
        """By thresholds: a magnitude has code c from the midpoint of the levels c - 1 and c on, 4^(c - 4) / 1.6."""
        half = x.astype(np.float16).astype(np.float64)
        scaled = np.ldexp(np.abs(half), scale_log2)
        thresholds = 4.0 ** (np.arange(1, 8) - 4) / 1.6 / (2 if phase == "odd" else 1)
        code = np.searchsorted(thresholds, scaled, side="right")
        code = np.where(np.isnan(half), 7, code)
        return code | np.where(np.signbit(half) & ~np.isnan(half), 8, 0), scaled

    def test_fp4(self):
        thresholds = 2.0 ** np.arange(-9, 10) / 1.6
        x = np.concatenate([all_halves(), around(thresholds), np.float32([1e30, -1e-30])])
        for scale_log2 in [0, 1, 7, 20, -9, 200, -200]:
            with self.subTest(scale_log2=scale_log2):
                (even, scaled), (odd, _) = (self.fp4_codes(x, scale_log2, phase) for phase in ["even", "odd"])
                self.assertTrue(np.array_equal(nibblesim.fp4(x, scale_log2), even))
                self.assertTrue(np.array_equal(nibblesim.fp4(x, scale_log2, phase="odd"), odd))
                found_even, found_odd, statistics = nibblesim.fp4_pair(x, scale_log2)
                self.assertTrue(np.array_equal(found_even, even))
                self.assertTrue(np.array_equal(found_odd, odd))
                nan = np.isnan(scaled)
                self.assertEqual(statistics, {
                    "largest_scaled": np.max(scaled[~nan]),
                    "saturated_even": np.sum((scaled > 64) | nan), "saturated_odd": np.sum((scaled > 32) | nan),
                    "underflowed_even": np.sum((scaled != 0) & (even & 7 == 0)),
                    "underflowed_odd": np.sum((scaled != 0) & (odd & 7 == 0)), "elements": x.size})

    def test_int4_symmetric_and_pact(self):
        for clip in [1.0, 0.3, 100.0]:
            steps = np.arange(0, 33) / 2  # levels and the midpoints between them
            x = np.concatenate([all_halves(), around(steps * clip / 7), around(steps * clip / 15)])
            with self.subTest(clip=clip):
                position = np.where(np.isnan(x), -7, 7 * x.astype(np.float64) / clip)
                codes, scale = nibblesim.int4_symmetric(x, clip)
                self.assertTrue(np.array_equal(codes, np.rint(np.clip(position, -7, 7)).astype(np.int64) & 15))
                self.assertEqual(scale, clip / 7)
                position = np.where(np.isnan(x), 0, 15 * x.astype(np.float64) / clip)
                codes, scale = nibblesim.pact(x, clip)
                self.assertTrue(np.array_equal(codes, np.rint(np.clip(position, 0, 15))))
                self.assertEqual(scale, clip / 15)
        self.assertTrue(np.array_equal(nibblesim.int4_symmetric(np.float32([-1, 0, 1]), 0.0)[0], [0, 0, 0]))

    def test_pact_gradient(self):
        x = np.float32([-1, 0, 0.5, 2, 3, np.nan])
        dy = np.float32([1, 2, 4, 8, 16, 32])
        dx, dalpha = nibblesim.pact_gradient(x, dy, 2.0)
        self.assertTrue(np.array_equal(dx, [0, 2, 4, 8, 0, 0]), "from 0 up to alpha, both included")
        self.assertEqual(dalpha, 8 + 16, "from alpha on")

    def test_sawb(self):
        random = np.random.default_rng(1)
        x = (random.standard_normal((40, 50)) * 0.1).astype(np.float32)
        sets = {"plain_2_bit": (3.12, -2.064, 3), "plain_3_bit": (7.509, -6.892, 7), "plain_4_bit": (12.68, -12.80, 15),
                "plain_5_bit": (17.74, -18.64, 31), "plain_8_bit": (31.76, -35.04, 255),
                "zero_aligned_4_bit": (12.035, -12.03, 7)}
        for levels, (c1, c2, outermost) in sets.items():
            with self.subTest(levels):
                codes, scale, clip = nibblesim.sawb(x, levels)
                wide = x.astype(np.float64)
                moment = np.sqrt(np.mean(wide ** 2))
                expected = c1 * moment + c2 * np.mean(np.abs(wide))
                self.assertAlmostEqual(clip / (expected if expected > 0 else moment), 1, places=12)
                self.assertEqual(scale, clip / outermost)
                step = 1 if levels == "zero_aligned_4_bit" else 2
                index = np.rint((np.clip(wide / clip, -1, 1) + 1) * outermost / step)
                integers = (index * step - outermost).astype(np.int64)
                self.assertEqual(codes.dtype, np.uint8 if step == 1 else np.int16)
                self.assertTrue(np.array_equal(codes, integers & 15 if step == 1 else integers))
        codes, scale, clip = nibblesim.sawb(np.zeros(5, np.float32))
        self.assertEqual((list(codes), clip), ([0] * 5, 1.0), "a tensor of zeros")

    def test_grad_scale(self):
        votes = {0: 1, 32: 1, 32.001: 0, 64: 0, 64.001: -1, np.inf: -1, np.nan: -1}
        self.assertEqual([nibblesim.grad_scale_vote(largest) for largest in votes], list(votes.values()))
        scale = nibblesim.GradScale(10)
        for sum_of_votes, expected in [(3, 11), (0, 11), (-1, 10), (-5, 9)]:
            scale.update(sum_of_votes)
            self.assertEqual(scale.log2, expected)

    def test_scale_log2_into(self):
        for largest in [1.0, 64.0, 64.1, 1e-7, 3e38]:
            scaled = largest * 2.0 ** nibblesim.scale_log2_into(largest, 6)
            self.assertTrue(32 < scaled <= 64, largest)
        self.assertEqual(nibblesim.scale_log2_into(0.0, 6), 0)


class Arrays(unittest.TestCase):
    def test_any_layout_and_type(self):
        x = np.random.default_rng(2).standard_normal((6, 7, 8)).astype(np.float32)
        expected = nibblesim.fp4(x, 3)
        self.assertEqual(expected.shape, x.shape)
        self.assertTrue(np.array_equal(nibblesim.fp4(x.T, 3), expected.T))
        self.assertTrue(np.array_equal(nibblesim.fp4(x[::2, :, ::-1], 3), expected[::2, :, ::-1]))
        self.assertTrue(np.array_equal(nibblesim.fp4(x.astype(np.float64), 3), expected))
        self.assertTrue(np.array_equal(nibblesim.decode(expected.T, "fp4_even"),
                                       nibblesim.decode(expected, "fp4_even").T))
        self.assertEqual(nibblesim.fp4(np.zeros((0, 3), np.float32), 0).shape, (0, 3))

    def test_any_number_of_threads(self):
        x = np.random.default_rng(3).standard_normal(300_001).astype(np.float32)
        results = []
        for threads in [1, 2, 3, 7, 0]:
            nibblesim.set_threads(threads)
            even, odd, statistics = nibblesim.fp4_pair(x, 4)
            dx, dalpha = nibblesim.pact_gradient(x, x[::-1], 0.7)
            results.append((even.tobytes(), odd.tobytes(), statistics, nibblesim.half(x).tobytes(),
                            nibblesim.sawb(x)[0].tobytes(), dx.tobytes(), dalpha))
        self.assertTrue(all(result == results[0] for result in results))

    def test_bad_arguments(self):
        x = np.ones(3, np.float32)
        for message, call in [
                ("phase: expected one of 'even', 'odd', found 'both'", lambda: nibblesim.fp4(x, 0, phase="both")),
                ("levels: .*'zero_aligned_4_bit', found 'four'", lambda: nibblesim.sawb(x, "four")),
                ("x: expected finite numbers", lambda: nibblesim.sawb(np.float32([1, np.inf]))),
                ("alpha: expected a positive finite number, found 0", lambda: nibblesim.pact(x, 0.0)),
                ("alpha: .*found nan", lambda: nibblesim.pact_gradient(x, x, float("nan"))),
                ("clip: expected a finite number from 0", lambda: nibblesim.int4_symmetric(x, -1.0)),
                (r"dy: expected the shape of x, \(3,\), found \(2,\)", lambda: nibblesim.pact_gradient(x, x[:2], 1.0)),
                ("format: expected 'fp8_143' or 'fp8_152', found 'fp16'", lambda: nibblesim.fp8(x, "fp16")),
                ("format: expected one of 'int4_signed', .*found 'int4'",
                 lambda: nibblesim.decode(np.uint8([1]), "int4")),
                ("codes: expected codes of fp16 as uint16, found uint8",
                 lambda: nibblesim.decode(np.uint8([1]), "fp16")),
                ("codes: expected codes of fp4_odd as uint8, found float32", lambda: nibblesim.decode(x, "fp4_odd")),
                ("threads: expected 0", lambda: nibblesim.set_threads(-1))]:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message):
                call()
        with self.assertRaises(TypeError):
            nibblesim.fp4("text", 0)


unittest.main(verbosity=2)
