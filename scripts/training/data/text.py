# SPDX-License-Identifier: MIT
"""Plain text as a sequence of characters."""

import numpy

from training.data.files import read_file
from training.errors import InputError


def read_characters(path, least):
    """Indices into the sorted set of the characters that occur, and that set. At least so many characters."""
    data = read_file(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: offset {error.start}: expected UTF-8 text, "
                         f"found byte {data[error.start]:02x}") from None
    if len(text) < least:
        raise InputError(f"{path}: expected {least} characters or more, found {len(text)}")
    alphabet = sorted(set(text))
    index = {character: i for i, character in enumerate(alphabet)}
    return numpy.array([index[character] for character in text], numpy.int64), alphabet
