#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The module's matrix products and convolutions against references in NumPy, bit for bit."""

import itertools
import unittest

import reference
from reference import FORMATS, np
import nibblesim

RANDOM = np.random.default_rng(1)


def random_codes(form, *shape):
    if form == "fp16":
        return nibblesim.half(RANDOM.standard_normal(shape))
    if form.startswith("fp8"):
        return nibblesim.fp8(RANDOM.standard_normal(shape), form)
    return RANDOM.integers(0, 16, shape, dtype=np.uint8)


def bits(array):
    return array.view(np.uint32)


class Gemm(unittest.TestCase):
    def check(self, a, b, a_format, b_format, **options):
        found = nibblesim.gemm(a, b, a_format, b_format, **options)
        options.pop("threads", None)
        rule = {"chunk": 64, "accumulator": "fp16"} | options
        expected = reference.product(reference.values(a, a_format), reference.values(b, b_format),
                                     reference.is_exact(a_format, b_format), **rule)
        self.assertEqual(found.dtype, np.float32)
        self.assertTrue(np.array_equal(bits(found), bits(expected)), f"{a_format} x {b_format} {options}")

    def test_every_pair_of_formats_and_accumulator(self):
        for (a_format, b_format), accumulator in itertools.product(itertools.product(FORMATS, FORMATS),
                                                                   ["fp16", "dlfloat16", "fp32"]):
            a, b = random_codes(a_format, 9, 70), random_codes(b_format, 70, 21)
            self.check(a, b, a_format, b_format, accumulator=accumulator, chunk=int(RANDOM.choice([1, 16, 64, 1000])))

    def test_strided_views(self):
        a, b = random_codes("int4_signed", 40, 90), random_codes("fp4_even", 66, 120)
        for left, right in [(a, b.T[:90]), (a[::3, ::-1], b.T[10:100]), (a.T[5:30, ::2].T, b[:25, ::5])]:
            self.check(left, right, "int4_signed", "fp4_even")

    def test_any_number_of_threads(self):
        for a_format, b_format in [("int4_signed", "fp4_odd"), ("fp8_152", "fp8_143")]:
            a, b = random_codes(a_format, 150, 200), random_codes(b_format, 200, 700)
            one = nibblesim.gemm(a, b, a_format, b_format, threads=1)
            for threads in [2, 3, 8, 0]:
                self.assertTrue(np.array_equal(nibblesim.gemm(a, b, a_format, b_format, threads=threads), one))

    def test_specials(self):
        infinity, one, zero, nan = 0x7c00, 0x3c00, 0, 0x7e00
        for a, b, expected in [([infinity], [one], np.inf), ([infinity], [zero], np.nan), ([nan], [one], np.nan)]:
            found = nibblesim.gemm(np.uint16([a]), np.uint16([b]), "fp16", "fp16")
            self.assertTrue(np.array_equal(found, [[expected]], equal_nan=True), expected)
            found = nibblesim.gemm(np.uint16([a]), np.uint16([b]), "fp16", "fp16", accumulator="dlfloat16")
            self.assertEqual(found[0, 0], np.inf, "DLFloat16 has one code for both")
        large = np.full((1, 64), 0x7bff, np.uint16)  # 65504
        self.assertEqual(nibblesim.gemm(large, large.T, "fp16", "fp16")[0, 0], np.inf, "sums overflow to infinity")
        self.assertTrue(np.isfinite(nibblesim.gemm(large, large.T, "fp16", "fp16", accumulator="fp32")[0, 0]))

    def test_empty(self):
        self.assertTrue(np.array_equal(nibblesim.gemm(np.zeros((2, 0), np.uint8), np.zeros((0, 3), np.uint8),
                                                      "fp4_even", "int4_signed"), np.zeros((2, 3))))
        self.assertEqual(nibblesim.gemm(np.zeros((0, 5), np.uint8), np.zeros((5, 3), np.uint8), "fp4_even",
                                        "int4_signed").shape, (0, 3))

    def test_numbers(self):
        a = RANDOM.standard_normal((20, 150)).astype(np.float32)
        b = RANDOM.standard_normal((40, 150)).astype(np.float32).T
        for accumulator, chunk in itertools.product(["fp16", "dlfloat16", "fp32"], [16, 64, 1000]):
            # float32 of the exact product, and of each sum.
            expected = reference.product(a.astype(np.float64), b.astype(np.float64), False, chunk, accumulator)
            found = nibblesim.matmul_values(a, b, chunk=chunk, accumulator=accumulator)
            self.assertTrue(np.array_equal(bits(found), bits(expected)), f"{accumulator} {chunk}")

    def test_bad_arguments(self):
        a, b = np.zeros((2, 3), np.uint8), np.zeros((3, 4), np.uint8)
        for message, call in [
                (r"b: expected \(k, n\) with the k of a \(2, 3\), found \(2, 3\)",
                 lambda: nibblesim.gemm(a, a, "fp4_even", "fp4_even")),
                (r"a: expected 2 dimensions, found shape \(3,\)",
                 lambda: nibblesim.gemm(a[0], b, "fp4_even", "fp4_even")),
                ("b: expected codes of fp16 as uint16, found uint8", lambda: nibblesim.gemm(a, b, "fp8_143", "fp16")),
                ("a_format: expected one of", lambda: nibblesim.gemm(a, b, "fp4", "fp16")),
                ("chunk: expected 1 to 4294967295, found 0",
                 lambda: nibblesim.gemm(a, b, "fp4_even", "fp4_even", chunk=0)),
                ("accumulator: expected one of 'fp16', 'dlfloat16', 'fp32', found 'bf16'",
                 lambda: nibblesim.gemm(a, b, "fp4_even", "fp4_even", accumulator="bf16")),
                ("threads: expected 0", lambda: nibblesim.gemm(a, b, "fp4_even", "fp4_even", threads=-2)),
                ("a: expected 2 dimensions", lambda: nibblesim.matmul_values(np.float32([1]), np.float32([[1]])))]:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message):
                call()


