#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast the bit-true products of the module nibblesim are, against NumPy's float product (OpenBLAS) of the same size.

    PYTHONPATH=build/release/python scripts/benchmark_numerics.py [--threads N] [--repeat N]

Every product is timed next to its float counterpart, alternately, so that a busy machine slows both; the best time of
each counts. A convolution is compared with the float product of its im2col matrices, which are made beforehand: the
module's time holds the gathering of patches, NumPy's does not.
"""

import argparse
import os
import time

ARGUMENTS = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ARGUMENTS.add_argument("--threads", type=int, default=os.cpu_count())
ARGUMENTS.add_argument("--repeat", type=int, default=15)

# Which formats meet in the three products of a step: left, right.
MODES = [("int4_signed", "int4_unsigned"), ("int4_signed", "fp4_even"), ("fp4_odd", "int4_unsigned"),
         ("fp8_143", "fp8_143"), ("fp8_152", "fp8_143"), ("fp16", "fp16")]
# Channels and pixels of ResNet-20's three stages, 3x3 kernels.
STAGES = [(16, 32), (32, 16), (64, 8)]
BATCH = 128


def best_times(repeat, *calls):
    """The shortest time of each call, called in turns."""
    best = [float("inf")] * len(calls)
    for _ in range(repeat):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def main():
    options = ARGUMENTS.parse_args()
    for library in ["OPENBLAS", "OMP"]:  # before NumPy is loaded
        os.environ[f"{library}_NUM_THREADS"] = str(options.threads)
    import numpy as np
    import nibblesim

    nibblesim.set_threads(options.threads)
    random = np.random.default_rng(1)

    def codes(form, *shape):
        if form == "fp16":
            return nibblesim.half(random.standard_normal(shape))
        if form.startswith("fp8"):
            return nibblesim.fp8(random.standard_normal(shape), form)
        return random.integers(0, 16, shape, dtype=np.uint8)

    def floats(*shape):
        return random.standard_normal(shape).astype(np.float32)

    def report(name, form, macs, product, blas):
        a, b = blas
        own, reference = best_times(options.repeat, product, lambda: a @ b)
        print(f"{name:<38} {form:<28} {own * 1e3:9.2f} {macs / own / 1e9:8.1f} {reference * 1e3:9.2f} "
              f"{macs / reference / 1e9:8.1f} {own / reference:6.2f}x")

    print(f"{options.threads} threads" + " " * 58 + "nibblesim          OpenBLAS float")
    print(f"{'product':<38} {'formats':<28} {'ms':>9} {'GMAC/s':>8} {'ms':>9} {'GMAC/s':>8} {'ratio':>7}")
    n = 1024
    for a_form, b_form in MODES:
        a, b = codes(a_form, n, n), codes(b_form, n, n)
        report(f"{n} x {n} x {n}", f"{a_form} x {b_form}", n ** 3, lambda: nibblesim.gemm(a, b, a_form, b_form),
               (floats(n, n), floats(n, n)))
    for channels, pixels in STAGES:
        macs = BATCH * channels * channels * 9 * pixels ** 2
        what = f"conv 3x3, {channels} channels, {pixels}x{pixels}, batch {BATCH}"
        columns = BATCH * pixels ** 2
        forward = floats(channels, channels * 9), floats(channels * 9, columns)
        gradient = floats(channels, columns), floats(columns, channels * 9)
        for x_form, w_form, even, odd in [("int4_unsigned", "int4_signed", "fp4_even", "fp4_odd"),
                                          ("fp8_143", "fp8_143", "fp8_152", "fp8_152"),
                                          ("fp16", "fp16", "fp16", "fp16")]:
            x = codes(x_form, BATCH, channels, pixels, pixels)
            w = codes(w_form, channels, channels, 3, 3)
            dy_even, dy_odd = (codes(form, BATCH, channels, pixels, pixels) for form in [even, odd])
            report(f"{what} y", f"{x_form} x {w_form}", macs,
                   lambda: nibblesim.conv_forward(x, w, x_form, w_form, padding=(1, 1)), forward)
            report(f"{what} dx", f"{even} x {w_form}", macs,
                   lambda: nibblesim.conv_dx(dy_even, w, even, w_form, (pixels, pixels), padding=(1, 1)), forward)
            report(f"{what} dw", f"{x_form} x {odd}", macs,
                   lambda: nibblesim.conv_dw(x, dy_odd, x_form, odd, (3, 3), padding=(1, 1)), gradient)


main()
