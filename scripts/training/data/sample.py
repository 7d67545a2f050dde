# SPDX-License-Identifier: MIT
"""Small data sets made by a generator, each learnable in a few steps: for tests, and for a look without real data."""

import numpy

_SENTENCES = ["the cat sat on the mat. ", "a dog ran to the log. ", "one hen and ten men. "]


def images(count, channels, size, seed):
    """Images N,C,H,W and labels N, bytes: each of 10 classes is a bright square in a place of its own, in noise."""
    random = numpy.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    pixels = random.integers(0, 96, (count, channels, size, size))
    side = size // 4
    for image, label in zip(pixels, labels):
        top, left = divmod(int(label), 4)
        image[:, top * side:(top + 1) * side, left * side:(left + 1) * side] += 128
    return pixels.astype(numpy.uint8), labels.astype(numpy.uint8)


def tones(count, seed, rate=8000, seconds=0.5):
    """Sounds and labels: each of 10 classes is a tone of its own pitch, in noise."""
    random = numpy.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    time = numpy.arange(int(rate * seconds)) / rate
    sounds = [0.3 * numpy.sin(2 * numpy.pi * 300 * (1 + label) * time + random.uniform(0, 6)) +
              0.02 * random.standard_normal(len(time)) for label in labels]
    return [sound.astype(numpy.float32) for sound in sounds], rate, labels


def text(characters, seed):
    """Three sentences in random order."""
    random = numpy.random.default_rng(seed)
    written = ""
    while len(written) < characters:
        written += _SENTENCES[random.integers(len(_SENTENCES))]
    return written[:characters]
