# SPDX-License-Identifier: MIT
"""Records training steps as traces with values, for the simulator to replay (traces/FORMAT.md, docs/replay.md).

DIR/step_N.trace     the GEMMs of step N with their operands, how these were quantised, and their results
DIR/step_N.values/   the .npy files that it names
DIR/gradients.csv    what quantisation did to the gradients of each layer, every step of the run

GEMMs are recorded as they were computed. The element-wise work between them is not traced call by call: a tensor that a
GEMM reads and no GEMM has made is taken to be made in one pass from the results that nobody has read yet, by the
functions that follow that kind of layer in our networks.
"""

import csv
import hashlib
import json
import os
import shutil
import sys

import numpy

from training.errors import InputError
from training.gemm_calls import Recorder

# Our recipes to the simulator's.
SIMULATED = {name: name for name in ("fp16", "hfp8", "int4-fp4", "int4-fp4-dw8", "int4-fp4-1x1-fp8", "int4-fp8",
                                     "int4-fp16")}
SIMULATED["int4-fp4-global-scale"] = "int4-fp4"

_COUNTS = ("saturated_even", "saturated_odd", "underflowed_even", "underflowed_odd")
_COLUMNS = ("step", "layer", "elements", "largest", "largest_scaled", "scale_log2", "loss_scale_log2", *_COUNTS,
            *(f"{name}_share" for name in _COUNTS))


def parse_steps(text):
    """"0,100" to {0, 100}."""
    try:
        steps = {int(part) for part in text.split(",")}
    except ValueError:
        steps = {-1}
    if min(steps) < 0:
        raise InputError(f"--record: expected step numbers from 0, separated by commas, found '{text}'")
    return steps


class StepRecorder(Recorder):
    """`name` and `batch` go into the traces' first lines; `optimizer` is the vector function of an update."""

    def __init__(self, directory, steps, recipe, name, batch, optimizer):
        if steps and recipe not in SIMULATED:
            raise InputError(f"--record: the simulator has no recipe '{recipe}', expected one of {', '.join(SIMULATED)}")
        self.directory, self.steps, self.recipe = directory, steps, SIMULATED.get(recipe)
        self.name, self.batch, self.optimizer = name, batch, optimizer
        self.trace = None
        try:
            os.makedirs(directory, exist_ok=True)
        except OSError as error:
            raise InputError(f"--record-dir {directory}: {error.strerror}") from error
        self._path = os.path.join(directory, "gradients.csv")
        self._begun = False  # the statistics

    def wants(self, step):
        return step in self.steps

    def begin_step(self, step):
        base = os.path.join(self.directory, f"step_{step}")
        self.trace = _StepTrace(base, f"{self.name} step {step}", self.batch, self.optimizer)

    def gemm(self, call):
        self.trace.add(call)

    def end_step(self, step, loss):
        if self.trace.overflowed:
            self.trace.discard()
            sys.stderr.write(f"train.py: step {step} is not recorded: {self.trace.overflowed}\n")
        else:
            path = self.trace.finish()
            sys.stderr.write(f"train.py: step {step}, loss {loss:.4g}, recorded: nibblesim run {path} --values "
                             f"--recipe {self.recipe} --machine ...\n")
        self.trace = None

    def gradients(self, statistics):
        if not statistics:
            return
        if not self._begun:
            self._begin_statistics(statistics[0].step)
        with open(self._path, "a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(map(_row, statistics))

    def _begin_statistics(self, step):
        """A run that goes on from a checkpoint keeps the rows of earlier steps."""
        earlier = []
        if step > 0 and os.path.exists(self._path):
            with open(self._path, newline="", encoding="utf-8") as file:
                earlier = [row for row in list(csv.reader(file))[1:] if int(row[0]) < step]
        with open(self._path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *earlier])
        self._begun = True


def _row(one):
    counts = [getattr(one, name) for name in _COUNTS]
    return [one.step, one.layer, one.elements, one.largest_scaled * 2.0 ** -one.scale_log2, one.largest_scaled,
            one.scale_log2, one.loss_scale_log2, *counts, *(count / max(1, one.elements) for count in counts)]


