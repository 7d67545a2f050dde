# SPDX-License-Identifier: MIT
"""Checkpoints: everything that a run depends on, written beside the file and renamed, so that there is always a whole
one.

A file holds tensors and a text in JSON that says where they belong. It is read without running code that a file from
elsewhere might bring.
"""

import json
import os
import pickle

import torch

from training.errors import InputError


def save(path, state):
    temporary = f"{path}.{os.getpid()}"
    tensors = []
    text = json.dumps(_packed(state, tensors))
    try:
        with open(temporary, "wb") as file:
            torch.save({"text": text, "tensors": tensors}, file)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def load(path, run):
    """None where there is none yet. `run` are the settings that the checkpoint must have been made with."""
    if not os.path.exists(path):
        return None
    try:
        with open(path, "rb") as file:
            packed = torch.load(file, weights_only=True)
        state = _unpacked(json.loads(packed["text"]), packed["tensors"])
        found = state["run"]
    except (RuntimeError, OSError, EOFError, LookupError, TypeError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: expected a checkpoint of this program: {reason}") from error
    for key, expected in run.items():
        if found.get(key) != expected:
            raise InputError(f"{path}: is of a run with {key} {found.get(key)}, expected {expected}; "
                             f"give another file or the same settings")
    return state


def _packed(value, tensors):
    """Dictionaries as lists of pairs, for JSON has only text for keys; tensors by their number."""
    if isinstance(value, torch.Tensor):
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if isinstance(value, dict):
        return {"pairs": [[key, _packed(one, tensors)] for key, one in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_packed(one, tensors) for one in value]
    return value


def _unpacked(value, tensors):
    if isinstance(value, list):
        return [_unpacked(one, tensors) for one in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: _unpacked(one, tensors) for key, one in value["pairs"]}
    return value
