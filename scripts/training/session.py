# SPDX-License-Identifier: MIT
"""What all layers of one training run share: recipe, step, seed, scales, recorder."""

from training.gemm_calls import GradientStatistics, Recorder
from training.gradient_scale import LossScale, TrainedScale

# Gradients of a mean over a batch are between 1e-7 and 1e-2 in our networks: FP16 keeps them all [assumption].
INITIAL_LOSS_SCALE_LOG2 = 10


class Session:
    """`accumulator` and `chunk`: how the machine adds up, by default as server-int4 does. Its DLFloat16 is the FP16
    of Sun et al. 2020; binary16 ends at 65504, which a sum of a few hundred products of INT4 and FP4 exceeds where
    they agree in sign, as gradients of recurrent networks do."""

    def __init__(self, recipe, seed=0, recorder=None, accumulator="dlfloat16", chunk=32):
        self.recipe = recipe.on_machine(accumulator, chunk)
        self.seed = seed
        self.recorder = recorder or Recorder()
        self.loss_scale = LossScale(INITIAL_LOSS_SCALE_LOG2 if recipe.emulated else 0)
        self.step = 0
        self.layers = []
        self.recording = False
        self.gradients_finite = True  # in this step, as far as layers have seen
        self._global_scale = TrainedScale()

    def register(self, layer):
        """Layers are numbered in the order in which the network makes them."""
        self.layers.append(layer)
        return len(self.layers) - 1

    def gradient_scale(self):
        """The scale of a new layer."""
        return TrainedScale() if self.recipe.scale == "layer" else self._global_scale

    def stochastic_seed(self, layer, phase, call):
        """Another one for every rounding of a run; the same when the run is repeated."""
        mixed = self.seed
        for part in (self.step, layer, ("forward", "dx", "dw").index(phase), call):
            mixed = (mixed * 6364136223846793005 + part + 1442695040888963407) % (1 << 64)
            mixed ^= mixed >> 33
        return mixed % (1 << 63)

    def begin_step(self):
        self.gradients_finite = True
        for layer in self.layers:
            layer.begin_step()
        self.recording = self.recorder.wants(self.step)
        if self.recording:
            self.recorder.begin_step(self.step)

    def end_step(self, loss, finite):
        """After the optimiser: scales follow the gradients. `finite` says that the step was taken."""
        self.recorder.gradients([layer.statistics for layer in self.layers if layer.statistics.elements])
        for scale in self._scales():
            scale.update()
        if self.recording:
            self.recorder.end_step(self.step, loss)
            self.recording = False
        if not finite:
            self.loss_scale.back_off(self.step)
        self.step += 1

    def new_statistics(self, layer):
        return GradientStatistics(layer, self.step, loss_scale_log2=self.loss_scale.log2)

    def state_dict(self):
        return {"step": self.step, "loss_scale_log2": self.loss_scale.log2,
                "scales_log2": [scale.log2 for scale in self._scales()]}

    def load_state_dict(self, state):
        self.step = state["step"]
        self.loss_scale.log2 = state["loss_scale_log2"]
        for scale, log2 in zip(self._scales(), state["scales_log2"]):
            scale.log2 = log2

    def _scales(self):
        return list(dict.fromkeys(layer.scale for layer in self.layers))
