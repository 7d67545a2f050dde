#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training as users meet it: every task learns the sample data, runs repeat and resume exactly, errors are told
clearly."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from support import TRAIN, environment, require, run_tests

require("numpy", "torch", "nibblesim")

from training.loop import Run, train
from training.recipe import find_recipe
from training.tasks import FILES, find_task

FOLDER = pathlib.Path(tempfile.mkdtemp())


def command(*flags):
    return [sys.executable, str(TRAIN), "--data", "sample", *map(str, flags)]


def run(*flags):
    return subprocess.run(command(*flags), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, text=True)


def result(*flags):
    done = run("--json", *flags)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def without_times(one):
    return {key: value for key, value in one.items() if "seconds" not in key}


def learns(task, steps, accuracy):
    data = find_task(task).load(FILES, True)
    for recipe in ("fp32", "int4-fp4"):
        made = train(Run(find_task(task), find_recipe(recipe), batch=24, limit_steps=steps), data)
        assert made["test_accuracy"] >= accuracy and not made["diverged"], (task, recipe, made["test_accuracy"])
        assert made["steps"] == steps and made["skipped_steps"] == 0


def test_every_task_learns():
    """Chance is 10% of ten classes. Of the text's characters a quarter are spaces (17 of 67 in its three sentences)."""
    learns("mnist", 20, 60)
    learns("cifar10", 32, 60)
    learns("speech", 20, 60)
    learns("char-lstm", 24, 32)
    learns("char-transformer", 20, 32)


def test_a_killed_run_goes_on_as_if_nothing_had_been():
    for recipe in ("mxfp4", "int4-fp4"):
        flags = ["--task", "speech", "--recipe", recipe, "--limit-steps", 6, "--seed", 3]
        whole = result(*flags)
        path = FOLDER / f"{recipe}.checkpoint"
        killed = subprocess.Popen(command(*flags, "--checkpoint", path, "--checkpoint-steps", 2), env=environment(),
                                  stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not path.exists() and killed.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        killed.kill()
        killed.wait()
        assert path.exists(), "no checkpoint was written"
        resumed = result(*flags, "--checkpoint", path)
        assert without_times(resumed) == without_times(whole), recipe
        # A finished run is not run again.
        assert result(*flags, "--checkpoint", path) == resumed


def test_seed_decides_the_result():
    flags = ["--task", "mnist", "--recipe", "int4-luq", "--limit-steps", 3]
    first = without_times(result(*flags, "--seed", 1))
    assert without_times(result(*flags, "--seed", 1)) == first
    assert without_times(result(*flags, "--seed", 1, "--threads", 2))["test_loss"] == first["test_loss"]
    assert without_times(result(*flags, "--seed", 2))["test_loss"] != first["test_loss"]


def test_nothing_is_said_in_pipes():
    done = run("--task", "mnist", "--recipe", "fp32", "--limit-steps", 2)
    assert done.stderr == "" and done.stdout.startswith("mnist, fp32, seed 1: "), done.stderr


def refused(*flags, code=2, expected):
    done = run(*flags)
    assert done.returncode == code and done.stdout == "", (done.returncode, done.stderr)
    for text in expected:
        assert text in done.stderr, f"expected '{text}' in: {done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr


def test_wrong_flags_and_files():
    good = ["--task", "mnist", "--recipe", "fp32"]
    refused("--task", "imagenet", "--recipe", "fp32", expected=["unknown task 'imagenet'", "cifar10", "speech"])
    refused("--task", "mnist", "--recipe", "int3", expected=["unknown recipe 'int3'", "int4-fp4"])
    refused("--task", "mnist", expected=["--recipe"])
    refused(*good, "--epochs", 0, expected=["--epochs", "from 1", "found 0"])
    refused(*good, "--seed", -1, expected=["--seed", "found -1"])
    refused(*good, "--data", "files", "--mnist-images", FOLDER / "none.gz", expected=["none.gz: no such file"])
    refused(*good, "--limit-steps", 1, "--checkpoint", FOLDER / "no/such/folder", expected=["no/such/folder"])


def test_wrong_checkpoints():
    path = FOLDER / "mine.checkpoint"
    good = ["--task", "mnist", "--recipe", "fp32", "--limit-steps", 1, "--checkpoint", path]
    result(*good)
    refused(*good, "--seed", 5, expected=["mine.checkpoint", "seed 1", "expected 5"])
    data = path.read_bytes()
    for damaged in (data[:len(data) // 2], b"", b"text"):
        path.write_bytes(damaged)
        refused(*good, expected=["mine.checkpoint", "expected a checkpoint"])
    assert not [name for name in os.listdir(FOLDER) if name.startswith("mine.checkpoint.")], "temporary files are left"


run_tests(globals())
