# SPDX-License-Identifier: MIT
"""Log-mel features: energies of frames of sound in bands that are equally wide to the ear."""

import numpy

WINDOW_SECONDS = 0.032
STEP_SECONDS = 0.016
BANDS = 32
_FLOOR = 1e-6  # of energy: -60 dB of a full-scale sine


def log_mel(samples, rate, frames):
    """frames x BANDS: Hann windows of 32 ms every 16 ms, power spectrum, triangular filters from 0 Hz to half the
    rate on the mel scale 2595 log10(1 + f / 700), natural logarithm. Longer sounds are cut, shorter ones filled with
    silence."""
    window, step = round(WINDOW_SECONDS * rate), round(STEP_SECONDS * rate)
    needed = window + step * (frames - 1)
    samples = numpy.pad(samples[:needed], (0, max(0, needed - len(samples))))
    starts = step * numpy.arange(frames)[:, None] + numpy.arange(window)
    spectrum = numpy.abs(numpy.fft.rfft(samples[starts] * numpy.hanning(window))) ** 2 / window
    return numpy.log(spectrum @ _filters(window, rate) + _FLOOR).astype(numpy.float32)


def _filters(window, rate):
    """Spectral lines x bands; each band rises from the centre of the band below and falls to that of the one above."""
    highest = 2595 * numpy.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (numpy.linspace(0, highest, BANDS + 2) / 2595) - 1)
    lines = numpy.fft.rfftfreq(window, 1 / rate)[:, None]
    low, centre, high = corners[:-2], corners[1:-1], corners[2:]
    return numpy.maximum(0, numpy.minimum((lines - low) / (centre - low), (high - lines) / (high - centre)))
