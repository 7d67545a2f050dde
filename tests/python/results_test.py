#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/nibblesim_results.py: tables are those of the files, figures are drawn, and what is no result is refused."""

import json
import pathlib
import subprocess
import sys
import tempfile

from support import expect_error, require, run_tests

require("pandas", "matplotlib")

import nibblesim_results as results

FOLDER = pathlib.Path(tempfile.mkdtemp())
PROGRAM = sys.argv[1]
OUT = FOLDER / "out"


def simulate(*flags):
    subprocess.run([PROGRAM, "run", "tiny", "--machine", "edge-int4", "--batch", "1", "--mapping", "greedy",
                    "--out", OUT, "--quiet", *flags], check=True, timeout=200)
    return json.loads((OUT / "result.json").read_text(encoding="utf-8"))


def test_tables_are_those_of_the_result():
    result = simulate()
    run = results.load_run(OUT)
    assert run.result == result
    assert list(run.phases["cycles"]) == [phase["cycles"] for phase in result["phases"]]
    assert run.phases["baseline.causes.memory"].sum() == result["baseline"]["totals"]["causes"]["memory"]
    assert abs(run.waterfall["factor"].prod() / result["speedup"] - 1) < 1e-9
    assert set(run.units["side"]) == {"machine", "baseline"}


def test_operations_from_either_file():
    result = simulate()
    for source in [OUT, OUT / "ops.csv", OUT / "result.json"]:
        ops = results.load_operations(source)
        assert list(ops["cycles"]) == [op["cycles"] for op in result["ops"]]
        assert list(ops["layer"]) == [op["layer"] for op in result["ops"]]
        assert list(ops["scratchpad_bytes"]) == [op["scratchpad_bytes"] for op in result["ops"]]


def test_roofline_points():
    result = simulate()
    points = results.roofline_points(results.load_run(OUT))
    op = next(op for op in result["ops"] if op["index"] == points.iloc[0]["index"])
    moved = op["dram_bytes_read"] + op["dram_bytes_written"]
    assert points.iloc[0]["macs_per_byte"] == op["macs"] / moved
    assert abs(points.iloc[0]["macs_per_second"] / (op["macs"] / (op["cycles"] * 1e-9)) - 1) < 1e-12  # 1 ns a cycle


def test_figures_are_drawn():
    simulate()
    for figure in ["speedup", "causes", "roofline"]:
        for suffix in ["png", "pdf"]:
            file = FOLDER / f"{figure}.{suffix}"
            sources = [OUT] if figure == "roofline" else [OUT, OUT / "result.json"]
            results.main([figure, *map(str, sources), "-o", str(file)])
            assert file.read_bytes().startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[suffix])


def test_bars_are_as_long_as_the_result_says():
    result = simulate()
    axes = results.plot_speedup([results.load_run(OUT)]).axes[0]
    assert [bar.get_height() for bars in axes.containers for bar in bars] == [result["speedup"], result["energy_gain"]]
    axes = results.plot_causes([results.load_run(OUT)]).axes[0]
    ends = {}
    for bar in axes.patches:
        ends[bar.get_y()] = max(ends.get(bar.get_y(), 0), bar.get_x() + bar.get_width())
    machine, baseline = (ends[y] for y in sorted(ends))
    assert abs(baseline - 1) < 1e-9 and abs(machine - 1 / result["speedup"]) < 1e-9


def test_points_of_a_study():
    point = {"design": 0, "machine": "edge", "workload": "net", "values": {"rows": "16", "name": "a"}, "status": "ok",
             "fidelity": "composed", "key": "k", "reason": "", "metrics": {"cycles": 5.0, "speedup": None}}
    document = {"schema": "nibblesim-points-1", "axes": ["rows", "name"], "points": [point]}
    (FOLDER / "points.json").write_text(json.dumps(document), encoding="utf-8")
    points = results.load_points(FOLDER)
    assert points.iloc[0]["rows"] == 16 and points.iloc[0]["name"] == "a" and points.iloc[0]["cycles"] == 5
    assert points["speedup"].isna().all()


def test_what_is_no_result_is_refused():
    (FOLDER / "bad.json").write_text("{", encoding="utf-8")
    (FOLDER / "other.json").write_text('{"schema": "nibblesim-points-1"}', encoding="utf-8")
    expect_error(results.ResultError, ["cannot be read"], results.load_run, FOLDER / "nowhere")
    expect_error(results.ResultError, ["bad.json", "not JSON"], results.load_run, FOLDER / "bad.json")
    expect_error(results.ResultError, ["nibblesim-result-2", "nibblesim-points-1"], results.load_run,
                 FOLDER / "other.json")
    simulate("--baseline", "none")
    expect_error(results.ResultError, ["no baseline"], results.plot_speedup, [results.load_run(OUT)])


run_tests(globals())
