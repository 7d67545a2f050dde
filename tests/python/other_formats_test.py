#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The formats of python/other_formats.cpp against references in NumPy, written from their definitions.

    PYTHONPATH=build/release/python tests/python/other_formats_test.py
"""

import sys

try:
    import nibblesim
    import numpy as np
except ImportError as error:  # tools for tests only, and not everywhere
    print(f"skipped: {error}")
    sys.exit(77)

E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def e4m3_table():
    """Micikevicius et al. 2022: 2^(E-7) (1 + M/8), subnormal where E = 0; the largest is 448, 0x7f is NaN."""
    codes = np.arange(127)
    exponent, fraction = codes >> 3, codes & 7
    return np.where(exponent == 0, fraction / 8 * 2.0**-6, (1 + fraction / 8) * 2.0 ** (exponent - 7))


def nearest(magnitudes, table):
    """The index of the nearest of ascending numbers, ties to the even index, saturating."""
    middles = (table[1:] + table[:-1]) / 2
    lower = np.searchsorted(middles, magnitudes, side="left")  # a tie stays below
    upper = np.searchsorted(middles, magnitudes, side="right")  # a tie goes up
    return np.where(lower % 2 == 0, lower, upper)


def uniform(seed, positions):
    """Output `position` of SplitMix64, as a number in [0, 1) from its upper 53 bits; and the 64 bits."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (positions.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = z ^ (z >> np.uint64(31))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53, bits


def e2m1(scaled, seed=None):
    """Magnitudes and signs to E2M1 values; stochastic with a seed, element i by random number i."""
    magnitude = np.minimum(np.abs(scaled.astype(np.float64)), 6)
    if seed is None:
        value = E2M1[nearest(magnitude, E2M1)]
    else:
        lower = np.searchsorted(E2M1, magnitude, side="right") - 1
        upper = np.minimum(lower + 1, 7)
        gap = np.where(upper > lower, E2M1[upper] - E2M1[lower], 1)
        random, _ = uniform(seed, np.arange(scaled.size).reshape(scaled.shape))
        value = np.where(random < (magnitude - E2M1[lower]) / gap, E2M1[upper], E2M1[lower])
    return np.copysign(value, scaled)


def block_largest(x, axis, size):
    """For every element the largest magnitude of its block."""
    moved = np.moveaxis(np.abs(x), axis, -1)
    largest = np.empty_like(moved)
    for begin in range(0, moved.shape[-1], size):
        block = moved[..., begin:begin + size]
        largest[..., begin:begin + size] = block.max(axis=-1, keepdims=True)
    return np.moveaxis(largest, -1, axis)


def tile_largest(x):
    largest = np.empty_like(x)
    for row in range(0, x.shape[0], 16):
        for column in range(0, x.shape[1], 16):
            tile = np.s_[row:row + 16, column:column + 16]
            largest[tile] = np.abs(x[tile]).max()
    return largest


def mxfp4(x, axis, seed=None):
    largest = block_largest(x, axis, 32).astype(np.float64)
    with np.errstate(divide="ignore"):
        shared = np.maximum(np.floor(np.log2(largest)) - 2, -127)
    return (e2m1(x / 2.0**shared, seed) * 2.0**shared).astype(np.float32)


def nvfp4(x, largest, seed=None):
    """TransformerEngine's reference, in float32 throughout."""
    one = np.float32(1)
    encode = np.float32(448) * np.float32(6) / np.abs(x).max()
    decode = one / encode
    scale = np.minimum(largest / np.float32(6) * encode, np.float32(448))
    table = e4m3_table()
    scale = table[nearest(scale.astype(np.float64), table)].astype(np.float32)
    with np.errstate(divide="ignore"):
        factor = np.minimum(one / (scale * decode), np.finfo(np.float32).max)
    return (e2m1(x * factor, seed).astype(np.float32) * scale) * decode


def random_tensor(*shape, seed=1):
    random = np.random.default_rng(seed)
    return (random.standard_normal(shape) * np.exp(3 * random.standard_normal(shape))).astype(np.float32)


def check(what, got, expected):
    if got.dtype != np.float32 or got.shape != expected.shape:
        raise SystemExit(f"{what}: {got.dtype} {got.shape}, expected float32 {expected.shape}")
    if not np.array_equal(got, expected.astype(np.float32), equal_nan=True):
        where = np.argwhere(~((got == expected) | (np.isnan(got) & np.isnan(expected))))[0]
        raise SystemExit(f"{what}: at {tuple(where)} {got[tuple(where)]}, expected {expected[tuple(where)]}")


def halves():
    return np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)


