#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Readers of data sets: what is whole is read, what is missing or damaged is refused by file, place and expectation."""

import gzip
import pathlib
import struct
import tarfile
import tempfile

from support import expect_error, require, run_tests

require("numpy")

import numpy

from training.data.cifar import read_cifar10
from training.data.idx import read_idx, read_labelled_images
from training.data.log_mel import BANDS, log_mel
from training.data.text import read_characters
from training.data.wav import parse_wav, read_wavs
from training.errors import InputError

FOLDER = pathlib.Path(tempfile.mkdtemp())


def written(name, data):
    (FOLDER / name).write_bytes(data)
    return FOLDER / name


def idx(sizes, data, kind=8):
    return bytes([0, 0, kind, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes(data)


def wav(samples, rate=8000, encoding=1, channels=1, bits=16):
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, encoding, channels, rate, 2 * rate, 2, bits)
    extra = struct.pack("<4sI3sx", b"note", 3, b"odd")  # chunks of odd size are padded
    body = struct.pack(f"<4sI{len(samples)}h", b"data", 2 * len(samples), *samples)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form + extra + body), b"WAVE") + form + extra + body


def test_idx_plain_and_compressed():
    whole = idx([2, 1, 3], range(6))
    for name, data in (("plain", whole), ("packed.gz", gzip.compress(whole))):
        assert read_idx(written(name, data), 3).tolist() == [[[0, 1, 2]], [[3, 4, 5]]]


def test_idx_damaged():
    whole = idx([2, 1, 3], range(6))
    for name, data, expected in [
            ("other", b"PK\3\4" + whole, ["offset 0", "two zero bytes", "504b"]),
            ("empty", b"", ["offset 0", "nothing"]),
            ("float", idx([2, 1, 3], range(6), kind=13), ["offset 2", "08", "0d"]),
            ("flat", idx([6], range(6)), ["offset 3", "3 dimensions", "found 1"]),
            ("header", whole[:9], ["offset 9", "offset 16"]),
            ("short", whole[:-1], ["expected 22 bytes", "2x1x3", "found 21"]),
            ("long", whole + b"x", ["expected 22 bytes", "found 23"]),
            ("cut.gz", gzip.compress(whole)[:-9], ["whole gzip file"]),
            ("not.gz", whole, ["whole gzip file"]),
            ("crc.gz", gzip.compress(whole)[:-8] + b"\1" * 8, ["whole gzip file"])]:
        path = written(name, data)
        expect_error(InputError, [str(path), *expected], read_idx, path, 3)
    expect_error(InputError, ["no such file", "download_data.py"], read_idx, FOLDER / "nowhere", 3)


def test_labels_must_fit_images():
    images = written("images", idx([2, 1, 3], range(6)))
    expect_error(InputError, ["labels", "expected 2 labels", "found 3"], read_labelled_images, images,
                 written("labels", idx([3], [1, 2, 3])))
    # Two dimensions' header is 8 bytes long; the second label is at offset 9.
    expect_error(InputError, ["offset 9", "below 10", "found 77"], read_labelled_images, images,
                 written("labels", idx([2], [1, 77])))


def test_cifar():
    first, second = bytes([3]) + bytes([7]) * 3072, bytes([9]) + bytes(range(256)) * 12
    images, labels = read_cifar10([written("a.bin", first), written("b.bin", second)])
    assert images.shape == (2, 3, 32, 32) and labels.tolist() == [3, 9]
    # The green plane begins after 1024 red bytes, 1024 = 4 * 256.
    assert images[1, 1, 0, :3].tolist() == [0, 1, 2] and images[1, 0, 1, 0] == 32
    expect_error(InputError, ["offset 3073", "3073 bytes", "found 100"], read_cifar10,
                 [written("cut.bin", first + second[:100])])
    expect_error(InputError, ["offset 3073", "0 to 9", "found 10"], read_cifar10,
                 [written("label.bin", first + bytes([10]) + second[1:])])
    expect_error(InputError, ["offset 0", "found 0 bytes"], read_cifar10, [written("empty.bin", b"")])


def test_wav():
    rate, samples = parse_wav(wav([0, 16384, -32768]), "x")
    assert rate == 8000 and samples.tolist() == [0, 0.5, -1]
    whole = wav([1, 2, 3])
    for data, expected in [
            (b"", ["x: offset 0", "RIFF"]),
            (b"OggS" + whole[4:], ["offset 0", "RIFF"]),
            (wav([1], bits=8), ["offset 20", "16 bits", "8 bits"]),
            (wav([1], channels=2), ["1 channel", "2 channels"]),
            (wav([1], encoding=3), ["PCM", "encoding 3"]),
            # RIFF 12, fmt 24, note 12: data begins at 48, its samples at 56.
            (whole[:-1], ["offset 56", "expected 6 bytes", "found 5"]),
            (whole[:48], ["offset 48", "'data' chunk", "the end"]),
            (whole[:12] + whole[36:], ["offset 24", "'fmt ' chunk before"])]:
        expect_error(InputError, expected, parse_wav, data, "x")


def test_wavs_of_folder_and_archive():
    folder = FOLDER / "sounds"
    folder.mkdir()
    for name in ("b.wav", "a.wav", "readme.txt"):
        (folder / name).write_bytes(wav([1, 2]))
    for kind in ("xz", "gz"):
        with tarfile.open(FOLDER / f"s.tar.{kind}", f"w:{kind}") as archive:
            archive.add(folder, "sounds")
    for path in (folder, FOLDER / "s.tar.xz", FOLDER / "s.tar.gz"):
        assert [(name, rate) for name, rate, _ in read_wavs(path)] == [("a.wav", 8000), ("b.wav", 8000)], path
    for kind in ("xz", "gz"):
        cut = written(f"cut.tar.{kind}", (FOLDER / f"s.tar.{kind}").read_bytes()[:-30])
        expect_error(InputError, [str(cut), "whole"], read_wavs, cut)
    (folder / "a.wav").write_bytes(wav([1, 2])[:-1])
    expect_error(InputError, ["sounds: a.wav", "offset 56"], read_wavs, folder)
    expect_error(InputError, ["no such file", "download_data.py"], read_wavs, FOLDER / "nowhere.tar.xz")
    (FOLDER / "none").mkdir()
    expect_error(InputError, ["expected .wav files, found none"], read_wavs, FOLDER / "none")


def test_features_show_the_pitch():
    """A tone's energy is largest in the band whose centre is nearest. Mel of 4 kHz is 2146.06; 33 steps of 65.03 lie
    between the corners. 1 kHz is 999.99 mel: corner 15.38, and band b has its centre at corner b + 1."""
    time = numpy.arange(8000) / 8000
    features = log_mel(numpy.float32(numpy.sin(2 * numpy.pi * 1000 * time)), 8000, 8)
    assert features.shape == (8, BANDS) and (features.argmax(1) == 14).all()
    # Silence has the floor's energy: log 1e-6. What is beyond the end of the sound is silence.
    assert numpy.allclose(log_mel(numpy.zeros(10, numpy.float32), 8000, 3), numpy.log(1e-6))


def test_text():
    codes, alphabet = read_characters(written("text", "abca\u00e9".encode()), 5)
    assert codes.tolist() == [0, 1, 2, 0, 3] and alphabet == ["a", "b", "c", "\u00e9"]
    expect_error(InputError, ["6 characters", "found 5"], read_characters, FOLDER / "text", 6)
    expect_error(InputError, ["offset 2", "UTF-8", "ff"], read_characters, written("binary", b"ab\xffcd"), 1)


run_tests(globals())
