# SPDX-License-Identifier: MIT
"""Memory stays flat as a trace grows: what is kept of an operation is a few dozen bytes."""

import json
import os
import sys

import smoke

FEW, MANY = 20_000, 120_000
# A plan keeps 16 bytes a tensor and 2 an operand access, of two machines in the parent; while it is made, some 150
# bytes an operation; the rest is allocation.
BYTES_PER_OPERATION = 256
MOST_BYTES = 100 << 20
# Importing keeps where every tensor lies, which call it belongs to, and, to fuse passes, who reads it.
FEW_CALLS, MANY_CALLS = 50_000, 200_000
BYTES_PER_CALL = 400


def write_trace(path, operations):
    """A chain of small products and element-wise steps in which every tensor dies soon."""
    with open(path, "w", encoding="utf-8") as file:
        def line(item):
            file.write(json.dumps(item, separators=(",", ":")) + "\n")

        line({"nibblesim_trace": 1, "name": "long", "batch": 1})
        line({"tensor": 0, "role": "weight", "shape": [32, 32]})
        line({"tensor": 1, "role": "activation", "shape": [32, 32]})
        for index in range(0, operations, 2):
            product, result = index + 2, index + 3
            line({"tensor": product, "role": "activation", "shape": [32, 32]})
            line({"op": "matmul", "phase": "forward", "layer": f"layer{index}", "group": "all", "m": 32, "n": 32,
                  "k": 32, "left": "mk", "right": "nk", "in": [product - 1, 0], "out": [product]})
            line({"tensor": result, "role": "activation", "shape": [32, 32]})
            line({"op": "vector", "phase": "vector", "layer": f"layer{index}", "group": "all", "elements": 1024,
                  "steps": ["relu"], "in": [product], "out": [result]})
        line({"end": {"tensors": operations + 2, "operations": operations}})


def write_torch_dump(path, calls):
    """The same chain as PyTorch calls, every result in memory of its own."""
    def tensor(storage, rows=8):
        return f'{{"storage":{storage},"offset":0,"shape":[{rows},32],"strides":[32,1],"dtype":"float32"}}'

    with open(path, "w", encoding="utf-8") as file:
        file.write('{"nibblesim_torch":1,"torch":"1.13.1","name":"long","batch":8}\n')
        for index in range(calls):
            product = index % 2 == 0
            arguments = tensor(index + 2 if index else 1) + ("," + tensor(2, 32) if product else "")
            file.write(f'{{"call":{index},"op":"aten::{"mm" if product else "relu"}","overload":"default",'
                       f'"phase":"forward","step":0,"module":"layer{index % 100}","in":[{arguments}],'
                       f'"out":[{tensor(index + 3)}]}}\n')
        file.write(f'{{"end":{{"calls":{calls},"steps":1,"storages":{calls + 2},"recomputed":0,'
                   '"values_left_out":0}}\n')


def write_execution_trace(path, calls):
    def lists(storages):
        shapes = ["[32,32]" if storage == 2 else "[8,32]" for storage in storages]
        values = [f'[{storage},{storage},0,256,4,"cuda:0"]' for storage in storages]
        types, strides = ['"Tensor(float)"'] * len(storages), ["[32,1]"] * len(storages)
        members = zip(("values", "shapes", "types", "strides"), (values, shapes, types, strides))
        return "{" + ",".join(f'"{key}":[{",".join(items)}]' for key, items in members) + "}"

    with open(path, "w", encoding="utf-8") as file:
        file.write('{"schema":"1.1.1-chakra.0.0.4","pid":1,"nodes":[\n')
        for index in range(calls):
            product = index % 2 == 0
            arguments = [index + 2 if index else 1] + ([2] if product else [])
            file.write(f'{{"id":{index + 2},"name":"aten::{"mm" if product else "relu"}","ctrl_deps":1,'
                       f'"inputs":{lists(arguments)},"outputs":{lists([index + 3])},'
                       f'"attrs":[{{"name":"seq_id","type":"int64","value":{index}}}]}},\n')
        file.write(f'{{"id":1,"name":"root","ctrl_deps":1,"inputs":{lists([])},"outputs":{lists([])},"attrs":[]}}\n')
        file.write('],"finish_ts":2}\n')


class Memory(smoke.Case):
    def peak_bytes(self, *arguments):
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            os.execv(smoke.PROGRAM, [smoke.PROGRAM, *arguments])
        _, status, usage = os.wait4(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        return usage.ru_maxrss * 1024

    def growth(self, few, many, write, *arguments):
        """(bytes for each operation more, bytes of the longer run); arguments follow the file's name."""
        peaks = []
        for operations in (few, many):
            file = self.path(f"{operations}.trace")
            write(file, operations)
            peaks.append(self.peak_bytes(arguments[0], file, *arguments[1:]))
        grown = (peaks[1] - peaks[0]) / (many - few)
        print(f"\n{few} operations: {peaks[0] >> 20} MiB; {many}: {peaks[1] >> 20} MiB; {grown:.0f} bytes an operation",
              file=sys.stderr)
        return grown, peaks[1]

    def test_memory_is_flat(self):
        grown, peak = self.growth(FEW, MANY, write_trace, "run", "--machine", "edge-int4", "--quiet")
        self.assertLess(grown, BYTES_PER_OPERATION)
        self.assertLess(peak, MOST_BYTES)

    def test_importing_is_flat(self):
        for write in (write_torch_dump, write_execution_trace):
            grown, peak = self.growth(FEW_CALLS, MANY_CALLS, write, "import", "-o", self.path("out.trace"),
                                      "--training", "as-recorded", "--quiet")
            self.assertLess(grown, BYTES_PER_CALL)
            self.assertLess(peak, MOST_BYTES)


if __name__ == "__main__":
    smoke.main()