def test_codes():
    codes = np.arange(16, dtype=np.uint8)
    signs = np.where(codes < 8, 1.0, -1.0)
    check("e2m1_decode", nibblesim.e2m1_decode(codes), signs * np.tile(E2M1, 2))
    x = halves()
    assert np.array_equal(nibblesim.e2m1_encode(x), nearest(x.astype(np.float64), E2M1))
    assert np.array_equal(nibblesim.e2m1_encode(-x), nearest(x.astype(np.float64), E2M1) + 8)
    scales = np.arange(255, dtype=np.uint8)
    check("e8m0_decode", nibblesim.e8m0_decode(scales), 2.0 ** (scales.astype(np.float64) - 127))
    assert np.isnan(nibblesim.e8m0_decode(np.array([255], dtype=np.uint8)))[0]


def test_int4_affine():
    x = np.concatenate([halves(), -halves()])
    codes, scale, zero = nibblesim.int4_affine(x, -2.0, 10.0)
    integers = (codes.astype(int) ^ 8) - 8
    position = -8 + 15 * ((x.astype(np.float64) + 2) / 12)
    assert np.array_equal(integers, np.clip(np.round(position), -8, 7))  # NumPy rounds ties to even
    assert abs(-8 * scale + zero + 2) < 1e-12 and abs(7 * scale + zero - 10) < 1e-12
    codes, _, _ = nibblesim.int4_affine(np.array([3, 5], dtype=np.float32), 3.0, 3.0)
    assert list(codes) == [8, 8]


def test_radix2_fp4():
    levels = np.array([0] + [2.0**n for n in range(-3, 4)])
    codes = np.arange(16, dtype=np.uint8)
    check("radix2_fp4_decode", nibblesim.radix2_fp4_decode(codes), np.concatenate([levels, -levels]))
    cuts = np.concatenate([[0.09375], (levels[2:] + levels[1:-1]) / 2])
    for scale in (-4, 0, 9):
        x = halves()
        code = np.searchsorted(cuts, x.astype(np.float64) * 2.0**scale, side="right")  # ties go up
        assert np.array_equal(nibblesim.radix2_fp4_codes(x, scale), code)
        check(f"radix2_fp4 at 2^{scale}", nibblesim.radix2_fp4(-x, scale), -levels[code] / 2.0**scale)


def test_luq():
    x = random_tensor(40, 50)
    for levels, largest in ((7, None), (5, None), (8, 3.5), (7, float(np.abs(x).max()) * 2)):
        top = np.float64(np.abs(x).max() if largest is None else np.float32(largest))
        grid = np.concatenate([[0], top * 2.0 ** np.arange(1 - levels, 1)])
        magnitude = np.minimum(np.abs(x.astype(np.float64)), top)
        lower = np.searchsorted(grid, magnitude, side="right") - 1
        upper = np.minimum(lower + 1, levels)
        gap = np.where(upper > lower, grid[upper] - grid[lower], 1)
        random = (uniform(5, np.arange(x.size))[1] >> np.uint64(12)).astype(np.float64) * 2.0**-52
        value = np.where(random.reshape(x.shape) < (magnitude - grid[lower]) / gap, grid[upper], grid[lower])
        check(f"luq {levels}", nibblesim.luq(x, 5, levels=levels, largest=largest), np.copysign(value, x))


def test_log5():
    x = np.concatenate([halves(), -halves()])
    for base, steps in (("2", 1), ("sqrt2", 2)):
        for full_scale in (-3, 0, 15):
            with np.errstate(divide="ignore"):
                exponent = np.round(np.log2(np.abs(x.astype(np.longdouble))) * steps)
            code = np.clip(exponent - full_scale * steps + 15, 0, 15)
            value = np.where(code == 0, 0, 2.0 ** (full_scale + (code - 15) / steps))
            check(f"log5 {base}", nibblesim.log5(x, full_scale, base=base), np.copysign(value, x).astype(np.float32))
    codes, full_scale = nibblesim.log5_codes(np.array([3, -0.01], dtype=np.float32))
    assert full_scale == 2 and list(codes) == [15, 16 + 15 - 9], (codes, full_scale)  # log2 0.01 = -6.64
    assert list(nibblesim.log5_decode(codes, 2)) == [4, -(2.0**-7)]


def test_block_formats():
    x = random_tensor(3, 70, 5)
    for axis in (0, 1, 2, -1, -2):
        for seed in (None, 77):
            how = {"axis": axis} if seed is None else {"axis": axis, "rounding": "stochastic", "seed": seed}
            check(f"mxfp4 {how}", nibblesim.mxfp4(x, **how), mxfp4(x, axis, seed))
            check(f"nvfp4 {how}", nibblesim.nvfp4(x, **how), nvfp4(x, block_largest(x, axis, 16), seed))
    matrix = random_tensor(40, 75)
    tiles = nibblesim.nvfp4(matrix, two_dimensional=True)
    check("nvfp4 tiles", tiles, nvfp4(matrix, tile_largest(matrix)))
    check("nvfp4 tiles of the transpose", nibblesim.nvfp4(matrix.T, two_dimensional=True).T, tiles)


