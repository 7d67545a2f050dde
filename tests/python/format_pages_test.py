#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tables of docs/formats say what the module does.

A comment before a table names its kind and format, as in `<!-- thresholds: e2m1 -->`. Numbers may be written as 2^-6,
1/3, 0b101 or 0x7e, in backticks or not.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import nibblesim
    import numpy as np
except ImportError as error:  # tools for tests only, and not everywhere
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "formats"


def number(cell):
    """The value of a table's cell."""
    text = cell.strip("` *").replace("^", "**").replace("√2", "(2**0.5)").replace("×", "*").replace("−", "-")
    if text in {"NaN", "infinity"}:
        return float(text)
    if not re.fullmatch(r"[-+*/().0-9a-fxe ]+", text):
        raise SystemExit(f"no number: '{cell}'")
    return eval(text)  # digits and operators only


def operand(name, dtype=np.uint8):
    return lambda code: nibblesim.decode(np.array([code], dtype=dtype), name)[0]


def single(function, *arguments):
    """A function of arrays as one of a number."""
    return lambda x: function(np.array([x], dtype=np.float32), *arguments)[0]


def decoded(function, *arguments):
    return lambda code: function(np.array([code], dtype=np.uint8), *arguments)[0]


def fp4(phase):
    return lambda x: nibblesim.decode(nibblesim.fp4(np.array([x], dtype=np.float32), 0, phase), f"fp4_{phase}")[0]


def fp8(name):
    return lambda x: nibblesim.decode(nibblesim.fp8(np.array([x], dtype=np.float32), name), name)[0]


def scaled(make, name):
    """The integers of a linear format whose scale is 1."""

    def value(x):
        codes, scale = make(np.array([x], dtype=np.float32))
        assert scale == 1
        return nibblesim.decode(codes, name)[0]

    return value


DECODE = {
    "int4_signed": operand("int4_signed"),
    "int4_unsigned": operand("int4_unsigned"),
    "fp4_even": operand("fp4_even"),
    "fp4_odd": operand("fp4_odd"),
    "fp8_143": operand("fp8_143"),
    "fp8_152": operand("fp8_152"),
    "fp16": operand("fp16", np.uint16),
    "radix2_fp4": decoded(nibblesim.radix2_fp4_decode),
    "e2m1": decoded(nibblesim.e2m1_decode),
    "e8m0": decoded(nibblesim.e8m0_decode),
    "log5": decoded(nibblesim.log5_decode, 0),
    "log5_sqrt2": decoded(nibblesim.log5_decode, 0, "sqrt2"),
}

ROUND = {
    "int4_signed": scaled(lambda x: nibblesim.int4_symmetric(x, 7.0), "int4_signed"),
    "int4_unsigned": scaled(lambda x: nibblesim.pact(x, 15.0), "int4_unsigned"),
    "fp4_even": fp4("even"),
    "fp4_odd": fp4("odd"),
    "fp8_143": fp8("fp8_143"),
    "fp8_152": fp8("fp8_152"),
    "fp16": single(nibblesim.round_half),
    "dlfloat16": single(nibblesim.round_dlfloat16),
    "radix2_fp4": single(nibblesim.radix2_fp4, 0),
    "e2m1": lambda x: nibblesim.e2m1_decode(nibblesim.e2m1_encode(np.array([x], dtype=np.float32)))[0],
    "log5": single(nibblesim.log5, 0),
    "log5_sqrt2": single(nibblesim.log5, 0, "sqrt2"),
}


def expect(what, got, expected):
    if not (np.float32(got) == np.float32(expected) or (np.isnan(got) and np.isnan(expected))):
        raise SystemExit(f"{what}: the module says {got}, the page {expected}")


def check_values(name, rows):
    for row in rows:
        expect(f"{name} code {row['code']}", DECODE[name](int(number(row["code"]))), number(row["value"]))


def check_rounds(name, rows):
    for row in rows:
        expect(f"{name} of {row['x']}", ROUND[name](number(row["x"])), number(row["value"]))


