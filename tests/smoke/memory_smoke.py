# SPDX-License-Identifier: MIT
"""Memory stays flat as a trace grows: what is kept of an operation is a few dozen bytes."""

import json
import os
import sys

import smoke

FEW, MANY = 20_000, 120_000
# The plan keeps 24 bytes a tensor and 1 an operand access, of two machines in the parent; the rest is allocation.
BYTES_PER_OPERATION = 160
MOST_BYTES = 100 << 20


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


class Memory(smoke.Case):
    def peak_bytes(self, operations):
        trace = self.path(f"{operations}.trace")
        write_trace(trace, operations)
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            os.execv(smoke.PROGRAM, [smoke.PROGRAM, "run", trace, "--machine", "edge-int4", "--quiet"])
        _, status, usage = os.wait4(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        return usage.ru_maxrss * 1024

    def test_memory_is_flat(self):
        few, many = self.peak_bytes(FEW), self.peak_bytes(MANY)
        grown = (many - few) / (MANY - FEW)
        print(f"\n{FEW} operations: {few >> 20} MiB; {MANY}: {many >> 20} MiB; {grown:.0f} bytes an operation",
              file=sys.stderr)
        self.assertLess(grown, BYTES_PER_OPERATION)
        self.assertLess(many, MOST_BYTES)


if __name__ == "__main__":
    smoke.main()
