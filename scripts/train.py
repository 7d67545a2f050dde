#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a small network with the arithmetic of the simulated machine (docs/training.md).

    train.py --task cifar10 --recipe int4-fp4 --seed 1 [--epochs N] [--checkpoint FILE] [--json] [--threads N]

Exit codes: 0 good; 1 training diverged; 2 wrong input or flag; 77 this Python has no PyTorch or NumPy; 130 interrupted.
"""

import argparse
import json
import math
import sys

try:
    import numpy  # noqa: F401
    import torch
except ImportError as missing:
    sys.stderr.write(f"train.py: error: {missing}; on Debian: apt install python3-torch python3-numpy\n")
    sys.exit(77)

from training.errors import InputError
from training.loop import Run, train
from training.record import StepRecorder, parse_steps
from training.recipe import RECIPES, find_recipe
from training.tasks import FILES, TASKS, find_task


def arguments_of(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help=" ".join(TASKS))
    parser.add_argument("--recipe", required=True, help=" ".join(RECIPES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="default: the task's own")
    parser.add_argument("--batch", type=int, help="default: the task's own")
    parser.add_argument("--long", action="store_true", help="the larger network and more epochs: hours")
    parser.add_argument("--limit-steps", type=int, metavar="N", help="end after N steps")
    parser.add_argument("--accumulator", choices=("dlfloat16", "fp16", "fp32"), default="dlfloat16",
                        help="of the machine; default as server-int4 has it, fp16 as edge-int4")
    parser.add_argument("--chunk", type=int, default=32, help="products that are added before the accumulator rounds")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpoint", metavar="FILE", help="go on from it if it exists; written now and then")
    parser.add_argument("--checkpoint-steps", type=int, default=100, metavar="N", help="how often (default 100)")
    parser.add_argument("--record", metavar="STEP[,STEP...]",
                        help="record these steps, counted from 0, for the simulator to replay (docs/replay.md)")
    parser.add_argument("--record-dir", metavar="DIR",
                        help="for recorded steps, and for gradients.csv: statistics of gradients, every step")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--data", choices=("files", "sample"), default="files",
                        help="sample: small data made by a generator")
    for name, default in FILES.items():
        several = isinstance(default, list)
        parser.add_argument(f"--{name}", nargs="+" if several else None, default=default,
                            metavar="PATH", help=f"default: {default[0] if several else default}")
    return parser.parse_args(argv)


def main(argv):
    arguments = arguments_of(argv)
    for name in ("epochs", "batch", "limit_steps", "threads", "checkpoint_steps", "chunk"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')}: expected a number from 1, found {value}")
    if not 0 <= arguments.seed < 2 ** 32:
        raise InputError(f"--seed: expected a number from 0 to {2 ** 32 - 1}, found {arguments.seed}")
    task, recipe = find_task(arguments.task), find_recipe(arguments.recipe)
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    if recipe.emulated:
        from training.numerics import module
        module().set_threads(arguments.threads)
    files = {name: getattr(arguments, name.replace("-", "_")) for name in FILES}
    data = task.load(files, arguments.data == "sample")
    run = Run(task, recipe, arguments.seed, arguments.epochs, arguments.batch, arguments.long, arguments.limit_steps,
              arguments.accumulator, arguments.chunk)
    result = train(run, data, recorder_of(arguments, run), arguments.checkpoint, arguments.checkpoint_steps)
    result["threads"], result["data"] = arguments.threads, arguments.data
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print(summary(result))
    if result["diverged"]:
        sys.stderr.write(f"train.py: training diverged: {result['diverged']}\n")
        return 1
    return 0


def recorder_of(arguments, run):
    if arguments.record and not arguments.record_dir:
        raise InputError("--record: expected a directory, --record-dir DIR")
    if not arguments.record_dir:
        return None
    steps = parse_steps(arguments.record) if arguments.record else set()
    return StepRecorder(arguments.record_dir, steps, run.recipe.name, f"{run.task.name} {run.recipe.name}",
                        run.batch_size, "sgd_momentum" if run.task.optimizer == "sgd" else "adam")


def summary(result):
    lines = [f"{result['task']}, {result['recipe']}, seed {result['seed']}: {result['parameters']:,} parameters, "
             f"{result['steps']:,} steps in {result['training_seconds']:.1f} s"]
    lines += [f"  epoch {one['epoch']:3}  loss {one['train_loss']:.3f}  test loss {one['test_loss']:.3f} "
              f"({one['test_loss'] / math.log(2):.3f} bits)  accuracy {one['test_accuracy']:.2f}%"
              for one in result["epochs_done"]]
    if result["skipped_steps"]:
        lines.append(f"  {result['skipped_steps']} steps left out: gradients were not finite")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except InputError as error:
        sys.stderr.write(f"train.py: error: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("train.py: interrupted; --checkpoint goes on from the last one\n")
        sys.exit(130)
