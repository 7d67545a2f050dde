#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small valid files of every format that nibblesim reads, for fuzzing and for tests.

    seeds.py DIRECTORY     writes them as DIRECTORY/FORMAT/NAME

Two training steps, of a convolutional network and of a transformer's layer, are described once and written in the four
formats of recorded calls.
"""

import json
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Tensor:
    """A tensor of a recorded call; sizes and strides in elements."""

    def __init__(self, storage, *shape, strides=None, integer=False):
        self.storage, self.shape, self.integer = storage, list(shape), integer
        self.strides = strides or [self.elements(self.shape[i + 1:]) for i in range(len(shape))]

    @staticmethod
    def elements(shape):
        product = 1
        for size in shape:
            product *= size
        return product

    @property
    def transposed(self):
        """A view with the last two dimensions exchanged."""
        def swap(numbers):
            return numbers[:-2] + numbers[:-3:-1]
        view = Tensor(self.storage, *swap(self.shape), integer=self.integer)
        view.strides = swap(self.strides)
        return view


def convolutional_step():
    """(phase, operator, arguments, results) of 2 images of 3x8x8 through conv, batch norm, ReLU, pool, linear, loss."""
    x, w, y = Tensor(1, 2, 3, 8, 8), Tensor(2, 4, 3, 3, 3), Tensor(3, 2, 4, 8, 8)
    gamma, beta, mean, deviation = (Tensor(4 + i, 4) for i in range(4))
    normal, active = Tensor(8, 2, 4, 8, 8), Tensor(9, 2, 4, 8, 8)
    pooled, places = Tensor(10, 2, 4, 4, 4), Tensor(11, 2, 4, 4, 4, integer=True)
    flat, fc, bias = Tensor(10, 2, 64), Tensor(12, 10, 64), Tensor(13, 10)
    logits, log, labels, loss = Tensor(14, 2, 10), Tensor(15, 2, 10), Tensor(16, 2, integer=True), Tensor(17)
    total, d_loss = Tensor(18), Tensor(19)
    d_log, d_logits, d_flat, d_fc = Tensor(20, 2, 10), Tensor(21, 2, 10), Tensor(22, 2, 64), Tensor(23, 10, 64)
    d_bias, d_pooled, d_active = Tensor(24, 1, 10), Tensor(22, 2, 4, 4, 4), Tensor(25, 2, 4, 8, 8)
    d_normal, d_y, d_gamma, d_beta, d_w = (Tensor(26, 2, 4, 8, 8), Tensor(27, 2, 4, 8, 8), Tensor(28, 4),
                                           Tensor(29, 4), Tensor(30, 4, 3, 3, 3))
    window = [[2, 2], [2, 2], [0, 0], [1, 1], False]
    return [
        ("forward", "aten::convolution", [x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1], [y]),
        ("forward", "aten::native_batch_norm", [y, gamma, beta, None, None, True, 0.1, 1e-5], [normal, mean, deviation]),
        ("forward", "aten::relu", [normal], [active]),
        ("forward", "aten::max_pool2d_with_indices", [active, *window], [pooled, places]),
        ("forward", "aten::addmm", [bias, flat, fc.transposed, 1, 1], [logits]),
        ("forward", "aten::_log_softmax", [logits, 1, False], [log]),
        ("forward", "aten::nll_loss_forward", [log, labels, None, 1, -100], [loss, total]),
        ("backward", "aten::nll_loss_backward", [d_loss, log, labels, None, 1, -100, total], [d_log]),
        ("backward", "aten::_log_softmax_backward_data", [d_log, log, 1, 6], [d_logits]),
        ("backward", "aten::mm", [d_logits, fc], [d_flat]),
        ("backward", "aten::mm", [d_logits.transposed, flat], [d_fc]),
        ("backward", "aten::sum", [d_logits, [0], True, None], [d_bias]),
        ("backward", "aten::max_pool2d_with_indices_backward", [d_pooled, active, *window, places], [d_active]),
        ("backward", "aten::threshold_backward", [d_active, active, 0], [d_normal]),
        ("backward", "aten::native_batch_norm_backward",
         [d_normal, y, gamma, None, None, mean, deviation, True, 1e-5, [True, True, True]], [d_y, d_gamma, d_beta]),
        ("backward", "aten::convolution_backward",
         [d_y, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [False, True, False]], [None, d_w, None]),
        ("optimizer", "aten::add_", [w, d_w, -0.1], [w]),
        ("optimizer", "aten::add_", [fc, d_fc, -0.1], [fc]),
        ("optimizer", "aten::_foreach_add_", [[gamma, beta, bias], [d_gamma, d_beta, Tensor(24, 10)], -0.1], []),
    ]


def transformer_step():
    """Forward pass of 2 sequences of 4 tokens through an embedding, one head of attention, layer norm and an LSTM."""
    tokens, table, x = Tensor(1, 2, 4, integer=True), Tensor(2, 50, 8), Tensor(3, 2, 4, 8)
    w, q, scores, mask = Tensor(4, 8, 8), Tensor(5, 8, 8), Tensor(6, 2, 4, 4), Tensor(7, 2, 4, 4)
    probabilities, mixed, added = Tensor(8, 2, 4, 4), Tensor(9, 2, 4, 8), Tensor(10, 2, 4, 8)
    gamma, beta, mean, deviation = Tensor(11, 8), Tensor(12, 8), Tensor(13, 2, 4, 1), Tensor(14, 2, 4, 1)
    normal, active, both = Tensor(15, 2, 4, 8), Tensor(16, 2, 4, 8), Tensor(17, 2, 4, 16)
    state, cell, w_i, w_h, b_i, b_h = (Tensor(18, 1, 2, 6), Tensor(19, 1, 2, 6), Tensor(20, 24, 16), Tensor(21, 24, 6),
                                       Tensor(22, 24), Tensor(23, 24))
    last, attended = Tensor(24, 2, 4, 6), Tensor(27, 2, 1, 4, 8)
    heads = [Tensor(3, 2, 1, 4, 8)] * 3
    return [
        ("forward", "aten::embedding", [table, tokens, -1, False, False], [x]),
        ("forward", "aten::mm", [Tensor(3, 8, 8), w.transposed], [q]),
        ("forward", "aten::bmm", [Tensor(5, 2, 4, 8), x.transposed], [scores]),
        ("forward", "aten::add", [scores, mask, 1], [scores]),
        ("forward", "aten::_softmax", [scores, -1, False], [probabilities]),
        ("forward", "aten::bmm", [probabilities, x], [mixed]),
        ("forward", "aten::add", [mixed, x, 1], [added]),
        ("forward", "aten::native_layer_norm", [added, [8], gamma, beta, 1e-5], [normal, mean, deviation]),
        ("forward", "aten::gelu", [normal, "none"], [active]),
        ("forward", "aten::cat", [[active, added], 2], [both]),
        ("forward", "aten::scaled_dot_product_attention", [*heads, None, 0.0, True, None], [attended]),
        ("forward", "aten::lstm", [both, [state, cell], [w_i, w_h, b_i, b_h], True, 1, 0.0, True, False, True],
         [last, Tensor(25, 1, 2, 6), Tensor(26, 1, 2, 6)]),
        ("forward", "aten::mse_loss", [last, Tensor(28, 2, 4, 6), 1], [Tensor(29)]),
    ]


STEPS = {"convolutional": convolutional_step(), "transformer": transformer_step()}


# ---- Recorded calls


def lists(values):
    """Values, shapes, types and strides of arguments as PyTorch's ExecutionTraceObserver writes them."""
    def one(value):
        if isinstance(value, Tensor):
            kind, size = ("long int", 8) if value.integer else ("float", 4)
            return ([value.storage, value.storage, 0, Tensor.elements(value.shape), size, "cpu"], value.shape,
                    f"Tensor({kind})", value.strides)
        if isinstance(value, list):
            parts = [one(item) for item in value]
            return ([part[0] for part in parts], [part[1] for part in parts],
                    f"GenericList[{','.join(part[2] for part in parts)}]", [part[3] for part in parts])
        names = {bool: "Bool", int: "Int", float: "Double", str: "String", type(None): "None"}
        return ("<None>" if value is None else value, [], names[type(value)], [])

    columns = list(zip(*map(one, values))) or [(), (), (), ()]
    return dict(zip(("values", "shapes", "types", "strides"), map(list, columns)))