def check_thresholds(name, rows):
    """Below, on and above each threshold; radix-4 FP4 rounds to binary16 first, so its neighbours are of that."""
    kind = np.float16 if name.startswith("fp4_") else np.float32
    for row in rows:
        exact = number(row["threshold"])
        on = kind(exact)
        below = on if np.float64(on) < exact else np.nextafter(on, kind(0))
        above = on if np.float64(on) > exact else np.nextafter(on, kind(np.inf))
        for x, column in ((below, "below"), (exact, "on"), (above, "above")):
            if column in row:
                expect(f"{name} {column} {row['threshold']}", ROUND[name](x), number(row[column]))
                if name != "int4_unsigned":
                    expect(f"{name} {column} -{row['threshold']}", -ROUND[name](-x), number(row[column]))


def check_pair(_, rows):
    for row in rows:
        field = int(number(row["field"]))
        even, odd = field >> 1, (field >> 1) + (field & 1)
        expect(f"field {field}", DECODE["fp4_even"](even), number(row["even level"]))
        expect(f"field {field}", DECODE["fp4_odd"](odd), number(row["odd level"]))
        # 1.25 times 2^q is the lowest magnitude of the field; 2^q lies below it.
        codes = nibblesim.fp4_pair(np.array([1.25 * 2.0 ** (field - 9)], dtype=np.float32), 0)[:2]
        assert (codes[0][0], codes[1][0]) == (even, odd) or field == 0, (field, codes)


def check_phases(_, rows):
    for row in rows:
        even, odd, _ = nibblesim.fp4_pair(np.array([number(row["gradient"])], dtype=np.float32), 14)
        levels = nibblesim.decode(even, "fp4_even")[0], nibblesim.decode(odd, "fp4_odd")[0]
        expect(row["gradient"], levels[0], number(row["even"]))
        expect(row["gradient"], levels[1], number(row["odd"]))
        expect(row["gradient"], number(row["gradient"]) * 2**14, number(row["scaled"]))
        expect(row["gradient"], (levels[0] + levels[1]) / 2, number(row["mean"]))


def check_grad_scale(_, rows):
    scale = nibblesim.GradScale(int(number(rows[0]["log2 scale"])))
    for row in rows:
        expect("log2 scale", scale.log2, number(row["log2 scale"]))
        largest = number(row["largest gradient"]) * 2.0**scale.log2
        expect("scaled", largest, number(row["scaled"]))
        vote = nibblesim.grad_scale_vote(largest)
        expect("vote", vote, number(row["vote"]))
        scale.update(vote)


def check_affine(_, rows):
    x = np.array([number(row["grey"]) for row in rows])
    codes, scale, zero = nibblesim.int4_affine(x, 0.0, 1.0)
    for row, code in zip(rows, codes):
        integer = (int(code) ^ 8) - 8
        expect("code", integer, number(row["code"]))
        expect("position", -8 + 15 * number(row["grey"]), number(row["position"]))
        expect("stands for", round(integer * scale + zero, 4), number(row["stands for"]))


def check_sawb(_, rows):
    w = np.array([1, -2, 3, 0.5], dtype=np.float32)
    for row in rows:
        clip = nibblesim.sawb(w, row["levels"].strip("`"))[2]
        expected = number(row["c1"]) * np.sqrt(np.mean(w.astype(float) ** 2)) + number(row["c2"]) * np.mean(abs(w))
        if expected > 0:
            expect(row["levels"], clip, expected)


def check_luq(_, rows):
    """Largest 64: the upper level comes up n p times, give or take five standard deviations."""
    count = 100000
    for row in rows:
        x, p = number(row["x"]), number(row["probability"])
        values = nibblesim.luq(np.full(count, x, dtype=np.float32), 3, largest=64.0)
        upper, lower = (np.count_nonzero(values == number(row[column])) for column in ("upper", "lower"))
        assert abs(upper - count * p) <= 5 * np.sqrt(count * p * (1 - p)), (row, upper)
        assert upper + lower == count, (row, upper, lower)


