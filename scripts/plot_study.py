#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what `nibblesim pareto` does not: metrics of a study against an axis or another metric, a line or a bar for
each group; and prints the same numbers as a Markdown table.

    plot_study.py DIR --x COLUMN --y METRIC [METRIC ...] [--group COLUMN ...] [--relative-to COLUMN=VALUE]
                  [--line VALUE=LABEL] [--scatter] [-o FILE.svg]

DIR is what `nibblesim sweep --out` wrote (points.json). A COLUMN is `workload`, `machine`, `fidelity`, an axis or a
metric; the beginning of an axis's name is enough if no other begins so. Only points with status ok are drawn; of a
study of several workloads, those over all of them unless `workload` is one of the columns. A numeric x makes lines (on
a logarithmic axis if it spans a factor of eight or more), any other x bars; --scatter makes a dot of each point, for one
metric against another, and prints no table. With --relative-to every point is divided by the one that has this value
there and is otherwise on the same machine, workload and axes.

The same points and the same Matplotlib give the same file, byte for byte.
"""

import argparse
import json
import pathlib
import sys

# Okabe and Ito's palette: told apart by people who do not see some colours; markers differ as well.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
MARKERS = ["o", "s", "^", "D", "v", "P"]
INK, GRID = "#6b7480", "#aab2bb"

# What a metric is called in a picture, its unit, and the factor to that unit.
METRICS = {
    "time_ms": ("time per step", "ms", 1),
    "energy_pj": ("energy per step", "mJ", 1e-9),
    "energy_delay_pj_s": ("energy times time", "mJ s", 1e-9),
    "power_mw": ("power", "W", 1e-3),
    "dram_bytes": ("DRAM traffic", "MiB", 2.0**-20),
    "utilization": ("array utilisation", "%", 100),
    "speedup": ("speed-up over 16 bits", "x", 1),
    "energy_gain": ("energy gain over 16 bits", "x", 1),
    "area_mm2": ("core area", "mm²", 1),
    "peak_power_mw": ("peak power", "W", 1e-3),
    "peak_macs_per_s": ("peak", "TMAC/s", 1e-12),
    "dram_bytes_per_s": ("DRAM bandwidth", "GB/s", 1e-9),
    "sram_bytes": ("SRAM", "MiB", 2.0**-20),
}


class StudyError(Exception):
    """A study that cannot be drawn as asked."""


def load(directory):
    """The points with status ok, each a dictionary of all columns; and the names of axes and metrics."""
    path = pathlib.Path(directory)
    path = path / "points.json" if path.is_dir() else path
    try:
        study = json.loads(path.read_text(encoding="utf-8"))
        if study["schema"] != "nibblesim-points-1":
            raise StudyError(f"{path}: expected schema nibblesim-points-1, found {study['schema']}")
        points = [point for point in study["points"] if point["status"] == "ok"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path}: no points of a study: {error}") from error
    rows = [{"machine": point["machine"], "workload": point["workload"], "fidelity": point["fidelity"],
             **point["values"], **point["metrics"]} for point in points]
    if not rows:
        raise StudyError(f"{path}: no point has status ok")
    return rows, study["axes"], study["metrics"]


def column(name, rows):
    """The whole name of a column."""
    names = [known for known in rows[0] if known == name] or [known for known in rows[0] if known.startswith(name)]
    if len(names) != 1:
        raise StudyError(f"'{name}' is {'no column' if not names else 'the beginning of several columns'}: "
                         f"expected one of {', '.join(rows[0])}")
    return names[0]


def of_one_kind(rows, columns):
    """Rows of single workloads if the picture tells workloads apart, else those over all workloads."""
    over_all = [row for row in rows if row["workload"] == "all"]
    if "workload" in columns:
        return [row for row in rows if row["workload"] != "all"]
    return over_all or rows


def relative(rows, metric, reference, axes):
    """The rows with the metric divided by that of the row at the reference."""
    name, _, value = reference.partition("=")
    name = column(name, rows)
    alike = [other for other in ["machine", "workload", *axes] if other != name]
    bases = {tuple(row[other] for other in alike): row[metric] for row in rows if row[name] == value}
    if not bases:
        raise StudyError(f"--relative-to: no point has {name} = {value}")
    found = []
    for row in rows:
        base = bases.get(tuple(row[other] for other in alike))
        if base:
            found.append({**row, metric: row[metric] / base})
    return found


def size_text(value):
    """A number of bytes as people say it, where it is one."""
    for unit, size in (("MiB", 2**20), ("KiB", 2**10)):
        if value.isdigit() and int(value) >= size and int(value) % size == 0:
            return f"{int(value) // size} {unit}"
    return value


def shown(name, value):
    """A value of a column in words."""
    if name in METRICS:
        return f"{value * METRICS[name][2]:.4g}"
    parts = str(value).split(" / ")
    if "capacity_bytes" in name:  # those of the other parts follow from it
        return size_text(parts[0])
    if name.startswith("mac_array.rows"):
        return " x ".join(parts[:2])
    return ", ".join(parts)


def number(name, row):
    """The number on the x axis, or None if it is none."""
    if name in METRICS:
        return row[name] * METRICS[name][2]
    try:
        return float(row[name])
    except ValueError:
        return None


def label_of(row, groups):
    return ", ".join(shown(group, row[group]) for group in groups)


def series_of(rows, x, y, groups):
    """{group: {x: value}} with both in the order of the study."""
    series = {}
    for row in rows:
        label = label_of(row, groups)
        place = series.setdefault(label, {})
        if row[x] in place:
            raise StudyError(f"several points at {x} = {shown(x, row[x])} in group '{label}': name more columns in "
                             "--group")
        place[row[x]] = row[y]
    return series


def axis_title(name, reference=None):
    title, unit, _ = METRICS.get(name, (name.replace("_", " "), "", 1))
    if reference:
        title, unit = f"{title}, relative to {reference}", "x"
    return f"{title} [{unit}]" if unit and unit != "x" else title


def table(rows, x, metrics, groups, reference):
    """A Markdown table: a row for each x, a column for each metric and group."""
    by_metric = {metric: series_of(rows[metric], x, metric, groups) for metric in metrics}
    heads, columns = [], []
    for metric, series in by_metric.items():
        factor = 1 if reference else METRICS.get(metric, ("", "", 1))[2]
        for label, values in series.items():
            title = axis_title(metric, reference)
            heads.append(f"{title}: {label}" if len(metrics) > 1 and label else label or title)
            columns.append({key: f"{value * factor:.3g}" for key, value in values.items()})
    title = METRICS[x][0] + f" [{METRICS[x][1]}]" if x in METRICS else x.split(" / ")[0]
    print(f"| {title} | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
    for key in dict.fromkeys(key for values in columns for key in values):
        print(f"| {shown(x, key)} | " + " | ".join(values.get(key, "") for values in columns) + " |")


def style(axes):
    axes.grid(axis="y", color=GRID, linewidth=0.5, alpha=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=9, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)


def draw_lines(axes, series, x, factor, x_of):
    for place, (label, values) in enumerate(series.items()):
        points = sorted((x_of[key], value * factor) for key, value in values.items())
        axes.plot(*zip(*points), color=COLOURS[place % len(COLOURS)], marker=MARKERS[place % len(MARKERS)],
                  markersize=5, linewidth=1.8, label=label)
    ticks = sorted(set(x_of.values()))
    if ticks[0] > 0 and ticks[-1] / ticks[0] >= 8:
        axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{tick:.4g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(axis_title(x), color=INK, fontsize=9)


def draw_dots(axes, rows, x, y, groups):
    labels = list(dict.fromkeys(label_of(row, groups) for row in rows))
    for place, label in enumerate(sorted(labels)):
        mine = [row for row in rows if label_of(row, groups) == label]
        axes.plot([number(x, row) for row in mine], [number(y, row) for row in mine], linestyle="", markersize=5,
                  color=COLOURS[place % len(COLOURS)], marker=MARKERS[place % len(MARKERS)], alpha=0.7, label=label)
    axes.set_xlabel(axis_title(x), color=INK, fontsize=9)


def draw_bars(axes, series, x, factor):
    keys = list(dict.fromkeys(key for values in series.values() for key in values))
    width = 0.8 / len(series)
    for place, (label, values) in enumerate(series.items()):
        offset = (place - (len(series) - 1) / 2) * width
        axes.bar([keys.index(key) + offset for key in values], [value * factor for value in values.values()],
                 width=width * 0.92, color=COLOURS[place % len(COLOURS)], label=label)
    axes.set_xticks(range(len(keys)), [shown(x, key).replace(" b", "\nbatch ")
                                       .replace("-", "-\n" if len(keys) > 4 else "-") for key in keys])
    if x not in ("workload", "machine"):
        axes.set_xlabel("rows x columns of the array" if x.startswith("mac_array.rows") else x, color=INK, fontsize=9)


def draw(path, rows, x, metrics, groups, reference, line, scatter):
    import matplotlib  # not needed for a table alone

    matplotlib.use("svg")
    from matplotlib import pyplot

    # Identifiers from a fixed salt instead of a random one; text as text, which is smaller and can be searched.
    matplotlib.rcParams.update({"svg.hashsalt": "nibblesim", "svg.fonttype": "none", "font.family": "sans-serif"})
    figure, panels = pyplot.subplots(1, len(metrics), figsize=(6.2 if len(metrics) == 1 else 5.2 * len(metrics), 3.6),
                                     squeeze=False)
    for axes, metric in zip(panels[0], metrics):
        style(axes)
        factor = 1 if reference else METRICS.get(metric, ("", "", 1))[2]
        x_of = {row[x]: number(x, row) for row in rows[metric]}
        if scatter:
            draw_dots(axes, rows[metric], x, metric, groups)
        elif None in x_of.values():
            draw_bars(axes, series_of(rows[metric], x, metric, groups), x, factor)
        else:
            draw_lines(axes, series_of(rows[metric], x, metric, groups), x, factor, x_of)
        axes.set_title(axis_title(metric, shown(*reference) if reference else None), color=INK, fontsize=10, loc="left")
        if scatter:
            axes.set_xlim(left=0)
        elif not reference or None in x_of.values():  # differences of lines are read off, lengths of bars compared
            axes.set_ylim(bottom=0)
        if reference:
            axes.axhline(1, color=INK, linewidth=0.8)
        if line:
            value, _, label = line.partition("=")
            axes.axhline(float(value), color=INK, linewidth=1, linestyle="--")
            axes.annotate(label, (0.01, float(value)), (0, 3), xycoords=axes.get_yaxis_transform(),
                          textcoords="offset points", color=INK, fontsize=9)
            axes.set_ylim(top=max(axes.get_ylim()[1], float(value) * 1.15))
    handles, labels = panels[0][0].get_legend_handles_labels()
    if len(labels) > 1:
        title = ", ".join(group.split(" / ")[0] for group in groups if group not in ("workload", "machine"))
        legend = figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.02), frameon=False,
                               fontsize=9, labelcolor=INK, ncol=min(len(labels), 3 * len(metrics)), title=title or None)
        legend.get_title().set(color=INK, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR")
    parser.add_argument("--x", required=True, metavar="COLUMN")
    parser.add_argument("--y", required=True, nargs="+", metavar="METRIC")
    parser.add_argument("--group", nargs="+", default=[], metavar="COLUMN")
    parser.add_argument("--relative-to", metavar="COLUMN=VALUE")
    parser.add_argument("--line", metavar="VALUE=LABEL", help="a dashed line at VALUE")
    parser.add_argument("--scatter", action="store_true", help="a dot for each point; x is a metric")
    parser.add_argument("-o", "--output", metavar="FILE.svg")
    arguments = parser.parse_args()
    try:
        points, axes, _ = load(arguments.directory)
        x = column(arguments.x, points)
        groups = [column(group, points) for group in arguments.group]
        metrics = [column(metric, points) for metric in arguments.y]
        points = of_one_kind(points, [x, *groups])
        rows, reference = {}, None
        for metric in metrics:
            rows[metric] = [row for row in points if row[metric] is not None]
            if arguments.relative_to:
                name, _, value = arguments.relative_to.partition("=")
                reference = (column(name, points), value)
                rows[metric] = relative(rows[metric], metric, arguments.relative_to, axes)
            if not rows[metric]:
                raise StudyError(f"no point has a value of {metric}")
        if arguments.scatter and (x not in METRICS or reference):
            raise StudyError("--scatter: expected a metric at --x, and no --relative-to")
        if not arguments.scatter:
            table(rows, x, metrics, groups, shown(*reference) if reference else None)
        if arguments.output:
            draw(arguments.output, rows, x, metrics, groups, reference, arguments.line,
                 arguments.scatter)
    except StudyError as error:
        print(f"plot_study.py: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