def call_tree(step):
    """(id, caller's id, name, arguments, results) of all calls, with the labels that tell phases apart."""
    nodes = []
    caller = 1
    phase = "forward"
    for number, (now, op, arguments, results) in enumerate(step):
        here = 10 * (number + 1)
        if now == "backward":
            nodes.append((here, 1, f"autograd::engine::evaluate_function: Node{number}Backward0", [], []))
            caller = here
        elif now == "optimizer" and phase != now:
            nodes.append((here, 1, "Optimizer.step#SGD.step", [], []))
            caller = here
        phase = now
        nodes.append((here + 1, caller, op, arguments, results))
    return nodes


def execution_trace(step):
    nodes = [{"id": here, "name": name, "ctrl_deps": caller, "inputs": lists(arguments), "outputs": lists(results),
              "attrs": [{"name": "seq_id", "type": "int64", "value": -1}]}
             for here, caller, name, arguments, results in call_tree(step)]
    nodes.append({"id": 1, "name": "[pytorch|profiler|execution_trace|process]", "ctrl_deps": 1,
                  "inputs": lists([]), "outputs": lists([]), "attrs": []})
    return json.dumps({"schema": "1.1.1-chakra.0.0.4", "pid": 1, "nodes": nodes, "finish_ts": 2},
                      separators=(",", ":")).encode()


