#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that includes between folders run one way (ARCHITECTURE.md), and that SystemC stays where it belongs.

    check_includes.py              checks the repository
    check_includes.py --self-test  checks that violations are found
"""

import pathlib
import re
import sys
import tempfile

# What each folder may include besides itself. `params` stands for the parameter headers of all units
# (models/*/*_params.h), which are plain values. Folders are listed from the bottom up: a folder may only include
# folders that stand above it in this table.
ALLOWED = {
    "sim/base": set(),
    "sim/counters": {"sim/base"},
    "sim/wave": {"sim/base"},
    "models/numerics": {"sim/base"},
    "python": {"sim/base", "models/numerics"},
    "params": {"sim/base", "models/numerics"},
    "sim/program": {"sim/base", "sim/counters", "params"},
    "sim/kernel": {"sim/base", "sim/counters"},
    # The units. A unit may include the one whose interface it uses.
    "models/scratchpad": {"sim/base", "sim/counters", "sim/kernel", "params"},
    "models/dma": {"sim/base", "sim/counters", "sim/kernel", "sim/program", "params", "models/scratchpad"},
    "models/dram": {"sim/base", "sim/counters", "sim/kernel", "params", "models/dma"},
    "models/mac_array": {"sim/base", "sim/counters", "sim/kernel", "sim/program", "params", "models/numerics",
                         "models/scratchpad"},
    "models/streaming_unit": {"sim/base", "sim/counters", "sim/kernel", "sim/program", "params", "models/scratchpad"},
    "models/log_gradient": {"sim/base", "sim/counters", "sim/kernel", "sim/program", "params", "models/numerics",
                            "models/scratchpad", "models/streaming_unit"},
    "models/vector_unit": {"sim/base", "sim/counters", "sim/kernel", "sim/program", "params", "models/numerics",
                           "models/scratchpad", "models/streaming_unit"},
    "models/sequencer": {"sim/base", "sim/counters", "sim/kernel", "sim/program", "params"},
    "models/machine": {"sim/base", "sim/counters", "sim/wave", "sim/kernel", "sim/program", "params",
                       "models/scratchpad", "models/dma", "models/dram", "models/mac_array", "models/log_gradient",
                       "models/vector_unit", "models/sequencer"},
    # Around the silicon. Of the units, only plain cores: formulas, tables of standards, bit-true arithmetic.
    "sim/config": {"sim/base", "params", "models/dram", "models/mac_array", "models/numerics"},
    "sim/input": {"sim/base", "sim/config", "models/numerics", "models/vector_unit"},
    "sim/import": {"sim/base", "sim/config", "sim/input", "models/vector_unit"},
    "sim/memtest": {"sim/base", "sim/import", "params", "models/dram"},
    "sim/lowering": {"sim/base", "sim/counters", "sim/program", "sim/input", "params", "models/numerics", "models/dram",
                     "models/log_gradient", "models/mac_array", "models/vector_unit"},
    "sim/mapping": {"sim/base", "sim/counters", "sim/program", "sim/config", "sim/lowering", "params", "models/dma",
                    "models/dram", "models/mac_array"},
    "sim/energy": {"sim/base", "sim/counters", "sim/program", "sim/config", "params", "models/dram"},
    "sim/report": {"sim/base", "sim/counters", "sim/energy", "params", "models/dram"},
    "sim/timeline": {"sim/base", "sim/counters", "sim/import", "sim/energy", "sim/report", "params"},
    "sim/explore": {"sim/base", "sim/counters", "sim/config", "sim/energy", "sim/report", "params"},
    "sim/page": {"sim/base", "sim/counters", "sim/config", "sim/energy", "sim/report", "sim/explore"},
    "sim/app": {"sim/base", "sim/counters", "sim/kernel", "sim/config", "sim/input", "sim/import", "sim/memtest",
                "sim/lowering", "sim/mapping", "sim/energy", "sim/report", "sim/timeline", "sim/explore", "sim/page",
                "params", "models/machine", "models/dram"},
}

# No file of these folders may reach a SystemC header, not even through others.
SYSTEMC_FREE = {"sim/base", "sim/counters", "models/numerics", "sim/wave", "python", "params", "sim/program",
                "sim/config", "sim/input", "sim/import", "sim/memtest", "sim/lowering", "sim/mapping", "sim/energy", "sim/report",
                "sim/timeline", "sim/explore", "sim/page"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
SYSTEMC_HEADERS = {"systemc", "systemc.h", "tlm", "tlm.h"}


def folder_of(path):
    """The row of the table that a file, given by its path from the root, belongs to."""
    if re.fullmatch(r"models/[^/]+/[^/]+_params\.h", path):
        return "params"
    if path.startswith("python/"):
        return "python"
    return "/".join(path.split("/")[:2])


def includes_of(root, path):
    text = (root / path).read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start()) + 1, match[1], match[2]) for match in INCLUDE.finditer(text)]


def table_problems():
    """The table itself must run one way: rows refer to rows above them."""
    above = set()
    for folder, allowed in ALLOWED.items():
        for other in sorted(allowed - above):
            yield f"scripts/check_includes.py: {folder} may not be allowed to include {other}: it does not stand above"
        above.add(folder)


def file_problems(root, path):
    folder = folder_of(path)
    if folder not in ALLOWED:
        yield f"{path}:1: folder {folder} is not in the table of scripts/check_includes.py"
        return
    for line, quoted, _ in includes_of(root, path):
        if quoted is None:
            continue
        if not (root / quoted).is_file():
            yield f'{path}:{line}: "{quoted}" is no file: includes are relative to the root of the repository'
        elif (other := folder_of(quoted)) != folder and other not in ALLOWED[folder]:
            yield f"{path}:{line}: {folder} must not include {other} ({quoted})"


def systemc_problems(root, path):
    """Walks through everything that the file includes."""
    if folder_of(path) not in SYSTEMC_FREE:
        return
    chains = {path: path}
    waiting = [path]
    while waiting:
        current = waiting.pop()
        for _, quoted, system in includes_of(root, current):
            if system in SYSTEMC_HEADERS:
                yield f"{path}:1: must not reach SystemC: {chains[current]} > {system}"
                return
            if quoted is not None and quoted not in chains and (root / quoted).is_file():
                chains[quoted] = f"{chains[current]} > {quoted}"
                waiting.append(quoted)


def problems_of(root):
    yield from table_problems()
    for top in ["sim", "models", "python"]:
        for file in sorted((root / top).rglob("*")):
            if file.suffix in {".h", ".cpp"}:
                path = file.relative_to(root).as_posix()
                yield from file_problems(root, path)
                yield from systemc_problems(root, path)


def self_test():
    """Every kind of violation, seeded into a tree of its own, must be found: one problem each, and no other."""
    cases = {
        "clean": ({"sim/base/a.h": "#include <vector>\n", "sim/counters/b.h": '#include "sim/base/a.h"\n'}, None),
        "upwards": ({"sim/base/a.h": '#include "sim/report/b.h"\n', "sim/report/b.h": ""},
                    "sim/base/a.h:1: sim/base must not include sim/report"),
        "model includes input": ({"models/dma/a.cpp": '\n#include "sim/input/b.h"\n', "sim/input/b.h": ""},
                                 "models/dma/a.cpp:2: models/dma must not include sim/input"),
        "program sees a unit": ({"sim/program/a.h": '#include "models/dma/b.h"\n', "models/dma/b.h": ""},
                                "sim/program must not include models/dma"),
        "the module sees a unit": ({"python/a.cpp": '#include "models/dma/b.h"\n', "models/dma/b.h": ""},
                                   "python/a.cpp:1: python must not include models/dma"),
        "program sees parameters": ({"sim/program/a.h": '#include "models/dma/dma_params.h"\n',
                                     "models/dma/dma_params.h": ""}, None),
        "SystemC": ({"sim/lowering/a.cpp": "#include <systemc>\n"},
                    "sim/lowering/a.cpp:1: must not reach SystemC: sim/lowering/a.cpp > systemc"),
        "SystemC through another": ({"sim/lowering/a.cpp": '#include "models/dram/b.h"\n',
                                     "models/dram/b.h": '#include "sim/kernel/c.h"\n',
                                     "sim/kernel/c.h": "# include <systemc>\n"},
                                    "sim/lowering/a.cpp > models/dram/b.h > sim/kernel/c.h > systemc"),
        "new folder": ({"sim/extra/a.h": ""}, "folder sim/extra is not in the table"),
        "relative": ({"sim/base/a.cpp": '#include "a.h"\n', "sim/base/a.h": ""}, '"a.h" is no file'),
    }
    failures = 0
    for name, (files, expected) in cases.items():
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            found = list(problems_of(root))
        good = found == [] if expected is None else len(found) == 1 and expected in found[0]
        if not good:
            failures += 1
            print(f"self-test '{name}': expected {expected}, found {found}")
    return failures


def main():
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(1 if self_test() else 0)
    found = list(problems_of(pathlib.Path(__file__).resolve().parent.parent))
    print("\n".join(found) if found else "includes run one way")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
