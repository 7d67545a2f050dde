#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains every task with every recipe and makes a table of what came out (docs/training.md).

    train_table.py --out DIR [--jobs 2] [--long] [--only TASK|RECIPE,...] [--table-only]

Each run is a process of scripts/train.py with one thread; its result is DIR/TASK.RECIPE.SEED.json. A finished run is
not repeated, an interrupted one goes on from its checkpoint. The table is printed, and written to DIR/table.md.
Exit codes: 0 good; 1 a run failed; 2 wrong flag; 130 interrupted.
"""

import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

TRAIN = pathlib.Path(__file__).resolve().parent / "train.py"
TASKS = ["cifar10", "mnist", "speech", "char-lstm", "char-transformer"]
# Recipe, seeds, and what Sun et al. 2020 or the format's authors lead one to expect (docs/training.md).
RECIPES = [
    ("fp32", 3, "reference"),
    ("fp16", 3, "as FP32"),
    ("hfp8", 3, "as FP32"),
    ("int4-fp4", 3, "vision: 0.3 to 1.2% worse; speech, language: slightly worse"),
    ("int4-fp16", 1, "between fp16 and int4-fp4"),
    ("int4-fp4-single-phase", 1, "clearly worse"),
    ("int4-fp4-global-scale", 1, "clearly worse"),
    ("int4-fp4-radix2", 1, "clearly worse"),
    ("int4-luq", 1, "at or above int4-fp4"),
    ("mxfp4", 1, "slightly worse than FP32"),
    ("nvfp4", 1, "between mxfp4 and FP32"),
    ("log5", 1, "near FP32 (CIFAR-10)"),
]
_EXIT_DIVERGED = 1  # of train.py, whose result is whole nevertheless


class Matrix:
    """The runs of a table, and their results as far as there are any."""

    def __init__(self, folder, long, only, extra):
        self.folder, self.long, self.extra = folder, long, extra
        tasks = [task for task in TASKS if not only or task in only or not only & set(TASKS)]
        recipes = {recipe for recipe, _, _ in RECIPES}
        chosen = only & recipes if only else set()
        self.runs = [(task, recipe, seed) for seed in (1, 2, 3) for task in tasks for recipe, seeds, _ in RECIPES
                     if seed <= seeds and (not chosen or recipe in chosen)]

    def path(self, run, ending="json"):
        return self.folder / f"{'.'.join(map(str, run))}.{ending}"

    def result(self, run):
        """None if it is not there, or not that of a whole run."""
        try:
            return json.loads(self.path(run).read_text())
        except (OSError, ValueError):
            return None

    def execute(self, run, processes):
        """Runs it if need be; what went wrong, or None."""
        if self.result(run) is not None:
            return None
        task, recipe, seed = run
        command = [sys.executable, str(TRAIN), "--task", task, "--recipe", recipe, "--seed", str(seed),
                   "--threads", "1", "--json", "--checkpoint", str(self.path(run, "checkpoint")), *self.extra]
        command += ["--long"] if self.long else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            processes.add(process)
            out, errors = process.communicate()
            processes.discard(process)
        if process.returncode != 0 and not (process.returncode == _EXIT_DIVERGED and out):
            return errors.strip().splitlines()[-1] if errors.strip() else f"exit code {process.returncode}"
        temporary = self.path(run, f"json.{os.getpid()}")
        temporary.write_text(out)
        os.replace(temporary, self.path(run))
        self.path(run, "checkpoint").unlink(missing_ok=True)
        return None


def score(result):
    """Percent right; for a text bits a character."""
    if result["diverged"] or result["test_loss"] is None:
        return math.nan
    return result["test_loss"] / math.log(2) if result["domain"] == "language" else result["test_accuracy"]


def cell(results):
    scores = [score(one) for one in results]
    if not scores:
        return ""
    if any(math.isnan(one) for one in scores):
        return "diverged" if len(scores) == 1 else f"{sum(map(math.isnan, scores))} of {len(scores)} diverged"
    digits = 3 if results[0]["domain"] == "language" else 2
    mean = f"{statistics.mean(scores):.{digits}f}"
    return mean if len(scores) == 1 else f"{mean} ± {statistics.stdev(scores):.{digits}f}"


def tables(matrix):
    """Accuracy, and time of training against FP32."""
    found = {}
    for run in matrix.runs:
        result = matrix.result(run)
        if result:
            found.setdefault(run[:2], []).append(result)
    tasks = [task for task in TASKS if any(key[0] == task for key in found)]
    if not tasks:
        return "no results yet\n"
    units = {"language": "bits a character, lower is better"}
    domains = {task: next(ones[0]["domain"] for key, ones in found.items() if key[0] == task) for task in tasks}
    lines = ["| recipe | seeds |" + "".join(f" {task} ({units.get(domains[task], '% right')}) |" for task in tasks) +
             " expected |", "|---|---|" + "---|" * (len(tasks) + 1)]
    times = ["| recipe |" + "".join(f" {task} |" for task in tasks), "|---|" + "---|" * len(tasks)]
    for recipe, seeds, expected in RECIPES:
        row = [found.get((task, recipe), []) for task in tasks]
        if any(row):
            lines.append(f"| {recipe} | {max(map(len, row))} |" + "".join(f" {cell(ones)} |" for ones in row) +
                         f" {expected} |")
            times.append(f"| {recipe} |" + "".join(f" {slower(ones, found.get((task, 'fp32')))} |"
                                                   for task, ones in zip(tasks, row)))
    return "\n".join(["Test result after the last epoch, mean and standard deviation over seeds:", "", *lines, "",
                      "Seconds of training on one thread, without evaluation, and how many times those of FP32:", "",
                      *times, ""])


def slower(results, plain):
    if not results:
        return ""
    seconds = statistics.mean(one["training_cpu_seconds"] for one in results)
    if not plain:
        return f"{seconds:.0f} s"
    return f"{seconds:.0f} s ({seconds / statistics.mean(one['training_cpu_seconds'] for one in plain):.1f}x)"


def train_all(matrix, jobs):
    """How many runs failed."""
    processes, failed, done = set(), 0, 0
    began = time.monotonic()
    pending = [run for run in matrix.runs if matrix.result(run) is None]
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    futures = {pool.submit(matrix.execute, run, processes): run for run in pending}
    try:
        for future in concurrent.futures.as_completed(futures):
            problem, run = future.result(), futures[future]
            done += 1
            failed += problem is not None
            minutes = (time.monotonic() - began) / 60
            sys.stderr.write(f"{done} of {len(pending)}: {' '.join(map(str, run))}"
                             f"{': ' + problem if problem else ''}; {minutes:.1f} min, about "
                             f"{minutes / done * (len(pending) - done):.0f} left\n")
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(processes):
            process.terminate()
        raise
    pool.shutdown()
    return failed


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time (default 2)")
    parser.add_argument("--long", action="store_true", help="larger networks, more epochs: many hours")
    parser.add_argument("--only", default="", metavar="NAME,...", help="tasks, recipes, or both")
    parser.add_argument("--table-only", action="store_true", help="of the results that are there")
    parser.add_argument("flags", nargs="*", metavar="-- FLAG ...", help="handed to train.py")
    arguments = parser.parse_args(argv)
    only = set(filter(None, arguments.only.split(",")))
    unknown = only - set(TASKS) - {recipe for recipe, _, _ in RECIPES}
    if unknown or arguments.jobs < 1:
        parser.error(f"--only: unknown {', '.join(sorted(unknown))}" if unknown else "--jobs: expected 1 or more")
    arguments.out.mkdir(parents=True, exist_ok=True)
    matrix = Matrix(arguments.out, arguments.long, only, arguments.flags)
    failed = 0 if arguments.table_only else train_all(matrix, arguments.jobs)
    table = tables(matrix)
    (arguments.out / "table.md").write_text(table)
    print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