class _StepTrace:
    """One step as a trace under way. Tensors are told apart by role, shape and content."""

    def __init__(self, base, name, batch, optimizer):
        self.base, self.optimizer = base, optimizer
        self.values = f"{base}.values"
        self.lines = [{"nibblesim_trace": 1, "name": name, "batch": batch}]
        self.tensors = 0
        self.operations = 0
        self.overflowed = None
        self._known = {}     # key of _operand() to the lines that declare such tensors
        self._files = {}     # digest to file
        self._unread = []    # results that no element-wise work has read: number, elements, layer, kind, phase
        self._made = []      # operands that element-wise work made: number, role, layer
        self._weights = {}   # layer to its weight's number and master copy's
        self._updates = []   # layer and its weight gradients
        shutil.rmtree(self.values, ignore_errors=True)
        os.makedirs(self.values)

    def add(self, call):
        if self.overflowed:
            return
        scaled = numpy.multiply(call.sums, numpy.float32(call.left.scale * call.right.scale))
        if not numpy.isfinite(scaled).all():
            self.overflowed = f"a result of the {call.phase} GEMM of {call.layer} is not finite"
            return
        left, right = self._operand(call, call.left), self._operand(call, call.right)
        if call.right.role == "weight" and call.layer not in self._weights:
            shape = list(call.right.values.shape)
            self._weights[call.layer] = right, self._declare("state", shape, f"{call.layer}.master")
        of_weight = call.phase == "dw" and call.layer in self._weights
        role = "activation" if call.phase == "forward" else "weight_gradient" if of_weight else "gradient"
        out = self._declare(role, list(scaled.shape), f"{call.layer}.{call.phase}")
        self._operate({"op": call.kind, "phase": call.phase, "layer": call.layer,
                       **({} if call.position == "middle" else {"position": call.position}),
                       **_work(call), "result": self._save(scaled),
                       "in": [right, left] if call.kind == "conv" and call.phase == "dw" else [left, right],
                       "out": [out]})
        if of_weight:
            self._updates.append((call.layer, out))
        else:
            self._unread.append((out, scaled.size, call.layer, call.kind, call.phase))

    def finish(self):
        for layer, gradient in self._updates:
            weight, master = self._weights[layer]
            elements = int(numpy.prod(self._shape(weight)))
            self._operate({"op": "vector", "phase": "update", "layer": layer, "steps": [self.optimizer],
                           "elements": elements, "in": [gradient, master], "out": [master, weight]})
        self.lines.append({"end": {"tensors": self.tensors, "operations": self.operations}})
        path = f"{self.base}.trace"
        with open(f"{path}.partial", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in self.lines)
        os.replace(f"{path}.partial", path)
        return path

    def discard(self):
        shutil.rmtree(self.values)

    # Tensors --------------------------------------------------------------------------------------------------------

    def _operand(self, call, operand):
        """The number of the tensor, which is declared, and made, if it is new."""
        values = numpy.ascontiguousarray(operand.values, numpy.float32)
        digest = hashlib.sha256(values).digest()
        given = _given(operand)
        known = self._known.setdefault((operand.role, values.shape, digest), [])
        for line in known:
            said = line.get("quantized", {})
            if all(said.get(key, value) == value for key, value in given.items()):
                if given:
                    line["quantized"] = {**said, **given}
                return line["tensor"]
        number = self._declare(operand.role, list(values.shape), f"{call.layer}.{operand.role}",
                               values=self._save(values, digest), **({"quantized": given} if given else {}))
        known.append(self.lines[-1])
        if operand.role != "weight":
            self._make(number, values.size, operand.role, call)
        return number

    def _make(self, number, elements, role, call):
        """The element-wise work that made an operand: of results that nobody has read, forward or backward."""
        backward = role == "gradient"
        sources = [one for one in self._unread if (one[4] != "forward") == backward]
        if backward and not sources:  # the loss
            sources = self._unread
        if not sources:
            self._copy(number, elements, role, call.layer)
            return
        self._unread = [one for one in self._unread if one not in sources]
        steps = _steps(sources[-1], backward)
        if steps[0].startswith("lstm"):
            elements = max(1, elements // (4 if backward else 1))
        self._operate({"op": "vector", "phase": "vector", "layer": call.layer, "steps": steps, "elements": elements,
                       "in": [one[0] for one in sources], "out": [number]})
        self._made.append((number, role, call.layer))

    def _copy(self, number, elements, role, layer):
        """Parts of results that were read already, or operands of all time steps side by side: copied from what the
        layer has read in this role, or else from what was made last. Nothing at all: the step's input."""
        made = [one for one in self._made if one[1] == role]
        sources = [one for one in made if one[2] == layer] or made[-1:]
        if sources:
            self._operate({"op": "vector", "phase": "vector", "layer": layer, "steps": ["copy"], "elements": elements,
                           "in": [one[0] for one in sources], "out": [number]})
            self._made = [one for one in self._made if one not in sources or one is made[-1]]
        self._made.append((number, role, layer))

    def _declare(self, role, shape, name, **more):
        self.lines.append({"tensor": self.tensors, "name": name, "role": role, "shape": shape, **more})
        self.tensors += 1
        return self.tensors - 1

    def _shape(self, number):
        return next(line["shape"] for line in self.lines if line.get("tensor") == number)

    def _operate(self, operation):
        self.lines.append(operation)
        self.operations += 1

    def _save(self, values, digest=None):
        """The file's name as the trace gives it."""
        if digest not in self._files or digest is None:
            name = f"{os.path.basename(self.values)}/{len(os.listdir(self.values)):06}.npy"
            numpy.save(os.path.join(os.path.dirname(self.values), name), values)
            if digest is None:
                return name
            self._files[digest] = name
        return self._files[digest]


def _given(operand):
    """What `quantized` says of a tensor."""
    if operand.format.startswith("int4"):
        given = {"clip": float(operand.clip)}
        return given if operand.role == "weight" else {**given, "signed": operand.format == "int4_signed"}
    if operand.format.startswith("fp4"):
        return {"fp4_scale_log2": int(operand.scale_log2)}
    if operand.format.startswith("fp8"):
        return {"fp8_scale_log2": int(operand.scale_log2)}
    return {}


def _work(call):
    one = call.attributes
    if call.kind == "matmul":
        return {key: one[key] for key in ("batch", "m", "n", "k", "left", "right")}
    return {**{key: one[key] for key in ("n", "c", "h", "w", "k", "r", "s", "groups")},
            "stride": [one["stride_h"], one["stride_w"]],
            "pad": [one["pad_top"], one["pad_bottom"], one["pad_left"], one["pad_right"]],
            "dilation": [one["dilation_h"], one["dilation_w"]]}


def _steps(source, backward):
    """The functions that follow a result, or come before it on the way back, in the networks of networks.py."""
    _, _, layer, kind, phase = source
    if backward and phase == "forward":
        return ["softmax", "cross_entropy_grad"]
    if kind == "conv":
        return ["relu_grad", "bn_grad_apply"] if backward else ["batch_stats", "batch_norm", "relu"]
    if layer.endswith(".hh"):
        return ["lstm_cell_grad"] if backward else ["lstm_cell"]
    if layer.endswith(".scores") and not backward:
        return ["softmax"]
    if layer.endswith(".mixed") and backward:
        return ["softmax_grad"]
    return ["bias_grad"] if backward else ["bias"]
