#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that no two types of namespace nibble have one name: the linker would take one's functions for the other's.

    check_type_names.py              checks the repository
    check_type_names.py --self-test  checks that clashes are found
"""

import pathlib
import re
import sys

FOLDERS = ["sim", "models", "python"]
TOKENS = re.compile(r"""
    (?P<skip>//[^\n]*|/\*.*?\*/|R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#[^\n]*)
    |(?P<namespace>\bnamespace\b\s*(?P<path>[\w:]*)\s*\{)
    |(?P<template>\btemplate\s*<\s*>)
    |(?P<type>\b(?:enum\s+(?:class\s+|struct\s+)?|class\s+|struct\s+)(?:\[\[\w+\]\]\s*)?(?P<name>\w+)
        (?P<arguments>\s*<[^;{]*>)?\s*(?:final\s*)?(?::[^;{:][^;{]*)?\{)
    |(?P<open>\{)|(?P<close>\})""", re.VERBOSE | re.DOTALL)


def types_of(text):
    """(line, qualified name) of each type that a file defines in namespace nibble, outside of unnamed namespaces,
    functions and other types."""
    scopes = []
    for token in TOKENS.finditer(text):
        if token["skip"] is not None or token["template"] is not None:
            continue
        if token["close"] is not None:
            scopes = scopes[:-1]
        elif token["namespace"] is not None:
            scopes.append(token["path"] or None)
        elif token["type"] is not None:
            # Whatever stands inside of a type or of a function has a name of its own.
            if all(isinstance(scope, str) and scope != "{" for scope in scopes) and not token["arguments"]:
                name = "::".join([*scopes, token["name"]])
                if name.startswith("nibble::"):
                    yield text.count("\n", 0, token.start()) + 1, name
            scopes.append("{")
        else:
            scopes.append("{")


def clashes(files):
    """A line for each name that is there twice, of (path, text)."""
    places = {}
    for path, text in files:
        for line, name in types_of(text):
            places.setdefault(name, []).append(f"{path}:{line}")
    return [f"{name}: {', '.join(where)}" for name, where in sorted(places.items()) if len(where) > 1]


def self_test():
    one = "namespace nibble {\nstruct A { int x; };\nnamespace {\nstruct B {};\n}\nclass C final : A {};\n}"
    assert [name for _, name in types_of(one)] == ["nibble::A", "nibble::C"]
    found = clashes([("one", one), ("two", "namespace nibble {\nenum class A : int { a };\nstruct C;\n}")])
    assert found == ["nibble::A: one:2, two:2"], found
    assert not clashes([("one", one), ("two", "namespace nibble::other { struct A {}; } namespace { struct C {}; }")])
    assert not clashes([("one", one), ("two", "namespace nibble { void f() { struct A {}; } struct D { struct A {}; }; }")])
    assert not clashes([("one", one), ("two", "namespace nibble { // struct A {\n const char* s = \"struct A {\"; }")])
    print("clashes are found")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    root = pathlib.Path(__file__).resolve().parent.parent
    files = [(path.relative_to(root), path.read_text(encoding="utf-8")) for folder in FOLDERS
             for path in sorted((root / folder).rglob("*")) if path.suffix in (".h", ".cpp")]
    found = clashes(files)
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
