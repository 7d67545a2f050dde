#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the levels of every number format on a logarithmic axis, from the decode tables of the module `nibblesim`.

    PYTHONPATH=build/release/python scripts/plot_formats.py [DIRECTORY]      (default: docs/formats)

The same module and the same Matplotlib give the same files, byte for byte. Lines and text have colours that can be read
on light and on dark paper.
"""

import pathlib
import sys

import matplotlib
import nibblesim
import numpy as np

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402 (the backend comes first)

INK, LEVEL = "#808890", "#2f81d4"


def positive(values):
    """The distinct positive finite levels, in ascending order."""
    values = np.unique(values.astype(np.float64))
    return values[np.isfinite(values) & (values > 0)]


def codes(count, dtype=np.uint8):
    return np.arange(count, dtype=dtype)


def operand(name, count=16, dtype=np.uint8):
    return positive(nibblesim.decode(codes(count, dtype), name))


def grid_of(round_, samples=np.exp2(np.linspace(-14, 14, 4001))):
    """The levels of a format that has no table of codes: what numbers are rounded to."""
    return positive(round_(np.concatenate([[0, samples.max()], samples]).astype(np.float32)))


def binades(round_, lowest, highest):
    """The powers of two that a wide format holds: one tick stands for all numbers up to the next."""
    return positive(round_(np.exp2(np.arange(lowest, highest + 1)).astype(np.float32)))


FORMATS = {
    "INT4 signed": operand("int4_signed"),
    "INT4 unsigned": operand("int4_unsigned"),
    "SAWB without zero": positive(nibblesim.sawb(np.linspace(-1, 1, 100, dtype=np.float32), "plain_4_bit")[0]),
    "FP4 radix 4, even": operand("fp4_even"),
    "FP4 radix 4, odd": operand("fp4_odd"),
    "FP4 radix 2": positive(nibblesim.radix2_fp4_decode(codes(16))),
    "FP8 1-4-3": operand("fp8_143", 256),
    "FP8 1-5-2": operand("fp8_152", 256),
    "FP16": binades(nibblesim.round_half, -24, 15),
    "DLFloat16": binades(nibblesim.round_dlfloat16, -31, 32),
    "LUQ, 7 levels": grid_of(lambda x: nibblesim.luq(x, 1, largest=64.0)),
    "E2M1": positive(nibblesim.e2m1_decode(codes(16))),
    "Log5, base 2": positive(nibblesim.log5_decode(codes(32), 6)),
    "Log5, base √2": positive(nibblesim.log5_decode(codes(32), 6, "sqrt2")),
}

PICTURES = {
    "int4": ["INT4 signed", "INT4 unsigned", "SAWB without zero"],
    "fp4_radix4": ["FP4 radix 4, even", "FP4 radix 4, odd"],
    "fp4_radix2": ["FP4 radix 2", "FP4 radix 4, even"],
    "fp8": ["FP8 1-4-3", "FP8 1-5-2"],
    "fp16": ["FP16", "DLFloat16"],
    "luq": ["LUQ, 7 levels", "FP4 radix 4, even"],
    "e2m1": ["E2M1", "FP4 radix 4, even"],
    "log5": ["Log5, base 2", "Log5, base √2"],
    "overview": ["INT4 signed", "INT4 unsigned", "E2M1", "FP4 radix 2", "LUQ, 7 levels", "FP4 radix 4, even",
                 "FP4 radix 4, odd", "Log5, base 2", "Log5, base √2", "FP8 1-4-3"],
}


def draw(path, names):
    figure, axes = pyplot.subplots(figsize=(7.2, 0.55 + 0.42 * len(names)))
    for row, name in enumerate(names):
        logarithms = np.log2(FORMATS[name])
        axes.hlines(row, logarithms[0], logarithms[-1], color=INK, linewidth=0.5)
        # One broken line for all levels: a tenth of the file that a line each would make.
        x = np.column_stack([logarithms, logarithms, np.full_like(logarithms, np.nan)]).ravel()
        axes.plot(x, np.tile([row - 0.3, row + 0.3, np.nan], len(logarithms)), color=LEVEL,
                  linewidth=1.6 if len(logarithms) < 50 else 0.8, solid_capstyle="butt")
    low = min(np.log2(FORMATS[name][0]) for name in names)
    high = max(np.log2(FORMATS[name][-1]) for name in names)
    step = max(1, round((high - low) / 9))
    ticks = np.arange(np.floor(low), np.ceil(high) + 1, step)
    axes.set_xticks(ticks, [f"$2^{{{int(tick)}}}$" for tick in ticks])
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(colors=INK, labelsize=9, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(INK)
    figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "docs/formats")
    # Identifiers from a fixed salt instead of a random one; text as text, which is smaller and can be searched.
    matplotlib.rcParams.update({"svg.hashsalt": "nibblesim", "svg.fonttype": "none", "font.family": "sans-serif"})
    for name, rows in PICTURES.items():
        draw(directory / f"{name}.svg", rows)


if __name__ == "__main__":
    main()