class Convolutions(unittest.TestCase):
    def test_equal_the_textbook(self):
        cases = [((2, 4, 5, 6), (6, 2, 3, 2), dict(stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2)),
                 ((1, 3, 6, 5), (4, 3, 3, 3), dict(stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1)),
                 ((2, 3, 7, 7), (3, 1, 2, 1), dict(stride=(3, 2), padding=(0, 1), dilation=(2, 1), groups=3)),
                 ((3, 5, 4, 4), (2, 5, 1, 1), dict(stride=(2, 2), padding=(0, 0), dilation=(1, 1), groups=1))]
        modes = [("int4_unsigned", "int4_signed", "fp4_even", "fp4_odd"), ("fp8_143", "fp8_143", "fp8_152", "fp8_152"),
                 ("fp16", "fp16", "fp16", "fp16")]
        for (x_shape, w_shape, geometry), (of_x, of_w, even, odd) in itertools.product(cases, modes):
            x, w = random_codes(of_x, *x_shape), random_codes(of_w, *w_shape)
            rule = dict(chunk=int(RANDOM.choice([5, 64])), accumulator=str(RANDOM.choice(["fp16", "fp32"])))
            y = nibblesim.conv_forward(x, w, of_x, of_w, **geometry, **rule)
            dy_even, dy_odd = random_codes(even, *y.shape), random_codes(odd, *y.shape)
            dx = nibblesim.conv_dx(dy_even, w, even, of_w, x_shape[2:], **geometry, **rule)
            dw = nibblesim.conv_dw(x, dy_odd, of_x, odd, w_shape[2:], **geometry, **rule)
            for phase, found, first, second in [("forward", y, (x, of_x), (w, of_w)),
                                                ("dx", dx, (dy_even, even), (w, of_w)),
                                                ("dw", dw, (x, of_x), (dy_odd, odd))]:
                with self.subTest(phase=phase, x=x_shape, w=w_shape, formats=of_x, **rule):
                    expected = reference.convolution(phase, reference.values(*first), reference.values(*second), x_shape,
                                                     w_shape, geometry, reference.is_exact(first[1], second[1]),
                                                     shape=found.shape, **rule)
                    self.assertTrue(np.array_equal(bits(found), bits(expected)))

    def test_views_and_threads(self):
        x, w = random_codes("int4_unsigned", 9, 9, 4, 20).T, random_codes("int4_signed", 3, 3, 4, 16).T
        one = nibblesim.conv_forward(x, w, "int4_unsigned", "int4_signed", threads=1)
        plain = nibblesim.conv_forward(x.copy(), w.copy(), "int4_unsigned", "int4_signed", threads=3)
        self.assertTrue(np.array_equal(one, plain))

    def test_bad_arguments(self):
        x, w = np.zeros((2, 4, 5, 6), np.uint8), np.zeros((6, 2, 3, 3), np.uint8)
        dy = np.zeros((2, 6, 3, 4), np.uint8)
        forms = ("fp4_even", "int4_signed")
        for message, call in [
                (r"w: expected \(6, 4, 3, 3\), found \(6, 2, 3, 3\)", lambda: nibblesim.conv_forward(x, w, *forms)),
                ("groups: expected a divisor of 4 input and 6 output channels, found 4",
                 lambda: nibblesim.conv_forward(x, w, *forms, groups=4)),
                ("stride: expected 1 or more, found 0", lambda: nibblesim.conv_forward(x, w, *forms, stride=(0, 1))),
                ("padding: expected 0 or more, found -1",
                 lambda: nibblesim.conv_forward(x, w, *forms, groups=2, padding=(0, -1))),
                ("the padded input is smaller than the kernel",
                 lambda: nibblesim.conv_forward(x, w, *forms, groups=2, dilation=(3, 1))),
                ("x: expected 4 dimensions", lambda: nibblesim.conv_forward(x[0], w, *forms)),
                (r"dy: expected \(2, 6, 4, 4\), found \(2, 6, 3, 4\)",
                 lambda: nibblesim.conv_dx(dy, w, *forms, (6, 6), groups=2)),
                (r"dy: expected \(2, 6, 4, 4\), found \(2, 6, 3, 4\)",
                 lambda: nibblesim.conv_dw(x, dy, *forms, (2, 3), groups=2)),
                ("batch: expected 1 or more, found 0", lambda: nibblesim.conv_forward(x[:0], w, *forms, groups=2))]:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message):
                call()


unittest.main(verbosity=2)
