# SPDX-License-Identifier: MIT
"""Checkpoints: everything that a run depends on, written beside the file and renamed, so that there is always a whole one."""

import os
import pickle

import torch

from training.errors import InputError


def save(path, state):
    temporary = f"{path}.{os.getpid()}"
    try:
        torch.save(state, temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def load(path, run):
    """None where there is none yet. `run` are the settings that the checkpoint must have been made with."""
    if not os.path.exists(path):
        return None
    try:
        # Weights, numbers and text alone, so that a file from elsewhere cannot run code.
        state = torch.load(path, weights_only=True)
        found = state["run"]
    except (RuntimeError, OSError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: expected a checkpoint of this program: {reason}") from error
    for key, expected in run.items():
        if found.get(key) != expected:
            raise InputError(f"{path}: is of a run with {key} {found.get(key)}, expected {expected}; "
                             f"give another file or the same settings")
    return state
