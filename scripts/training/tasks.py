# SPDX-License-Identifier: MIT
"""The tasks: data, network, optimiser, measure. Sizes keep a run at about a core-minute in FP32 arithmetic and emulated
4-bit arithmetic alike; `long` is what takes hours."""

import dataclasses
import pathlib

import numpy
import torch
from torch.nn import functional

from training import networks
from training.data import sample
from training.data.cifar import read_cifar10
from training.data.idx import read_labelled_images
from training.data.log_mel import BANDS, log_mel
from training.data.text import read_characters
from training.data.wav import read_wavs
from training.errors import InputError

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared/data"
FILES = {
    "cifar10-train": [SHARED / "vision/cifar10-train-10k.bin"],
    "cifar10-test": [SHARED / "vision/cifar10-test-2k.bin"],
    "mnist-images": SHARED / "vision/mnist-t10k-images-idx3-ubyte.gz",
    "mnist-labels": SHARED / "vision/mnist-t10k-labels-idx1-ubyte.gz",
    "speech": SHARED / "speech/free-spoken-digits-recordings.tar.xz",
    "text": SHARED / "text/tinyshakespeare.txt",
}


@dataclasses.dataclass
class Data:
    """Inputs and targets of training and test, as tensors. `draw` makes a training batch of indices, with a generator
    that belongs to the step (augmentation, places in a text)."""

    train: tuple
    test: tuple
    draw: object


@dataclasses.dataclass(frozen=True)
class Task:
    """`build` takes the session, the data and `sizes`. rate: the highest learning rate, from which a cosine leads to
    zero. clip_norm: limit of the gradient's norm, or None. samples: that an epoch has, where not as many as there
    are."""

    name: str
    domain: str
    load: object
    build: object
    sizes: dict
    long_sizes: dict
    epochs: int
    long_epochs: int
    batch: int
    optimizer: str
    rate: float
    weight_decay: float = 0.0
    clip_norm: float = None
    samples: int = None


def accuracy_and_loss(model, test, batch=250):
    """In percent, and in nats a prediction."""
    right, loss, count = 0, 0.0, 0
    model.eval()
    with torch.no_grad():
        for first in range(0, len(test[0]), batch):
            scores = model(test[0][first:first + batch])
            targets = test[1][first:first + batch].reshape(-1)
            scores = scores.reshape(len(targets), -1)
            right += int((scores.argmax(1) == targets).sum())
            loss += float(functional.cross_entropy(scores, targets, reduction="sum"))
            count += len(targets)
    model.train()
    return 100 * right / count, loss / count


# Vision ---------------------------------------------------------------------------------------------------------------


def _images(train, test, flip, shift):
    """Channels to mean 0 and standard deviation 1, by the training set. Batches are flipped and shifted at random."""
    mean = train[0].mean((0, 2, 3), keepdims=True) / 255
    deviation = train[0].std((0, 2, 3), keepdims=True) / 255

    def tensors(images, labels):
        normal = ((images / numpy.float32(255) - mean) / deviation).astype(numpy.float32)
        return torch.from_numpy(normal), torch.from_numpy(labels.astype(numpy.int64))

    train, test = tensors(*train), tensors(*test)

    def draw(indices, random):
        images = train[0][indices]
        if flip:
            turned = torch.from_numpy(random.random(len(indices)) < 0.5)
            images[turned] = images[turned].flip(3)
        if shift:
            size = images.shape[-1]
            padded = functional.pad(images, (shift,) * 4)
            places = random.integers(0, 2 * shift + 1, (len(indices), 2))
            images = torch.stack([image[:, y:y + size, x:x + size] for image, (y, x) in zip(padded, places)])
        return images, train[1][indices]

    return Data(train, test, draw)


def _cifar10(files, synthetic):
    if synthetic:
        return _images(sample.images(512, 3, 32, 1), sample.images(200, 3, 32, 2), False, 0)
    return _images(read_cifar10(files["cifar10-train"]), read_cifar10(files["cifar10-test"]), True, 4)


def _mnist(files, synthetic):
    if synthetic:
        return _images(sample.images(512, 1, 28, 1), sample.images(200, 1, 28, 2), False, 0)
    images, labels = read_labelled_images(files["mnist-images"], files["mnist-labels"])
    images, cut = images[:, None], len(images) * 4 // 5
    return _images((images[:cut], labels[:cut]), (images[cut:], labels[cut:]), False, 2)


# Speech ---------------------------------------------------------------------------------------------------------------

_FRAMES = 32  # half a second; the recordings last 0.43 s on average
_HELD_OUT_TAKES = 5