def kineto(step):
    def strings(values):
        return ["" if value is None or isinstance(value, Tensor) else str(value) for value in values]

    def kind(value):
        if isinstance(value, Tensor):
            return "long int" if value.integer else "float"
        if isinstance(value, list):
            return "TensorList" if value and isinstance(value[0], Tensor) else "ScalarList"
        return "" if value is None or isinstance(value, str) else "Scalar"

    def dims(value, name):
        if isinstance(value, Tensor):
            return getattr(value, name)
        return [dims(item, name) for item in value] if kind(value) == "TensorList" else []

    events = []
    for here, caller, name, arguments, _ in call_tree(step):
        label = name.startswith("Optimizer")
        details = {"External id": here}
        if arguments:
            details |= {"Input Dims": [dims(value, "shape") for value in arguments],
                        "Input Strides": [dims(value, "strides") for value in arguments],
                        "Input type": [kind(value) for value in arguments], "Concrete Inputs": strings(arguments)}
        events.append({"ph": "X", "cat": "user_annotation" if label else "cpu_op", "name": name, "pid": 1, "tid": 1,
                       "ts": here, "dur": 1 if arguments else 1000 if label else 8, "args": details})
    return json.dumps({"schemaVersion": 1, "traceEvents": events, "traceName": "x"}, separators=(",", ":")).encode()


def torch_dump(step):
    def value(of):
        if isinstance(of, Tensor):
            return {"storage": of.storage, "offset": 0, "shape": of.shape, "strides": of.strides,
                    "dtype": "int64" if of.integer else "float32"}
        return [value(item) for item in of] if isinstance(of, list) else of

    storages = []

    def number(of):
        """Storages in the order in which they occur."""
        if isinstance(of, dict):
            if of["storage"] not in storages:
                storages.append(of["storage"])
            of["storage"] = storages.index(of["storage"]) + 1
        for item in of if isinstance(of, list) else []:
            number(item)

    lines = [{"nibblesim_torch": 1, "torch": "1.13.1", "name": "seed", "batch": 2}]
    for index, (phase, op, arguments, results) in enumerate(step):
        line = {"call": index, "op": op, "overload": "default", "phase": phase, "step": 0, "module": "net",
                "in": value(arguments), "out": value(results)}
        number(line["in"])
        number(line["out"])
        lines.append(line)
    lines.append({"end": {"calls": len(step), "steps": 1, "storages": len(storages), "recomputed": 0,
                          "values_left_out": 0}})
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


