# SPDX-License-Identifier: MIT
"""The training loop. A run depends on its settings and seed alone: the order of data follows from seed and epoch,
what is random in a batch from seed and step, and the network's first weights from the seed."""

import dataclasses
import math
import time

import numpy
import torch
from torch.nn import functional

from training import checkpoint
from training.errors import Diverged
from training.progress import Progress
from training.session import Session
from training.tasks import accuracy_and_loss

_WARM_UP = 0.05  # of all steps: from 0 to the highest learning rate
_SMALLEST_ALPHA = 1e-3
_MOMENTUM = 0.9


@dataclasses.dataclass(frozen=True)
class Run:
    """`limit_steps`: end earlier, as if that were the last step (for tests and timing)."""

    task: object
    recipe: object
    seed: int = 1
    epochs: int = None
    batch: int = None
    long: bool = False
    limit_steps: int = None
    accumulator: str = "dlfloat16"
    chunk: int = 32

    def settings(self):
        """What a checkpoint must agree in."""
        return {"task": self.task.name, "recipe": self.recipe.name, "seed": self.seed, "epochs": self.all_epochs,
                "batch": self.batch_size, "long": self.long, "limit_steps": self.limit_steps,
                "accumulator": self.accumulator, "chunk": self.chunk}

    @property
    def all_epochs(self):
        return self.epochs or (self.task.long_epochs if self.long else self.task.epochs)

    @property
    def batch_size(self):
        return self.batch or self.task.batch

    @property
    def sizes(self):
        return self.task.long_sizes if self.long else self.task.sizes


class Training:
    """A network with its optimiser, step by step."""

    def __init__(self, run, data, recorder=None):
        self.run, self.data = run, data
        self.session = Session(run.recipe, run.seed, recorder, run.accumulator, run.chunk)
        torch.manual_seed(run.seed)
        self.model = run.task.build(self.session, data, **run.sizes)
        self.model.train()
        samples = run.task.samples or len(data.train[0])
        self.samples = min(samples, len(data.train[0]))
        self.steps_per_epoch = max(1, self.samples // run.batch_size)
        self.steps = min(run.limit_steps or math.inf, self.steps_per_epoch * run.all_epochs)
        self.optimizer = self._optimizer()
        self.skipped = 0
        self._order = None  # epoch and the order of its samples

    def _optimizer(self):
        """Clips of activations are not decayed, nor are biases and norms."""
        decayed, others, self._clips = [], [], []
        for name, parameter in self.model.named_parameters():
            clip = ".alphas." in name
            self._clips.extend([parameter] if clip else [])
            (others if clip or parameter.ndim < 2 else decayed).append(parameter)
        groups = [{"params": decayed, "weight_decay": self.run.task.weight_decay},
                  {"params": others, "weight_decay": 0}]
        if self.run.task.optimizer == "sgd":
            return torch.optim.SGD(groups, lr=self.run.task.rate, momentum=_MOMENTUM)
        return torch.optim.Adam(groups, lr=self.run.task.rate)

    def rate(self, step):
        warm_up = max(1, int(_WARM_UP * self.steps))
        if step < warm_up:
            return self.run.task.rate * (step + 1) / warm_up
        return self.run.task.rate * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, self.steps - warm_up)))

    def batch(self, step):
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            random = numpy.random.default_rng([self.run.seed, 0, epoch])
            self._order = epoch, random.permutation(len(self.data.train[0]))
        indices = self._order[1][place * self.run.batch_size:(place + 1) * self.run.batch_size]
        return self.data.draw(indices, numpy.random.default_rng([self.run.seed, 1, step]))

    def step(self):
        """One step; returns its loss. A step whose gradients are not finite is not taken."""
        session = self.session
        inputs, targets = self.batch(session.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(session.step)
        self.optimizer.zero_grad(set_to_none=True)
        session.begin_step()
        scores = self.model(inputs)
        loss = functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), targets.reshape(-1))
        if not math.isfinite(loss.item()):
            raise Diverged(f"step {session.step}: the loss is {loss.item()}")
        (loss * session.loss_scale.value).backward()
        finite = self._unscale() and session.gradients_finite
        if finite:
            if self.run.task.clip_norm:
                torch.nn.utils.clip_grad_norm_(self._weights(), self.run.task.clip_norm)
            self.optimizer.step()
            with torch.no_grad():
                for clip in self._clips:
                    clip.clamp_(min=_SMALLEST_ALPHA)
        else:
            self.skipped += 1
        session.end_step(loss.item(), finite)
        return loss.item()

    def _weights(self):
        clips = {id(clip) for clip in self._clips}
        return [parameter for parameter in self.model.parameters() if id(parameter) not in clips]

    def _unscale(self):
        """Takes the loss scale, a power of two, out of all gradients; whether they are finite."""
        factor, total = 1 / self.session.loss_scale.value, 0.0
        for parameter in self.model.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(factor)
                total += float(parameter.grad.abs().sum())
        return math.isfinite(total)

    def state_dict(self):
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                "session": self.session.state_dict(), "skipped": self.skipped}

    def load_state_dict(self, state):
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.session.load_state_dict(state["session"])
        self.skipped = state["skipped"]


def train(run, data, recorder=None, checkpoint_path=None, checkpoint_steps=100):
    """Runs to the end, from the checkpoint if there is one, and returns the result as train.py prints it."""
    training = Training(run, data, recorder)
    settings = run.settings()
    history, losses, seconds, cpu_seconds = [], [], 0.0, 0.0
    state = checkpoint.load(checkpoint_path, settings) if checkpoint_path else None
    if state:
        training.load_state_dict(state["training"])
        history, losses = state["history"], state["losses"]
        seconds, cpu_seconds = state["seconds"], state["cpu_seconds"]
    progress = Progress(f"{run.task.name} {run.recipe.name} seed {run.seed}", training.steps, training.session.step)
    diverged = None
    while training.session.step < training.steps and not diverged:
        began, cpu_began = time.perf_counter(), time.process_time()
        try:
            losses.append(training.step())
        except Diverged as error:
            diverged = str(error)
        seconds += time.perf_counter() - began
        cpu_seconds += time.process_time() - cpu_began
        done = training.session.step
        progress.step(done, losses[-1] if losses else math.nan)
        if losses and (done == training.steps or done % training.steps_per_epoch == 0) and not diverged:
            try:
                accuracy, test_loss = accuracy_and_loss(training.model, data.test)
                history.append({"epoch": len(history) + 1, "train_loss": sum(losses) / len(losses),
                                "test_loss": test_loss, "test_accuracy": accuracy})
            except Diverged as error:
                diverged = str(error)
            losses = []
        if checkpoint_path and not diverged and (done % checkpoint_steps == 0 or done == training.steps):
            checkpoint.save(checkpoint_path, {"run": settings, "training": training.state_dict(), "history": history,
                                              "losses": losses, "seconds": seconds, "cpu_seconds": cpu_seconds})
    progress.end()
    return {**settings, "domain": run.task.domain, "steps": training.session.step, "skipped_steps": training.skipped,
            "parameters": sum(p.numel() for p in training.model.parameters()), "epochs_done": history,
            "test_accuracy": history[-1]["test_accuracy"] if history else None,
            "test_loss": history[-1]["test_loss"] if history else None,
            "diverged": diverged, "training_seconds": seconds, "training_cpu_seconds": cpu_seconds}
