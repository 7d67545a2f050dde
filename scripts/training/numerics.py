# SPDX-License-Identifier: MIT
"""The module nibblesim (python/), found beside the build or in the path, and loaded when a recipe first needs it."""

import functools
import importlib
import pathlib
import sys

from training.errors import InputError

_BUILDS = pathlib.Path(__file__).resolve().parents[2] / "build"


@functools.lru_cache(maxsize=None)
def module():
    """Throws InputError where it is not built for this Python. Searches PYTHONPATH, then build/release/python."""
    built = str(_BUILDS / "release/python")
    if built not in sys.path:
        sys.path.append(built)
    try:
        return importlib.import_module("nibblesim")
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise InputError(f"the module nibblesim is not to be found for Python {version} ({error}): build the target "
                         f"nibblesim_python, or name its directory in PYTHONPATH; only --recipe fp32 does "
                         f"without") from error
