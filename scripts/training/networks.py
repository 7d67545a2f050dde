# SPDX-License-Identifier: MIT
"""The networks of the tasks. Sizes are arguments; what a task takes by default is in tasks.py."""

import torch
from torch.nn import functional

from training.layers import CausalAttention, QuantisedConv, QuantisedLinear
from training.lstm import QuantisedLstm


class _Block(torch.nn.Module):
    """Two 3x3 convolutions, and a shortcut in binary32, through a 1x1 convolution where the shape changes."""

    def __init__(self, session, name, inputs, outputs, stride):
        super().__init__()
        self.conv1 = QuantisedConv(session, f"{name}.conv1", inputs, outputs, 3, stride, 1)
        self.norm1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = QuantisedConv(session, f"{name}.conv2", outputs, outputs, 3, 1, 1)
        self.norm2 = torch.nn.BatchNorm2d(outputs)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = QuantisedConv(session, f"{name}.shortcut", inputs, outputs, 1, stride)
            self.shortcut_norm = torch.nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = functional.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return functional.relu(y + (x if self.shortcut is None else self.shortcut_norm(self.shortcut(x))))


class ResNet(torch.nn.Module):
    """He et al. 2015, section 4.2: three groups of `blocks` blocks, of width, 2 width and 4 width channels: 6 blocks
    + 2 layers. ResNet-20 is blocks=3, width=16, stem_stride=1."""

    def __init__(self, session, blocks, width, stem_stride, classes=10):
        super().__init__()
        self.stem = QuantisedConv(session, "stem", 3, width, 3, stem_stride, 1, position="first")
        self.norm = torch.nn.BatchNorm2d(width)
        made, inputs = [], width
        for group in range(3):
            for block in range(blocks):
                outputs = width << group
                stride = 2 if group and block == 0 else 1
                made.append(_Block(session, f"group{group + 1}.{block}", inputs, outputs, stride))
                inputs = outputs
        self.blocks = torch.nn.Sequential(*made)
        self.head = QuantisedLinear(session, "head", inputs, classes, signed=False, position="last")

    def forward(self, x):
        x = functional.relu(self.norm(self.stem(x)))
        return self.head(self.blocks(x).mean((2, 3)))


class SmallCnn(torch.nn.Module):
    """Three 3x3 convolutions with stride 2 and a hidden linear layer."""

    def __init__(self, session, width, hidden, classes=10):
        super().__init__()
        sizes = [1, width, 2 * width, 4 * width]
        self.convolutions = torch.nn.ModuleList(
            QuantisedConv(session, f"conv{i + 1}", sizes[i], sizes[i + 1], 3, 2, 1, position="middle" if i else "first")
            for i in range(3))
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm2d(size) for size in sizes[1:])
        self.hidden = QuantisedLinear(session, "hidden", sizes[3] * 16, hidden, signed=False)
        self.head = QuantisedLinear(session, "head", hidden, classes, signed=False, position="last")

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms):
            x = functional.relu(norm(convolution(x)))
        return self.head(functional.relu(self.hidden(x.flatten(1))))


class SpeechLstm(torch.nn.Module):
    """Bidirectional LSTM over frames (batch, time, features), mean over time, classes."""

    def __init__(self, session, features, hidden, classes=10):
        super().__init__()
        self.forwards = QuantisedLstm(session, "lstm.forward", features, hidden, position="first")
        self.backwards = QuantisedLstm(session, "lstm.backward", features, hidden, reverse=True, position="first")
        self.middle = QuantisedLinear(session, "middle", 2 * hidden, hidden, signed=True)
        self.head = QuantisedLinear(session, "head", hidden, classes, signed=False, position="last")

    def forward(self, x):
        x = x.transpose(0, 1)
        mean = torch.cat((self.forwards(x), self.backwards(x)), 2).mean(0)
        return self.head(functional.relu(self.middle(mean)))


class CharacterLstm(torch.nn.Module):
    """Embedding, two LSTM layers, characters: batch, time to batch, time, characters."""

    def __init__(self, session, characters, embedding, hidden):
        super().__init__()
        self.embedding = torch.nn.Embedding(characters, embedding)
        self.lstm1 = QuantisedLstm(session, "lstm1", embedding, hidden, position="first")
        self.lstm2 = QuantisedLstm(session, "lstm2", hidden, hidden)
        self.head = QuantisedLinear(session, "head", hidden, characters, signed=True, position="last")

    def forward(self, x):
        y = self.lstm2(self.lstm1(self.embedding(x.t())))
        return self.head(y).transpose(0, 1)


class _TransformerBlock(torch.nn.Module):
    """Normalisation first, as GPT-2 has it; ReLU, so that the second product has unsigned INT4."""

    def __init__(self, session, name, width, heads, position):
        super().__init__()
        self.norm1, self.norm2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.attention = CausalAttention(session, f"{name}.attention", width, heads, position)
        self.up = QuantisedLinear(session, f"{name}.up", width, 4 * width, signed=True)
        self.down = QuantisedLinear(session, f"{name}.down", 4 * width, width, signed=False)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(functional.relu(self.up(self.norm2(x))))


class CharacterTransformer(torch.nn.Module):
    """Embeddings of characters and places, causal blocks, characters."""

    def __init__(self, session, characters, length, width, heads, blocks):
        super().__init__()
        self.characters = torch.nn.Embedding(characters, width)
        self.places = torch.nn.Parameter(torch.randn(length, width) * 0.02)
        torch.nn.init.normal_(self.characters.weight, std=0.02)
        self.blocks = torch.nn.Sequential(*(
            _TransformerBlock(session, f"block{i + 1}", width, heads, "middle" if i else "first")
            for i in range(blocks)))
        self.norm = torch.nn.LayerNorm(width)
        self.head = QuantisedLinear(session, "head", width, characters, signed=True, position="last")

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.characters(x) + self.places[:x.shape[1]])))