def _speech(files, synthetic):
    """Names are DIGIT_SPEAKER_TAKE.wav. The first five takes of every speaker and digit are the test set, as the data
    set's authors have it: its speakers are those of the training set."""
    if synthetic:
        halves = [sample.tones(256, 1), sample.tones(100, 2)]
        features = [numpy.stack([log_mel(one, rate, _FRAMES) for one in sounds]) for sounds, rate, _ in halves]
        labels = [half[2] for half in halves]
    else:
        made = {False: ([], []), True: ([], [])}
        for name, rate, samples in read_wavs(files["speech"]):
            parts = name[:-len(".wav")].split("_")
            if len(parts) != 3 or not parts[2].isdigit() or len(parts[0]) != 1 or not parts[0].isdigit():
                raise InputError(f"{files['speech']}: {name}: expected a name DIGIT_SPEAKER_TAKE.wav")
            mine = made[int(parts[2]) < _HELD_OUT_TAKES]
            mine[0].append(log_mel(samples, rate, _FRAMES))
            mine[1].append(int(parts[0]))
        if not made[True][0] or not made[False][0]:
            raise InputError(f"{files['speech']}: expected takes below {_HELD_OUT_TAKES} (test) and others (training)")
        features = [numpy.stack(made[test][0]) for test in (False, True)]
        labels = [numpy.array(made[test][1]) for test in (False, True)]
    mean, deviation = features[0].mean((0, 1)), features[0].std((0, 1)) + 1e-6
    train, test = ((torch.from_numpy((x - mean) / deviation), torch.from_numpy(y.astype(numpy.int64)))
                   for x, y in zip(features, labels))
    return Data(train, test, lambda indices, random: (train[0][indices], train[1][indices]))


# Language -------------------------------------------------------------------------------------------------------------

_LENGTH = 32  # characters of context
_TEST_WINDOWS = 500


def _language(files, synthetic):
    """The last tenth of the text is the test set: windows of it side by side, up to 500. An epoch draws windows
    anywhere in the rest."""
    if synthetic:
        alphabet = sorted(set(sample.text(2000, 0)))
        characters = numpy.array([alphabet.index(one) for one in sample.text(20000, 1)], numpy.int64)
    else:
        characters, alphabet = read_characters(files["text"], 20 * (_LENGTH + 1))
    characters = torch.from_numpy(characters)
    cut = len(characters) * 9 // 10
    windows = characters[cut:].unfold(0, _LENGTH + 1, _LENGTH)[:_TEST_WINDOWS]
    train = characters[:cut].unfold(0, _LENGTH + 1, 1)

    def draw(indices, random):
        chosen = train[torch.from_numpy(random.integers(0, len(train), len(indices)))]
        return chosen[:, :-1], chosen[:, 1:]

    data = Data((train[:, :-1], train[:, 1:]), (windows[:, :-1], windows[:, 1:]), draw)
    data.alphabet = alphabet
    return data


TASKS = {task.name: task for task in [
    Task("cifar10", "vision", _cifar10, lambda session, data, **sizes: networks.ResNet(session, **sizes),
         sizes={"blocks": 3, "width": 8, "stem_stride": 2}, long_sizes={"blocks": 3, "width": 16, "stem_stride": 1},
         epochs=8, long_epochs=30, batch=64, optimizer="sgd", rate=0.1, weight_decay=5e-4),
    Task("mnist", "vision", _mnist, lambda session, data, **sizes: networks.SmallCnn(session, **sizes),
         sizes={"width": 16, "hidden": 64}, long_sizes={"width": 32, "hidden": 128},
         epochs=6, long_epochs=20, batch=64, optimizer="sgd", rate=0.05, weight_decay=5e-4),
    Task("speech", "speech", _speech,
         lambda session, data, **sizes: networks.SpeechLstm(session, BANDS, **sizes),
         sizes={"hidden": 64}, long_sizes={"hidden": 128},
         epochs=15, long_epochs=60, batch=64, optimizer="adam", rate=4e-3, clip_norm=1.0),
    Task("char-lstm", "language", _language,
         lambda session, data, **sizes: networks.CharacterLstm(session, len(data.alphabet), **sizes),
         sizes={"embedding": 64, "hidden": 128}, long_sizes={"embedding": 128, "hidden": 256},
         epochs=4, long_epochs=20, batch=64, optimizer="adam", rate=5e-3, clip_norm=1.0, samples=12800),
    Task("char-transformer", "language", _language,
         lambda session, data, **sizes: networks.CharacterTransformer(session, len(data.alphabet), _LENGTH, **sizes),
         sizes={"width": 64, "heads": 2, "blocks": 2}, long_sizes={"width": 128, "heads": 4, "blocks": 2},
         epochs=5, long_epochs=20, batch=64, optimizer="adam", rate=3e-3, clip_norm=1.0, samples=12800),
]}


def find_task(name):
    if name not in TASKS:
        raise InputError(f"unknown task '{name}': expected one of {', '.join(TASKS)}")
    return TASKS[name]