# ---- Protocol buffers (protobuf.dev, "Encoding")


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, value):
    """A whole number, a float, or a text, bytes or message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def delimited(message):
    return varint(len(message)) + message


def chakra(step):
    def texts(values):
        # Chakra has no strides; lists are written as Python writes them.
        written = lists(values)
        return b"".join(field(i + 1, repr(written[key])) for i, key in enumerate(("values", "shapes", "types")))

    out = delimited(field(1, "0.0.4") + field(2, field(1, "schema") + field(29, "1.0.3-chakra.0.0.4")))
    for here, caller, name, arguments, results in call_tree(step):
        out += delimited(field(1, here) + field(2, name) + field(3, 4) + field(4, varint(caller)) +
                         field(8, texts(arguments)) + field(9, texts(results)) +
                         field(10, field(1, "is_cpu_op") + field(27, 1)))
    return out


def onnx_value(name, dims, kind=1):
    shape = b"".join(field(1, field(2, dim) if isinstance(dim, str) else field(1, dim)) for dim in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def onnx_node(op, inputs, outputs, **attributes):
    out = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    out += field(3, outputs[0]) + field(4, op)
    for name, value in attributes.items():
        body = field(1, name)
        if isinstance(value, list):
            body += b"".join(field(8, item) for item in value) + field(20, 7)
        else:
            number, kind = {int: (3, 2), float: (2, 1), str: (4, 3)}[type(value)]
            body += field(number, value) + field(20, kind)
        out += field(5, body)
    return out


def onnx_tensor(name, dims, kind=1, raw=None):
    out = b"".join(field(1, dim) for dim in dims) + field(2, kind) + field(8, name)
    return out if raw is None else out + field(9, raw)


def onnx_model(inputs, outputs, weights, nodes, opset=17):
    graph = b"".join(field(1, node) for node in nodes) + field(2, "seed")
    graph += b"".join(field(5, weight) for weight in weights)
    graph += b"".join(field(11, value) for value in inputs) + b"".join(field(12, value) for value in outputs)
    return field(1, 8) + field(2, "seeds.py") + field(7, graph) + field(8, field(1, "") + field(2, opset))


def numbers(*values):
    return struct.pack(f"<{len(values)}q", *values)


def onnx_convolutional():
    channels = ["gamma", "beta", "mean", "variance"]
    return onnx_model(
        [onnx_value("x", ["batch", 3, 8, 8])], [onnx_value("y", ["batch", 10])],
        [onnx_tensor("w", [4, 3, 3, 3]), onnx_tensor("fc", [10, 64]), onnx_tensor("bias", [10]),
         onnx_tensor("shape", [2], 7, numbers(0, -1)), *(onnx_tensor(name, [4]) for name in channels)],
        [onnx_node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]),
         onnx_node("BatchNormalization", ["c", *channels], ["n"], epsilon=1e-5),
         onnx_node("Relu", ["n"], ["r"]),
         onnx_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
         onnx_node("Reshape", ["p", "shape"], ["f"]),
         onnx_node("Gemm", ["f", "fc", "bias"], ["y"], transB=1)])


def onnx_transformer():
    return onnx_model(
        [onnx_value("tokens", [2, 4], 7)], [onnx_value("y", [2, 4, 16])],
        [onnx_tensor("table", [50, 8]), onnx_tensor("w", [8, 24]), onnx_tensor("parts", [3], 7, numbers(8, 8, 8)),
         onnx_tensor("gamma", [8]), onnx_tensor("beta", [8]), onnx_tensor("axes", [1], 7, numbers(0)),
         onnx_tensor("mix", [8, 8])],
        [onnx_node("Gather", ["table", "tokens"], ["x"]),
         onnx_node("MatMul", ["x", "w"], ["qkv"]),
         onnx_node("Split", ["qkv", "parts"], ["q", "k", "v"], axis=-1),
         onnx_node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
         onnx_node("MatMul", ["q", "kt"], ["scores"]),
         onnx_node("Softmax", ["scores"], ["probabilities"], axis=-1),
         onnx_node("MatMul", ["probabilities", "v"], ["mixed"]),
         onnx_node("Add", ["mixed", "x"], ["added"]),
         onnx_node("LayerNormalization", ["added", "gamma", "beta"], ["n"], axis=-1, epsilon=1e-5),
         onnx_node("Einsum", ["n", "mix"], ["e"], equation="bij,jk->bik"),
         onnx_node("ReduceMean", ["e"], ["m"], axes=[1], keepdims=1),
         onnx_node("Unsqueeze", ["m", "axes"], ["u"]),
         onnx_node("Squeeze", ["u", "axes"], ["s"]),
         onnx_node("Mul", ["e", "s"], ["scaled"]),
         onnx_node("Concat", ["scaled", "n"], ["y"], axis=2)])


# ---- Tables and YAML

SCALE_SIM = {
    "convolutions.csv": """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