def test_codes_of_block_formats():
    x = random_tensor(6, 70)
    codes, scales = nibblesim.mxfp4_codes(x)
    assert codes.shape == (6, 70) and scales.shape == (6, 3)
    repeated = np.repeat(nibblesim.e8m0_decode(scales), 32, axis=1)[:, :70]
    check("mxfp4 codes", nibblesim.e2m1_decode(codes) * repeated, nibblesim.mxfp4(x))
    codes, scales, scale = nibblesim.nvfp4_codes(x, axis=0)
    assert codes.shape == (6, 70) and scales.shape == (1, 70)
    values = nibblesim.e2m1_decode(codes) * nibblesim.decode(scales, "fp8_143") * np.float32(scale)
    check("nvfp4 codes", values, nibblesim.nvfp4(x, axis=0))
    codes, scales, scale = nibblesim.nvfp4_codes(x, two_dimensional=True)
    assert scales.shape == (1, 5)


def test_nan_and_infinity():
    for bad in (np.nan, np.inf, -np.inf):
        x = np.ones(64, dtype=np.float32)
        x[40] = bad
        assert np.array_equal(np.isnan(nibblesim.mxfp4(x)), np.arange(64) >= 32)
        assert np.array_equal(np.isnan(nibblesim.nvfp4(x)), np.arange(64) // 16 == 2)
        for values in (nibblesim.luq(x, 1), nibblesim.log5(x), nibblesim.radix2_fp4(x, 3)):
            assert abs(values[40]) == 1 and np.all(np.isfinite(values)), values[40]
    zeros = np.zeros((2, 40), dtype=np.float32)
    for values in (nibblesim.mxfp4(zeros), nibblesim.nvfp4(zeros), nibblesim.luq(zeros, 1), nibblesim.log5(zeros)):
        assert np.array_equal(values, zeros)


def test_arrays():
    """Strided, transposed, empty and float64 arrays give what their float32 copies give."""
    x = random_tensor(64, 48)
    check("transposed", nibblesim.mxfp4(x.T, axis=0).T, nibblesim.mxfp4(x, axis=1))
    check("strided", nibblesim.nvfp4(x[::2, ::3]), nibblesim.nvfp4(np.ascontiguousarray(x[::2, ::3])))
    check("float64", nibblesim.log5(x.astype(np.float64)), nibblesim.log5(x))
    assert nibblesim.mxfp4(np.empty((0, 5), dtype=np.float32)).shape == (0, 5)
    assert np.array_equal(nibblesim.luq(x, 3), nibblesim.luq(x, 3))
    assert not np.array_equal(nibblesim.luq(x, 3), nibblesim.luq(x, 4))


def expect_error(text, call):
    try:
        call()
    except ValueError as error:
        if text in str(error):
            return
        raise SystemExit(f"'{error}' does not contain '{text}'")
    raise SystemExit(f"no error: {text}")


def test_errors():
    x = random_tensor(4, 4)
    expect_error("axis: expected one of the 2 of x, (4, 4), found 2", lambda: nibblesim.mxfp4(x, axis=2))
    expect_error("axis: expected", lambda: nibblesim.nvfp4(np.float32(1)))
    expect_error("rounding: expected one of 'nearest', 'stochastic', found 'up'",
                 lambda: nibblesim.mxfp4(x, rounding="up"))
    expect_error("two-dimensional blocks, found shape (4,)", lambda: nibblesim.nvfp4(x[0], two_dimensional=True))
    expect_error("lowest, highest: expected", lambda: nibblesim.int4_affine(x, 2.0, 1.0))
    expect_error("levels: expected 1 to 30, found 0", lambda: nibblesim.luq(x, 1, levels=0))
    for largest in (-1.0, np.inf, np.nan, 1e39):
        expect_error("largest: expected a float32 number from 0", lambda: nibblesim.luq(x, 1, largest=largest))
    expect_error("base: expected one of '2', 'sqrt2', found '3'", lambda: nibblesim.log5(x, base="3"))
    expect_error("full_scale_log2: expected -149 to 127, found 128", lambda: nibblesim.log5(x, 128))


def main():
    tests = [test for name, test in sorted(globals().items()) if name.startswith("test_")]
    for test in tests:
        test()
    print(f"{len(tests)} tests passed")


main()
