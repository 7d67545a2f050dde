# SPDX-License-Identifier: MIT
"""Whole files, plain or compressed."""

import gzip
import lzma
import pathlib
import zlib

from training.errors import InputError

_UNPACKERS = {".gz": ("gzip", gzip.decompress), ".xz": ("xz", lzma.decompress)}


def read_file(path):
    """The bytes of a file, unpacked if its name ends in .gz or .xz."""
    path = pathlib.Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; scripts/download_data.py fetches the data sets") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    if path.suffix not in _UNPACKERS:
        return data
    kind, unpack = _UNPACKERS[path.suffix]
    try:
        return unpack(data)
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path}: expected a whole {kind} file, found: {error}") from error
