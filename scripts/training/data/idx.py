# SPDX-License-Identifier: MIT
"""IDX, the format of MNIST (yann.lecun.com/exdb/mnist): two zero bytes, type, number of dimensions, sizes as big-endian
32-bit numbers, elements. Only unsigned bytes (type 8), which is what MNIST and its successors use."""

import math
import struct

import numpy

from training.data.files import read_file
from training.errors import InputError

_UNSIGNED_BYTE = 8


def read_idx(path, dimensions):
    """An array of unsigned bytes with so many dimensions."""
    data = read_file(path)
    if len(data) < 4 or data[:2] != b"\0\0":
        raise InputError(f"{path}: offset 0: expected an IDX file (two zero bytes), "
                         f"found {data[:2].hex() or 'nothing'}")
    if data[2] != _UNSIGNED_BYTE:
        raise InputError(f"{path}: offset 2: expected elements of type 08 (unsigned byte), found {data[2]:02x}")
    if data[3] != dimensions:
        raise InputError(f"{path}: offset 3: expected {dimensions} dimensions, found {data[3]}")
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise InputError(f"{path}: offset {len(data)}: expected {dimensions} sizes up to offset {header}, "
                         f"found the end")
    sizes = struct.unpack(f">{dimensions}I", data[4:header])
    expected = header + math.prod(sizes)
    if len(data) != expected:
        raise InputError(f"{path}: expected {expected} bytes for {'x'.join(map(str, sizes))} elements, "
                         f"found {len(data)}")
    return numpy.frombuffer(data, numpy.uint8, offset=header).reshape(sizes)


def read_labelled_images(images_path, labels_path, classes=10):
    """Images N,H,W and labels N."""
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise InputError(f"{labels_path}: expected {len(images)} labels, one for each image of {images_path}, "
                         f"found {len(labels)}")
    if len(labels) and labels.max() >= classes:
        at = int(numpy.argmax(labels >= classes))
        raise InputError(f"{labels_path}: offset {8 + at}: expected a label below {classes}, found {labels[at]}")
    return images, labels