Conv1, 11, 11, 3, 3, 3, 8, 2,
DP2, 5, 5, 3, 3, 8, 1, 1,
FC, 1, 1, 1, 1, 72, 10, 1,
""",
    "products.csv": "Layer, M, N, K,\nQKT, 16, 16, 8,\nPW-FF-L1, 16, 32, 8,\n",
}

ZIGZAG = {
    "layers.yaml": """\
- id: 0
  name: conv1
  operator_type: Conv
  equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]
  loop_dims: [B, K, C, OY, OX, FY, FX]
  loop_sizes: [2, 8, 3, 8, 8, 3, 3]
  dimension_relations: [ix=1*ox+1*fx, iy=1*oy+1*fy]
  operand_precision: {W: 8, I: 8, O: 16, O_final: 8}
  operand_source: {I: 0, W: 0}
  pr_loop_dims: [IX, IY]
  pr_loop_sizes: [8, 8]
  padding: [[1, 1], [1, 1]]
- id: 1
  operator_type: Adder
  equation: O[b][g][oy][ox]=W[b][g][oy][ox]+I[b][g][oy][ox]
  loop_dims: [B, G, OY, OX]
  loop_sizes: [2, 8, 8, 8]
  operand_source: {I: 0, W: 0}
- id: 2
  operator_type: Pooling
  equation: O[b][g][oy][ox]+=W[fy][fx]*I[b][g][iy][ix]
  loop_dims: [B, G, OY, OX, FY, FX]
  loop_sizes: [2, 8, 4, 4, 2, 2]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  operand_source: {I: 1, W: 2}
- id: 3
  operator_type: Gemm
  equation: O[b][k]+=I[b][c]*W[c][k]
  loop_dims: [B, C, K]
  loop_sizes: [2, 128, 10]
  dimension_relations: []
""",
}

TIMELOOP = {
    "convolution.yaml": """\
problem:
  version: 0.4
  shape:
    name: conv2D
    dimensions: [C, M, R, S, N, P, Q]
    coefficients:
    - {name: Wstride, default: 1}
    - {name: Hstride, default: 1}
    data_spaces:
    - name: Weights
      projection: [[[C]], [[M]], [[R]], [[S]]]
    - name: Inputs
      projection: [[[N]], [[C]], [[R], [P, Wstride]], [[S], [Q, Hstride]]]
    - name: Outputs
      projection: [[[N]], [[M]], [[Q]], [[P]]]
      read_write: true
  instance: {C: 3, M: 8, R: 3, S: 3, N: 2, P: 6, Q: 6, Wstride: 2, Hstride: 2}
""",
    "product.yaml": """\
problem:
  shape:
    name: GEMM
    dimensions: [M, N, K]
    data-spaces:
    - name: A
      projection: [[[M]], [[K]]]
    - name: B
      projection: [[[K]], [[N]]]
    - name: Z
      projection: [[[M]], [[N]]]
      read-write: true
  instance: {M: 16, N: 32, K: 8}
""",
}


REQUESTS = {
    "stream.trace": "".join(f"0 {'RRW'[i % 3]} {64 * i:#x}\n" for i in range(40)),
    "scattered.trace": "".join(f"{200 * i} R {64 * (i * 2654435761 % 16777216):#x}\n" for i in range(20)),
    "silence.trace": "0 W 0x0\n999999999999999999 R 0x40\n1000000000000000000 W 0x1ffffffc0\n",
}


STUDIES = {
    "grid.yaml": """name: s
machines: [edge-int4, server-int4]
axes:
  - {parameter: dram.channels, range: {from: 1, to: 8, steps: 4, scale: log}}
  - zip:
      - {parameter: mac_array.rows, values: [16, 32]}
      - {parameter: mac_array.dataflows, values: [[output], [output, weight]]}
fit: {parameter: scratchpad.capacity_bytes, values: [1048576, 2097152], metric: area_mm2, limit: 1.5}
workloads: [tiny, {trace: resnet18, batch: 4, weight: 0.5}]
constraints: [{metric: peak_power_mw, min: 1, max: 5000}]
objectives: [time_ms, {metric: speedup, goal: maximize}]
confirm: 3
limits: {seconds: 10, memory_mib: 512}
""",
    "guided.yaml": """name: g
