# SPDX-License-Identifier: MIT
"""Whole files, plain or compressed."""

import gzip
import lzma
import pathlib
import zlib

from training.errors import InputError


def read_file(path):
    """The bytes of a file, unpacked if its name ends in .gz."""
    path = pathlib.Path(path)
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as file:
                return file.read()
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; scripts/download_data.py fetches the data sets") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: expected a whole gzip file, found: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


# What reading a damaged archive throws, besides tarfile's own errors.
UNPACKING_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)
