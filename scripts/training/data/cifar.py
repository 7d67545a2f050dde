# SPDX-License-Identifier: MIT
"""CIFAR-10 in its binary version (cs.toronto.edu/~kriz/cifar.html): records of a label and 3 planes of 32x32 bytes."""

import numpy

from training.data.files import read_file
from training.errors import InputError

_RECORD_BYTES = 1 + 3 * 32 * 32


def read_cifar10(paths):
    """Images N,3,32,32 and labels N of all files together, unsigned bytes."""
    images, labels = [], []
    for path in paths:
        data = read_file(path)
        if not data or len(data) % _RECORD_BYTES:
            raise InputError(f"{path}: offset {len(data) - len(data) % _RECORD_BYTES}: expected whole records of "
                             f"{_RECORD_BYTES} bytes, found {len(data) % _RECORD_BYTES} bytes")
        records = numpy.frombuffer(data, numpy.uint8).reshape(-1, _RECORD_BYTES)
        wrong = records[:, 0] > 9
        if wrong.any():
            at = int(numpy.argmax(wrong))
            raise InputError(f"{path}: offset {at * _RECORD_BYTES}: expected a label from 0 to 9, "
                             f"found {records[at, 0]}")
        labels.append(records[:, 0])
        images.append(records[:, 1:].reshape(-1, 3, 32, 32))
    return numpy.concatenate(images), numpy.concatenate(labels)
