# SPDX-License-Identifier: MIT
"""WAV files of 16-bit PCM, one channel, in a folder or a .tar, .tar.gz or .tar.xz archive."""

import io
import pathlib
import struct
import tarfile

import numpy

from training.data.files import read_file
from training.errors import InputError


def parse_wav(data, name):
    """Sample rate in Hz and samples in [-1, 1)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise InputError(f"{name}: offset 0: expected 'RIFF', a size and 'WAVE', found {data[:12]!r}")
    rate, at = None, 12
    while at + 8 <= len(data):
        kind, size = struct.unpack("<4sI", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if len(body) < size:
            raise InputError(f"{name}: offset {at + 8}: expected {size} bytes of chunk {kind!r}, found {len(body)}")
        if kind == b"fmt ":
            if size < 16:
                raise InputError(f"{name}: offset {at + 4}: expected a format of 16 bytes or more, found {size}")
            encoding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if (encoding, channels, bits) != (1, 1, 16):
                raise InputError(f"{name}: offset {at + 8}: expected PCM (1), 1 channel, 16 bits, "
                                 f"found encoding {encoding}, {channels} channels, {bits} bits")
        elif kind == b"data":
            if rate is None:
                raise InputError(f"{name}: offset {at}: expected a 'fmt ' chunk before the samples, found none")
            if size % 2:
                raise InputError(f"{name}: offset {at + 4}: expected whole samples of 2 bytes, found {size} bytes")
            return rate, numpy.frombuffer(body, "<i2").astype(numpy.float32) / 32768
        at += 8 + size + size % 2
    raise InputError(f"{name}: offset {at}: expected a 'data' chunk, found the end")


def read_wavs(path):
    """(file name, sample rate, samples) of every .wav file, by name."""
    path = pathlib.Path(path)
    if path.is_dir():
        found = [(file.name, file.read_bytes()) for file in sorted(path.rglob("*.wav"))]
    else:
        found = sorted(_unpacked(path))
    if not found:
        raise InputError(f"{path}: expected .wav files, found none")
    return [(name, *parse_wav(data, f"{path}: {name}")) for name, data in found]


def _unpacked(path):
    # Unpacked as a whole first: an archive's own reader does not notice when its last bytes are missing.
    data = read_file(path)
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(".wav"):
                    yield pathlib.PurePath(member.name).name, archive.extractfile(member).read()
    except tarfile.TarError as error:
        raise InputError(f"{path}: expected a folder or a whole .tar, .tar.gz or .tar.xz archive: {error}") from error