def check_block(name, rows):
    """One block, or several of which each row names the scale."""
    x = np.array([number(row["x"]) for row in rows], dtype=np.float32)
    if name == "mxfp4":
        codes, scales = nibblesim.mxfp4_codes(x)
        scales, values = np.repeat(nibblesim.e8m0_decode(scales), 32), nibblesim.mxfp4(x)
    else:
        # Every row leads a block of its own.
        tensor = np.zeros((len(x), 16), dtype=np.float32)
        tensor[:, 0] = x
        codes, scales, decode = nibblesim.nvfp4_codes(tensor)
        codes, values = codes[:, 0], nibblesim.nvfp4(tensor)[:, 0]
        scales = nibblesim.decode(scales, "fp8_143").ravel()
        expect("scale of the tensor", decode, 1)
    for row, code, scale, value in zip(rows, codes, scales, values):
        expect(f"{name} scale of {row['x']}", scale, number(row["scale"]))
        expect(f"{name} element of {row['x']}", nibblesim.e2m1_decode(np.array([code]))[0], number(row["element"]))
        expect(f"{name} value of {row['x']}", value, number(row["value"]))


CHECKS = {"values": check_values, "thresholds": check_thresholds, "rounds": check_rounds, "pair": check_pair,
          "phases": check_phases, "grad_scale": check_grad_scale, "affine": check_affine, "sawb": check_sawb,
          "luq": check_luq, "block": check_block}


def tables_of(page):
    """(kind, format, rows) of every marked table, a row a dictionary by column."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        marker = re.fullmatch(r"<!-- (\w+)(?:: (\w+))? -->", line)
        if not marker:
            continue
        table = [[cell.strip() for cell in row.strip("|").split("|")]
                 for row in iter_table(lines[i + 1:])]
        yield marker[1], marker[2], [dict(zip(table[0], row)) for row in table[2:]]


def iter_table(lines):
    for line in lines:
        if not line.startswith("|"):
            if line.strip():
                return
            continue
        yield line


def check_pictures():
    """Drawn twice they are the same; drawn by the Matplotlib that drew them, they are those of the repository."""
    try:
        import matplotlib
    except ImportError:
        print("no Matplotlib: pictures not checked")
        return
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for directory in (one, other):
            subprocess.run([sys.executable, ROOT / "scripts" / "plot_formats.py", directory], check=True)
        for picture in sorted(pathlib.Path(one).iterdir()):
            drawn = picture.read_bytes()
            assert drawn == (pathlib.Path(other) / picture.name).read_bytes(), picture.name
            kept = (PAGES / picture.name).read_bytes()
            if f"Matplotlib v{matplotlib.__version__}," in kept.decode() and drawn != kept:
                raise SystemExit(f"{picture.name} is not what scripts/plot_formats.py draws")


def main():
    seen = {}
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)", text):
            if "://" not in target and not (PAGES / target).exists():
                raise SystemExit(f"{page.name}: link to {target}, which is no file")
        for kind, name, rows in tables_of(page):
            if not rows:
                raise SystemExit(f"{page.name}: '{kind}: {name}' has no rows")
            try:
                CHECKS[kind](name, rows)
            except (AssertionError, KeyError, SystemExit) as error:
                raise SystemExit(f"{page.name}, table '{kind}: {name}': {error}") from error
            seen.setdefault(page.name, []).append((kind, name))
    expected = {"int4.md": 6, "fp4_radix4.md": 6, "fp4_radix2.md": 2, "fp8.md": 4, "fp16.md": 3, "luq.md": 1,
                "mxfp4.md": 4, "nvfp4.md": 1, "log5.md": 4, "gradient_scaling.md": 2}
    found = {name: len(tables) for name, tables in seen.items()}
    if found != expected:
        raise SystemExit(f"expected {expected} tables to check, found {found}")
    check_pictures()
    print(f"{sum(found.values())} tables checked")


main()
