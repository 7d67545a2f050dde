#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws timing diagrams of real runs as SVG, the same bytes for the same run.

    plot_timing.py timeline step.json --from 0 --to 3500 -o tiles.svg     what units did (run --timeline FILE.json)
    plot_timing.py wave gemm.vcd --signals 'mac_array_commands_*' --cycles 600:606,1206:1212 -o handshake.svg
                                                                          signals by the cycle (run --wave FILE.vcd)
"""

import argparse
import fnmatch
import gzip
import html
import json
import re
import sys

WIDTH = 960
LABELS = 150  # width of the names on the left
# Seen on white and on black; slices carry their text in white.
STYLE = """
text { font: 12px sans-serif; fill: #444 } .small { font-size: 11px } .in { fill: #fff; font-size: 11px }
line { stroke: #999; stroke-opacity: .5 } .signal { fill: none; stroke: #2f7ed8; stroke-width: 1.6 }
.bus { fill: none; stroke: #2f7ed8; stroke-width: 1.2 } .wait { fill: #999; fill-opacity: .18 }
@media (prefers-color-scheme: dark) { text { fill: #ccc } .in { fill: #fff } .signal, .bus { stroke: #6fb1f5 } }
"""
COLOURS = {"load": "#2f7ed8", "mac_array": "#a4461f", "log_gradient": "#7a4fb5", "vector_unit": "#2c7a3f",
           "store": "#1b6f7d", "dram": "#6b6b6b"}


class Drawing:
    """An SVG picture that grows downwards."""

    def __init__(self, title):
        self.title, self.parts, self.height = title, [], 10

    def add(self, part):
        self.parts.append(part)

    def text(self, x, y, what, anchor="start", kind="", title=""):
        hover = f"<title>{html.escape(title)}</title>" if title else ""
        self.add(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{kind and f" class={chr(34)}{kind}{chr(34)}"}>'
                 f"{hover}{html.escape(what)}</text>")

    def line(self, x1, y1, x2, y2):
        self.add(f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>')

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:g}" '
                       f'width="{WIDTH}" role="img">\n<title>{html.escape(self.title)}</title>\n'
                       f"<style>{STYLE}</style>\n" + "\n".join(self.parts) + "\n</svg>\n")


def fail(what):
    print(f"plot_timing.py: error: {what}", file=sys.stderr)
    sys.exit(2)


def read_timeline(path):
    """Tracks of the machine (the first process), in order, each with its slices in cycles."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    about = next(event["args"] for event in events if event["name"] == "nibblesim_machine")
    microseconds = about["clock_period_ps"] / 1e6
    names = {event["tid"]: event["args"]["name"] for event in events
             if event["name"] == "thread_name" and event["pid"] == 1}
    tracks = {name: [] for name in names.values()}
    for event in events:
        if event["ph"] == "X" and event["pid"] == 1:
            tracks[names[event["tid"]]].append({"from": round(event["ts"] / microseconds), "kind": event["cat"],
                                                "cycles": round(event["dur"] / microseconds), "name": event["name"]})
    return about, tracks


def ticks(first, last, most=10):
    step = 1
    while (last - first) / step > most:
        step *= 10
    for finer in (5, 2):
        if step % finer == 0 and (last - first) / (step // finer) <= most:
            return range(-(-first // (step // finer)) * (step // finer), last + 1, step // finer)
    return range(-(-first // step) * step, last + 1, step)


def draw_timeline(arguments):
    about, tracks = read_timeline(arguments.file)
    first, last = arguments.first, arguments.last or about["cycles"]
    if not first < last:
        fail("--to must be above --from")
    scale = (WIDTH - LABELS - 20) / (last - first)

    def x(cycle):
        return round(LABELS + (min(max(cycle, first), last) - first) * scale, 2)

    drawing = Drawing(f"{about['machine']}, cycles {first} to {last}")
    shown = [(name, [one for one in slices if one["kind"] in ("command", "stall", "busy")
                     and one["from"] < last and one["from"] + one["cycles"] > first])
             for name, slices in tracks.items() if name in COLOURS]
    shown = [(name, slices) for name, slices in shown if any(one["kind"] != "stall" for one in slices)]
    top, row = 10, 34
    bottom = top + row * len(shown)
    for cycle in ticks(first, last):
        drawing.line(x(cycle), top, x(cycle), bottom + 4)
        drawing.text(x(cycle), bottom + 18, f"{cycle:,}", "middle", "small")
    for number, (name, slices) in enumerate(shown):
        y = top + number * row
        drawing.text(LABELS - 10, y + 21, name.replace("_", " "), "end")
        for one in slices:
            left, width = x(one["from"]), round(x(one["from"] + one["cycles"]) - x(one["from"]), 2)
            waits = one["kind"] == "stall"
            hover = f"{one['name']}: {one['cycles']:,} cycles from {one['from']:,}"
            drawing.add(f'<rect x="{left:g}" y="{y + (13 if waits else 4)}" width="{width:g}" '
                        f'height="{6 if waits else 24}" ' + ('class="wait"' if waits else
                        f'fill="{COLOURS[name]}" stroke="#fff" stroke-width=".6"') +
                        f"><title>{html.escape(hover)}</title></rect>")
            label = next((text for text in (f"{one['name']}, {one['cycles']:,}", f"{one['cycles']:,}")
                          if len(text) * 6.2 + 4 < width), "")
            if label and not waits and one["kind"] != "busy":
                drawing.text(left + width / 2, y + 20, label, "middle", "in", hover)
    drawing.text(LABELS + (WIDTH - LABELS - 20) / 2, bottom + 36, "cycles", "middle", "small")
    drawing.height = bottom + 44
    drawing.write(arguments.output)


def read_wave(path):
    """Signals of a value change dump: for each name its changes, (cycle, value), and bits."""
    with open(path, encoding="utf-8") as file:
        head, body = file.read().split("$enddefinitions $end", 1)
    period = int(re.search(r"of (\d+) ps", head)[1])
    signals, by_code = {}, {}
    for bits, code, name in re.findall(r"\$var wire (\d+) (\S+) (\w+)", head):
        signals[name] = by_code[code] = {"bits": int(bits), "changes": []}
    cycle = 0
    for line in body.splitlines():
        if line.startswith("#"):
            cycle = int(line[1:]) // period
        elif line.startswith("b"):
            value, code = line[1:].split()
            by_code[code]["changes"].append((cycle, int(value, 2)))
        elif line and line[0] in "01":
            by_code[line[1:]]["changes"].append((cycle, int(line[0])))
    return signals


def value_at(signal, cycle):
    return [value for when, value in signal["changes"] if when <= cycle][-1]


def draw_wave(arguments):
    signals = read_wave(arguments.file)
    names = [name for pattern in arguments.signals.split(",") for name in signals if fnmatch.fnmatch(name, pattern)]
    windows = [tuple(map(int, window.split(":"))) for window in arguments.cycles.split(",")]
    if not names or not windows:
        fail("no such signals or cycles")
    left, gap = LABELS + 60, 36
    cell = (WIDTH - left - 20 - gap * (len(windows) - 1)) / sum(last - first for first, last in windows)
    drawing = Drawing(f"{', '.join(names)}; cycles {arguments.cycles}")
    top, row = 34, 30
    bottom = top + row * len(names)
    for number, name in enumerate(names):
        drawing.text(left - 12, top + number * row + 19, name, "end", "small")
    for first, last in windows:
        for cycle in range(first, last + 1):
            at = left + (cycle - first) * cell
            drawing.line(at, top - 4, at, bottom)
            if cycle < last:
                drawing.text(at + cell / 2, top - 12, f"{cycle:,}", "middle", "small")
        for number, name in enumerate(names):
            signal, y = signals[name], top + number * row
            values = [value_at(signal, cycle) for cycle in range(first, last)]
            if signal["bits"] == 1:
                points = [(left + (i + side) * cell, y + (24 if value == 0 else 6))
                          for i, value in enumerate(values) for side in (0, 1)]
                path = " ".join(f"{px:g},{py:g}" for px, py in points)
                drawing.add(f'<polyline class="signal" points="{path}"/>')
                continue
            start = 0
            for i in range(1, len(values) + 1):
                if i == len(values) or values[i] != values[start]:
                    drawing.add(f'<rect class="bus" x="{left + start * cell + 1:g}" y="{y + 6}" '
                                f'width="{(i - start) * cell - 2:g}" height="18"/>')
                    drawing.text(left + (start + i) / 2 * cell, y + 19, str(values[start]), "middle", "small")
                    start = i
        left += (last - first) * cell + gap
        if (first, last) != windows[-1]:
            drawing.text(left - gap / 2, (top + bottom) / 2, "...", "middle")
    drawing.height = bottom + 10
    drawing.write(arguments.output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    timeline = kinds.add_parser("timeline", help="units over time")
    timeline.add_argument("file", metavar="FILE", help="made by run --timeline, .json or .json.gz")
    timeline.add_argument("--from", dest="first", type=int, default=0, metavar="C", help="first cycle")
    timeline.add_argument("--to", dest="last", type=int, metavar="C", help="first cycle not to show (default: the end)")
    timeline.set_defaults(draw=draw_timeline)
    wave = kinds.add_parser("wave", help="signals by the cycle")
    wave.add_argument("file", metavar="FILE", help="made by run --wave")
    wave.add_argument("--signals", required=True, metavar="GLOB,...", help="by name, in this order")
    wave.add_argument("--cycles", required=True, metavar="A:B,...", help="windows: from A up to B, without B")
    wave.set_defaults(draw=draw_wave)
    for kind in (timeline, wave):
        kind.add_argument("-o", "--output", required=True, metavar="SVG")
    arguments = parser.parse_args()
    arguments.draw(arguments)


if __name__ == "__main__":
    main()
