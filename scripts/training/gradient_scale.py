# SPDX-License-Identifier: MIT
"""Scales of gradients: GradScale of a layer (or of the whole network), and the loss scale."""

import math

from training.errors import Diverged
from training.numerics import module


class TrainedScale:
    """A power of two that follows the largest scaled magnitude, one doubling or halving a step at most (Fig. 3a).

    The paper gives no initial value: the first gradient that is not zero sets it so that its own largest magnitude
    comes into the window [assumption].
    """

    def __init__(self):
        self.log2 = None
        self._largest = None

    def log2_for(self, largest):
        """The scale in force; `largest` is the largest magnitude of a gradient, a callable because it is rarely
        read."""
        if self.log2 is None:
            magnitude = largest()
            if magnitude == 0 or not math.isfinite(magnitude):
                return 0
            self.log2 = module().scale_log2_into(magnitude, module().fp4_largest_log2)
        return self.log2

    def observe(self, largest_scaled):
        self._largest = max(self._largest or 0.0, largest_scaled)

    def update(self):
        """Once a step, by the optimiser."""
        if self.log2 is not None and self._largest is not None:
            scale = module().GradScale(self.log2)
            scale.update(module().grad_scale_vote(self._largest))
            self.log2 = scale.log2
        self._largest = None


class LossScale:
    """What the loss is multiplied by, so that gradients stay within FP16: a power of two.

    A step whose gradients are not finite is left out, and the scale halved; it never grows again [assumption: runs are
    short]. Below 2^-24 nothing finite is to be expected any more.
    """

    LOWEST_LOG2 = -24

    def __init__(self, log2):
        self.log2 = log2

    @property
    def value(self):
        return math.ldexp(1.0, self.log2)

    def back_off(self, step):
        self.log2 -= 1
        if self.log2 < self.LOWEST_LOG2:
            raise Diverged(f"step {step}: gradients are not finite at any loss scale down to 2^{self.LOWEST_LOG2}")
