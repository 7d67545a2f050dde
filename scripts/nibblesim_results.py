#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Results of nibblesim as pandas tables, and the figures of a paper by matplotlib.

In a script or a notebook:

    from nibblesim_results import load_operations, load_points, load_run
    run = load_run("out")                   # a directory made by run --out, or its result.json
    run.phases                              # DataFrames: phases, groups, modes, units, waterfall
    load_operations("out")                  # ops.csv: an operation a row, with those of the baseline beside
    load_points("study")                    # points.json of a sweep: axes and metrics as columns

On the command line, the format follows from the name of the picture (.png, .pdf, .svg):

    nibblesim_results.py speedup out1 out2 ... -o speedup.pdf    speed-up and energy gain of each run
    nibblesim_results.py causes out1 out2 ... -o causes.pdf      time of machine and baseline by cause
    nibblesim_results.py roofline out -o roofline.pdf            every GEMM of a run under its roofs
"""

import argparse
import collections
import json
import pathlib
import sys

import pandas

RESULT_SCHEMA = "nibblesim-result-2"
POINTS_SCHEMA = "nibblesim-points-1"
CAUSES = {"compute": "array streams", "fill_drain": "fill and drain", "gradient_conversion": "gradient conversion",
          "vector": "element-wise work", "memory": "waiting for DRAM", "control": "control"}
# Paul Tol's "bright" scheme, as in the report pages.
COLOURS = {"compute": "#4477aa", "fill_drain": "#66ccee", "gradient_conversion": "#aa3377", "vector": "#228833",
           "memory": "#ee6677", "control": "#bbbbbb"}
MACHINE, BASELINE = "#1f5fbf", "#b8661a"
MARKERS = {"forward": ("o", "#4477aa"), "dx": ("^", "#aa3377"), "dw": ("D", "#228833")}

Run = collections.namedtuple("Run", "name result phases groups modes units waterfall")


class ResultError(Exception):
    """A file is not what it should be; the message is for the user."""


def read_json(path, inside, schema):
    path = pathlib.Path(path)
    file = path / inside if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ResultError(f"{file}: not JSON: {error}") from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise ResultError(f"{file}: expected schema '{schema}', found {found!r}")
    return document


def table(rows):
    """Rows with nested objects as columns like `baseline.causes.memory`."""
    return pandas.json_normalize(rows) if rows else pandas.DataFrame()


def load_run(path):
    """One result: its document, and what it has of tables."""
    result = read_json(path, "result.json", RESULT_SCHEMA)
    sides = [("machine", result)] + ([("baseline", result["baseline"])] if result["baseline"] else [])
    units = [{"side": side, "unit": unit["unit"], **unit["cycles"]} for side, part in sides for unit in part["units"]]
    name = f"{result['provenance']['network']} on {result['machine']['name']}"
    return Run(name, result, table(result["phases"]), table(result["groups"]), table(result["modes"]), table(units),
               table(result["waterfall"]))


def load_operations(path):
    """Operations of a run, from ops.csv, or from result.json where only that is given."""
    path = pathlib.Path(path)
    csv = path / "ops.csv" if path.is_dir() else path
    if csv.suffix == ".csv":
        try:
            return pandas.read_csv(csv, dtype={"layer": str, "group": str}, keep_default_na=False,
                                   na_values={column: [""] for column in ["left_sqnr_db", "right_sqnr_db"]})
        except OSError as error:
            raise ResultError(f"{csv}: cannot be read: {error.strerror}") from None
    return table(read_json(path, "result.json", RESULT_SCHEMA)["ops"])


def load_points(path):
    """Points of a study: a row each, axes and metrics as columns; axes are numbers where all of their values are."""
    document = read_json(path, "points.json", POINTS_SCHEMA)
    rows = [{**{key: value for key, value in point.items() if key not in ("values", "metrics")}, **point["values"],
             **point["metrics"]} for point in document["points"]]
    points = pandas.DataFrame(rows)
    for axis in document["axes"]:
        if axis in points:
            numbers = pandas.to_numeric(points[axis], errors="coerce")
            if numbers.notna().all():
                points[axis] = numbers
    return points


def figure(width, height):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot
    picture, axes = matplotlib.pyplot.subplots(figsize=(width, height), constrained_layout=True)
    for side in ["top", "right"]:
        axes.spines[side].set_visible(False)
    return picture, axes


def require_baselines(runs):
    for run in runs:
        if run.result["baseline"] is None:
            raise ResultError(f"{run.name}: this run has no baseline to compare with")


def plot_speedup(runs):
    """Bars of speed-up and energy gain for each run, under the speed-up that MAC area alone promises."""
    require_baselines(runs)
    picture, axes = figure(1.6 + 1.1 * len(runs), 3.2)
    places = range(len(runs))
    for shift, key, label, colour in [(-0.19, "speedup", "speed-up", MACHINE),
                                      (0.19, "energy_gain", "energy gain", BASELINE)]:
        values = [run.result[key] for run in runs]
        bars = axes.bar([place + shift for place in places], values, 0.36, label=label, color=colour)
        axes.bar_label(bars, [f"{value:.2f}" for value in values], fontsize=7)
    for place, run in zip(places, runs):
        promised = run.result["promised_speedup"]
        axes.plot([place - 0.42, place + 0.42], [promised, promised], color="#5a6572", linewidth=1, linestyle="--",
                  label="promised by MAC area" if place == 0 else None)
    axes.axhline(1, color="#1a1f26", linewidth=0.6)
    slanted = {"rotation": 20, "ha": "right"} if len(runs) > 2 else {}
    axes.set_xticks(list(places), [run.name for run in runs], fontsize=8, **slanted)
    axes.set_ylabel("baseline over machine")
    axes.legend(frameon=False, fontsize=8)
    return picture


def plot_causes(runs):
    """Time of each run's machine and baseline, stacked by cause, in shares of the baseline's."""
    require_baselines(runs)
    picture, axes = figure(6.5, 1.2 + 0.75 * len(runs))
    labels, places = [], []
    for number, run in enumerate(runs):
        whole = run.result["baseline"]["totals"]["seconds"]
        for shift, side, part in [(-0.2, "machine", run.result), (0.2, "baseline", run.result["baseline"])]:
            totals, left = part["totals"], 0.0
            for cause in CAUSES:
                width = totals["causes"][cause] / totals["cycles"] * totals["seconds"] / whole
                axes.barh(number + shift, width, 0.36, left=left, color=COLOURS[cause],
                          label=CAUSES[cause] if not places else None)
                left += width
            places.append(number + shift)
            labels.append(f"{run.name}, {side}")
    axes.set_yticks(places, labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("time, of the baseline's")
    axes.legend(frameon=False, fontsize=8, ncol=3, loc="lower center", bbox_to_anchor=(0.4, 1.0))
    return picture


def roofline_points(run):
    """GEMMs with MACs a byte of DRAM and MACs a second; what moved no byte or is charged no cycle is left out."""
    ops = table(run.result["ops"])
    ops = ops[(ops["mode"] != "vector") & (ops["macs"] > 0)]
    moved = ops["dram_bytes_read"] + ops["dram_bytes_written"]
    seconds = ops["cycles"] * run.result["machine"]["clock_period_ps"] * 1e-12
    points = ops.assign(bytes=moved, macs_per_byte=ops["macs"] / moved, seconds=seconds,
                        macs_per_second=ops["macs"] / seconds)
    return points[(points["bytes"] > 0) & (points["cycles"] > 0)]


def plot_roofline(run):
    """Every GEMM of the machine over its DRAM traffic, with the roofs of the configuration."""
    machine = run.result["machine"]
    bandwidth = machine["dram_bytes_per_second"]
    points = roofline_points(run)
    if bandwidth is None or points.empty:
        raise ResultError(f"{run.name}: there is no roofline without DRAM and GEMMs")
    picture, axes = figure(5.5, 4)
    peaks = {}  # modes with the same one share a roof
    for mode, peak in machine["peak_macs_per_second"].items():
        if peak > 0 and mode in set(points["mode"]):
            peaks[peak] = f"{peaks[peak]}, {mode}" if peak in peaks else mode
    left, right = points["macs_per_byte"].min() / 2, max(points["macs_per_byte"].max(), max(peaks) / bandwidth) * 2
    axes.plot([left, max(peaks) / bandwidth], [left * bandwidth, max(peaks)], color="#5a6572", linewidth=1)
    for peak, mode in peaks.items():
        axes.plot([peak / bandwidth, right], [peak, peak], color="#5a6572", linewidth=1)
        axes.annotate(mode, (right, peak), fontsize=7, ha="right", va="bottom", color="#5a6572")
    for phase, (marker, colour) in MARKERS.items():
        part = points[points["phase"] == phase]
        # Some began under the operation before and are charged hardly any time: they are drawn at the upper edge.
        axes.scatter(part["macs_per_byte"], part["macs_per_second"].clip(upper=2 * max(peaks)), marker=marker,
                     color=colour, label=phase, s=8 + 120 * part["seconds"] / points["seconds"].max(), alpha=0.7,
                     linewidths=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(f"MACs a byte of DRAM ({bandwidth * 1e-9:.1f} GB/s)")
    axes.set_ylabel("MACs a second")
    axes.set_title(run.name, fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    return picture


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figure", choices=["speedup", "causes", "roofline"])
    parser.add_argument("results", nargs="+", help="directories made by run --out, or their result.json")
    parser.add_argument("-o", "--output", required=True, help="picture to write: .png, .pdf or .svg")
    chosen = parser.parse_args(arguments)
    if chosen.figure == "roofline" and len(chosen.results) > 1:
        parser.error("roofline takes one result")
    try:
        runs = [load_run(path) for path in chosen.results]
        draw = {"speedup": plot_speedup, "causes": plot_causes, "roofline": lambda runs: plot_roofline(runs[0])}
        picture = draw[chosen.figure](runs)
        picture.savefig(chosen.output, dpi=200)
    except (ResultError, OSError, ValueError) as error:
        sys.exit(f"nibblesim_results.py: error: {error}")


if __name__ == "__main__":
    main()
