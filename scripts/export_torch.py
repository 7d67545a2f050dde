#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one training step of a PyTorch model and writes it for `nibblesim import`.

    scripts/export_torch.py --model torchvision:resnet18 --batch 16 -o resnet18.trace
    scripts/export_torch.py --model lstm --batch 20 -o lstm.trace
    scripts/export_torch.py --model my_net.py:make --batch 8 -o my_net.trace --values --layers 'encoder.*'

In a file of one's own, the function is called with the batch size and returns the model and a function without
arguments that runs the forward pass and returns the loss. Everything else is done here.
"""

import argparse
import difflib
import importlib.util
import os
import sys
import warnings

try:
    import torch
except ImportError:
    print("export_torch: error: PyTorch is needed: install python3-torch (Debian) or torch (pip)", file=sys.stderr)
    sys.exit(2)
from torch import nn
from torch.nn import functional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from nibblesim_torch import record  # noqa: E402


class UserError(Exception):
    """Whatever the user can put right."""


def classifier(network, batch, image):
    """Images of random pixels in 1000 classes."""
    pixels = torch.randn(batch, 3, image, image)
    labels = torch.randint(1000, (batch,))

    def loss():
        try:
            scores = network(pixels)
        except (AssertionError, RuntimeError, ValueError) as error:
            raise UserError(f"the model does not run on images of {image} x {image}: {error}") from error
        scores = getattr(scores, "logits", scores)  # inception and googlenet have further results
        if not isinstance(scores, torch.Tensor) or scores.dim() != 2:
            raise UserError("the model is no classifier: write a function of your own, --model FILE.py:FUNCTION")
        return functional.cross_entropy(scores, labels % scores.shape[1])

    return network, loss


class Encoder(nn.Module):
    """BERT-base with the head of a masked language model, as workloads/bert-base.yaml."""

    length, masked, vocabulary, width = 128, 20, 30522, 768

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(self.vocabulary, self.width)
        self.positions = nn.Embedding(512, self.width)
        self.segments = nn.Embedding(2, self.width)
        self.norm = nn.LayerNorm(self.width)
        self.drop = nn.Dropout(0.1)
        layer = nn.TransformerEncoderLayer(self.width, 12, 3072, 0.1, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 12)
        self.transform = nn.Linear(self.width, self.width)
        self.transform_norm = nn.LayerNorm(self.width)
        self.decoder = nn.Linear(self.width, self.vocabulary)
        self.decoder.weight = self.words.weight

    def forward(self, tokens, segments, masked):
        x = self.words(tokens) + self.positions(torch.arange(self.length)) + self.segments(segments)
        x = self.encoder(self.drop(self.norm(x)))
        x = x.gather(1, masked[:, :, None].expand(-1, -1, self.width))
        return self.decoder(self.transform_norm(functional.gelu(self.transform(x))))


def encoder(batch):
    network = Encoder()
    tokens = torch.randint(Encoder.vocabulary, (batch, Encoder.length))
    segments = torch.zeros(batch, Encoder.length, dtype=torch.long)
    masked = torch.randint(Encoder.length, (batch, Encoder.masked))
    labels = torch.randint(Encoder.vocabulary, (batch * Encoder.masked,))
    return network, lambda: functional.cross_entropy(network(tokens, segments, masked).flatten(0, 1), labels)


class Transformer(nn.Module):
    """The base model of Vaswani et al., as workloads/transformer-base.yaml."""

    length, vocabulary, width = 32, 37000, 512

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(self.vocabulary, self.width)
        self.register_buffer("positions", torch.randn(self.length, self.width))
        self.drop = nn.Dropout(0.1)
        self.transformer = nn.Transformer(self.width, 8, 6, 6, 2048, 0.1, batch_first=True)
        self.logits = nn.Linear(self.width, self.vocabulary, bias=False)
        self.logits.weight = self.words.weight

    def forward(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(self.length)
        source = self.drop(self.words(source) + self.positions)
        target = self.drop(self.words(target) + self.positions)
        return self.logits(self.transformer(source, target, tgt_mask=mask))


def transformer(batch):
    network = Transformer()
    source, target, labels = torch.randint(Transformer.vocabulary, (3, batch, Transformer.length)).unbind()
    return network, lambda: functional.cross_entropy(network(source, target).flatten(0, 1), labels.flatten())


class LanguageModel(nn.Module):
    """The medium LSTM of Zaremba et al., as workloads/lstm-ptb.yaml."""

    length, vocabulary, width = 35, 10000, 650

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(self.vocabulary, self.width)
        self.drop = nn.Dropout(0.5)
        self.lstm = nn.LSTM(self.width, self.width, 2, dropout=0.5)
        self.decoder = nn.Linear(self.width, self.vocabulary)

    def forward(self, tokens):
        return self.decoder(self.drop(self.lstm(self.drop(self.words(tokens)))[0]))


def lstm(batch):
    network = LanguageModel()
    tokens, labels = torch.randint(LanguageModel.vocabulary, (2, LanguageModel.length, batch)).unbind()
    return network, lambda: functional.cross_entropy(network(tokens).flatten(0, 1), labels.flatten())


BUILT_IN = {"encoder": encoder, "transformer": transformer, "lstm": lstm}


def vision_models():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from torchvision import models
    except ImportError:
        raise UserError("torchvision is needed for this model: install python3-torchvision (Debian) or torchvision "
                        "(pip)") from None
    names = [name for name, make in vars(models).items() if name.islower() and callable(make) and name[0] != "_"]
    return {name: getattr(models, name) for name in names if not name.startswith(("get_", "list_"))}


def function_of(path, name):
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location("nibblesim_user_model", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec.loader.exec_module(module)
    if not callable(getattr(module, name, None)):
        names = [key for key, value in vars(module).items() if callable(value)]
        raise UserError(f"{path}: has no function '{name}'{suggestion(name, names)}")
    return getattr(module, name)


def suggestion(name, names):
    near = difflib.get_close_matches(name, names, 1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def build(model, batch, image):
    """The model, its loss function, and its name."""
    kind, _, name = model.rpartition(":")
    if kind == "torchvision":
        makers = vision_models()
        if name not in makers:
            raise UserError(f"torchvision has no model '{name}'{suggestion(name, makers)}")
        return *classifier(makers[name](weights=None), batch, image), name
    if kind.endswith(".py"):
        made = function_of(kind, name)(batch)
        if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], nn.Module) and callable(made[1])):
            raise UserError(f"{model}: expected to return a model and a function that computes the loss, got "
                            f"{type(made).__name__}")
        return *made, os.path.splitext(os.path.basename(kind))[0]
    if model not in BUILT_IN:
        known = [*BUILT_IN, "torchvision:NAME", "FILE.py:FUNCTION"]
        near = suggestion(model, BUILT_IN)
        if not near:
            with_prefix = f"torchvision:{model}"
            near = f" (did you mean '{with_prefix}'?)" if model in vision_models() else f"; there are {', '.join(known)}"
        raise UserError(f"there is no model '{model}'{near}")
    return *BUILT_IN[model](batch), model


def export(options):
    torch.manual_seed(options.seed)
    directory = os.path.dirname(os.path.abspath(options.output))
    if not os.path.isdir(directory):
        raise UserError(f"{directory}: no such directory")
    network, loss, name = build(options.model, options.batch, options.image)
    network.train()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if options.optimizer == "adam":
        optimizer = torch.optim.Adam(trained)
    else:
        optimizer = torch.optim.SGD(trained, lr=0.01, momentum=0.9)
    with record(options.output, network, name=name, batch=options.batch, values=options.values, layers=options.layers,
                max_bytes=options.max_bytes) as recorder:
        loss().backward()
        optimizer.step()
    print(f"{options.output}: {recorder.summary()}")


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {number}")
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help=f"torchvision:NAME, {', '.join(BUILT_IN)} or FILE.py:FUNCTION")
    parser.add_argument("--batch", type=positive, required=True, help="samples in the step")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="compressed if it ends in .gz")
    parser.add_argument("--image", type=positive, default=224, help="height and width of images (224)")
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd", help="sgd has momentum (sgd)")
    parser.add_argument("--values", action="store_true", help="save the operands of GEMMs in FILE.values")
    parser.add_argument("--layers", default="*", metavar="GLOB", help="modules whose operands are saved (*)")
    parser.add_argument("--max-bytes", type=positive, default=1 << 30, metavar="N",
                        help="most bytes of values altogether (1 GiB)")
    parser.add_argument("--seed", type=int, default=0, help="of parameters, inputs and dropout (0)")
    try:
        export(parser.parse_args())
    except (UserError, OSError) as error:
        print(f"export_torch: error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