machines: [edge-int4]
axes: [{parameter: batch, values: [1, 4]}, {parameter: recipe, values: [int4-fp4, hfp8]}]
workloads: [tiny]
recipe: int4-fp4
baseline: none
mapping: greedy
fidelity: composed
explore: {method: guided, designs: 100, seed: 2}
""",
}

POINTS = {
    "two.json": """{"schema": "nibblesim-points-1", "study": "s", "axes": ["rows"], "metrics": ["energy_pj", "speedup"],
 "objectives": [{"metric": "energy_pj", "maximize": false}, {"metric": "speedup", "maximize": true}], "points": [
 {"design": 0, "machine": "edge", "workload": "net", "values": {"rows": "32"}, "status": "ok", "fidelity": "composed",
  "key": "0a", "reason": "", "metrics": {"energy_pj": 1.5e9, "speedup": 2}},
 {"design": 1, "machine": "edge", "workload": "net", "values": {"rows": "64"}, "status": "ok", "fidelity": "simulated",
  "key": "0b", "reason": "", "metrics": {"energy_pj": 2e9, "speedup": 3.25}},
 {"design": 2, "machine": "edge", "workload": "net", "values": {"rows": "0"}, "status": "invalid", "fidelity": null,
  "key": "", "reason": "rows: 0", "metrics": {"energy_pj": null, "speedup": null}}]}
""",
}

TIMELINES = {
    "array.json": """{"traceEvents":[
{"ph":"M","pid":1,"tid":0,"name":"nibblesim_machine","args":{"role":"machine","machine":"m","clock_period_ps":1000,"cycles":100}},
{"ph":"M","pid":1,"tid":3,"name":"thread_name","args":{"name":"mac_array"}},
{"ph":"X","pid":1,"tid":3,"ts":0,"dur":0.010,"cat":"stall","name":"waits for load","args":{}},
{"ph":"X","pid":1,"tid":3,"ts":0.010,"dur":0.040,"cat":"operation","name":"a forward","args":{"cycles":40}},
{"ph":"X","pid":1,"tid":3,"ts":0.010,"dur":0.040,"cat":"command","name":"8x8x8","args":{"cycles":40,"waiting_for_scratchpad":10}},
{"ph":"C","pid":1,"ts":0,"name":"power W","args":{"value":1}}]}
""",
}


def instance(schema, definitions):
    """The least document that a schema allows: of results, zeros that add up."""
    if "$ref" in schema:
        return instance(definitions[schema["$ref"].split("/")[-1]], definitions)
    for choice in ["const", "enum", "anyOf"]:
        if choice in schema:
            value = schema[choice] if choice == "const" else schema[choice][0]
            return instance(value, definitions) if choice == "anyOf" else value
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    if kind == "object":
        return {key: instance(part, definitions) for key, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema["items"], definitions)] * schema.get("minItems", 1)
    return {"string": "s", "boolean": False}.get(kind, schema.get("minimum", 0))


def results():
    schema = json.loads((ROOT / "sim/report/result.schema.json").read_text())
    return {"least.json": json.dumps(instance(schema, schema["definitions"]))}


def all_seeds():
    """{format: {file name: bytes}}, by the names of --from; and of nibblesim's own formats."""
    def recorded(write, suffix):
        return {name + suffix: write(step) for name, step in STEPS.items()}

    def texts(files):
        return {name: text.encode() for name, text in files.items()}

    def own(*paths):
        return {pathlib.Path(path).name: (ROOT / path).read_bytes() for path in paths}

    return {
        "pytorch-et": recorded(execution_trace, ".json"),
        "kineto": recorded(kineto, ".json"),
        "chakra": recorded(chakra, ".et"),
        "torch-dump": recorded(torch_dump, ".trace"),
        "onnx": {"convolutional.onnx": onnx_convolutional(), "transformer.onnx": onnx_transformer()},
        "scale-sim": texts(SCALE_SIM),
        "zigzag": texts(ZIGZAG),
        "timeloop": texts(TIMELOOP),
        "trace": own("traces/linear_step.jsonl", "traces/tiny.jsonl"),
        "workload": own("workloads/tiny.yaml", "workloads/transformer-base.yaml", "workloads/lstm-ptb.yaml"),
        "machine": own("models/presets/edge-int4.yaml", "models/presets/ideal-memory.yaml"),
        "memtest": texts(REQUESTS),
        "points": texts(POINTS),
        "study": texts(STUDIES),
        "timeline": texts(TIMELINES),
        "result": texts(results()),
    }


def main():
    for name, files in all_seeds().items():
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)


if __name__ == "__main__":
    main()
