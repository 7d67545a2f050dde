# SPDX-License-Identifier: MIT
"""Records what PyTorch computes in training steps, for `nibblesim import`.

    from nibblesim_torch import record

    with record("step.trace"):
        loss = model(x)
        loss.backward()
        optimizer.step()

One file, to be copied beside a training script; needs torch 1.13 or newer and nothing else. What it writes is
described in traces/TORCH.md. Every operator is seen that PyTorch hands to a kernel: forward, backward and optimiser.
A model under torch.compile is not: record it uncompiled.
"""

import contextlib
import fnmatch
import gzip
import json
import math
import os
import shutil
import sys
import threading
import warnings
import weakref

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["record", "Recorder"]

# Which arguments of a call are operands of a matrix product or a convolution: those whose values can be saved.
_GEMM_OPERANDS = {
    "aten::mm": (0, 1),
    "aten::addmm": (1, 2),
    "aten::bmm": (0, 1),
    "aten::baddbmm": (1, 2),
    "aten::convolution": (0, 1),
    "aten::convolution_backward": (0, 1, 2),
}
_ALLOCATIONS = {"aten::empty", "aten::empty_like", "aten::empty_strided", "aten::new_empty", "aten::new_empty_strided",
                "aten::_local_scalar_dense"}
# A line of the dump is at most 1 MiB: calls on whole lists of tensors (_foreach_add_, _fused_adam_) are cut up.
_LIST_LENGTH = 64
_LONGEST_LINE = 1 << 20
# Torch 2 says by itself whether autograd's engine runs.
_graph_task = getattr(torch._C, "_current_graph_task_id", lambda: -1)


class _Storage:
    """What is known of one piece of memory. While the weak reference is held, PyTorch cannot give its address to
    another storage, so that storages are told apart without keeping any of them alive."""

    __slots__ = ("reference", "number", "files", "parameters", "readers", "owner")

    def __init__(self, storage):
        self.reference = StorageWeakRef(storage)
        self.number = 0  # given when it is written to the file for the first time
        self.files = {}  # with the values that it has now, by offset, shape and strides
        self.parameters = []  # (offset, end, name) of the parameters that lie in it
        self.readers = set()  # of a parameter: the modules whose forward pass read it
        self.owner = None  # of a gradient or an optimiser's state: the module of its parameter, "" if not known


class _Storages:
    def __init__(self):
        self._by_address = {}
        self._prune_at = 1024
        self.count = 0

    def of(self, tensor):
        """The tensor's storage; None for tensors that have none, such as those of MKL-DNN."""
        if tensor.layout == torch.sparse_coo:
            tensor = tensor._values()
        try:
            storage = tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage().untyped()
        except (RuntimeError, NotImplementedError):
            return None
        known = self._by_address.get(storage._cdata)
        if known is None:
            if len(self._by_address) >= self._prune_at:
                self._prune()
            known = self._by_address[storage._cdata] = _Storage(storage)
        return known

    def number(self, known):
        if known is None:
            return 0
        if known.number == 0:
            self.count += 1
            known.number = self.count
        return known.number

    def _prune(self):
        self._by_address = {key: one for key, one in self._by_address.items() if not one.reference.expired()}
        self._prune_at = max(1024, 2 * len(self._by_address))


class _Modules:
    """Which module is running, and what modules and parameters are called."""

    def __init__(self, model, storages, on_root):
        self._storages = storages
        self._on_root = on_root  # called when a module starts that no other module called
        self._paths = weakref.WeakKeyDictionary()
        self._roots = {}  # how many there are of each name
        self._parameters = {}  # weak references by name
        self.stack = []
        if model is not None:
            self._add_root(model)

    @property
    def path(self):
        return self._paths.get(self.stack[-1], "") if self.stack else None

    def gradients(self):
        """The storages of each parameter that has a gradient, and of the gradient."""
        for reference in self._parameters.values():
            parameter = reference()
            if parameter is not None and parameter.grad is not None:
                yield self._storages.of(parameter), self._storages.of(parameter.grad)

    def enter(self, module, _):
        if not self.stack:
            self._on_root()
        if module not in self._paths:
            if self.stack:
                parent = self.stack[-1]
                own = next((key for key, child in parent._modules.items() if child is module), type(module).__name__)
                self._paths[module] = ".".join(filter(None, (self._paths[parent], own)))
            else:
                self._add_root(module)
        self.stack.append(module)
        for key, parameter in module._parameters.items():
            self._add_parameter(".".join(filter(None, (self._paths[module], key))), parameter)

    def leave(self, module, *_):
        if module in self.stack:
            while self.stack.pop() is not module:  # those that were left by an exception
                pass

    def _add_root(self, module):
        """Names below the first module with parameters are as its own named_parameters() has them; a loss or a second
        network is called by its class."""
        prefix = ""
        if self._parameters or next(module.parameters(), None) is None:
            prefix = type(module).__name__
            self._roots[prefix] = self._roots.get(prefix, 0) + 1
            if self._roots[prefix] > 1:
                prefix += str(self._roots[prefix])
        for name, child in module.named_modules():
            self._paths.setdefault(child, ".".join(filter(None, (prefix, name))))
        for name, parameter in module.named_parameters():
            self._add_parameter(".".join(filter(None, (prefix, name))), parameter)

    def _add_parameter(self, name, parameter):
        if parameter is None or torch.nn.parameter.is_lazy(parameter):
            return
        storage = self._storages.of(parameter)
        if storage is None:
            return
        begin = parameter.storage_offset()
        end = begin + parameter.numel()
        if not any(one[:2] == (begin, end) for one in storage.parameters):  # shared weights keep their first name
            storage.parameters.append((begin, end, name))
            self._parameters[name] = weakref.ref(parameter)


def _parameter_name(storage, tensor):
    """Of the parameter that the tensor is, or is a part of."""
    if storage is None or not storage.parameters:
        return None
    offset = tensor.storage_offset() if tensor.layout == torch.strided else 0
    return next((name for begin, end, name in storage.parameters if begin <= offset < max(end, begin + 1)), None)


def _module_of_parameter(storage):
    """The module that works with it; if there are several (shared weights), the one that it is named after."""
    if len(storage.readers) == 1:
        return next(iter(storage.readers))
    return storage.parameters[0][2].rpartition(".")[0]


class _Engine:
    """Stands in for autograd's engine and says when it runs. Modules that run meanwhile repeat their forward pass; those
    that started it are none of theirs."""

    def __init__(self, engine, modules):
        self.engine = engine
        self._modules = modules
        self._runs = 0

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def run_backward(self, *args, **kwargs):
        self._runs += 1
        outside, self._modules.stack = self._modules.stack, []
        try:
            return self.engine.run_backward(*args, **kwargs)
        finally:
            self._runs -= 1
            self._modules.stack = outside

    def running(self):
        return self._runs > 0 or _graph_task() != -1


class _Values:
    """Saves operands beside the dump, once for each version of the memory that they lie in."""

    def __init__(self, directory, name, layers, steps, most_bytes):
        self._directory = directory
        self.name = name  # that the directory will have
        self._layers = layers
        self._steps = None if steps is None else frozenset(steps)
        self._left = most_bytes
        self.files = self.bytes = 0
        self.left_out = self.left_out_bytes = 0

    def wants(self, layer, step):
        return fnmatch.fnmatchcase(layer, self._layers) and (self._steps is None or step in self._steps)

    def save(self, tensor, storage):
        """The file's name, or None if there is no room left."""
        if storage is None or not tensor.is_floating_point():
            return None
        view = (tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride()))
        if view in storage.files:
            return storage.files[view]
        wide = tensor.dtype in (torch.float32, torch.float64)
        size = tensor.numel() * (tensor.element_size() if wide else 4)
        name = None
        if size > self._left:
            self.left_out += 1
            self.left_out_bytes += size
        else:
            import numpy  # needed for nothing else
            name = f"{self.files}.npy"
            data = tensor.detach() if wide else tensor.detach().float()
            numpy.save(os.path.join(self._directory, name), data.cpu().contiguous().numpy())
            self.files += 1
            self.bytes += size
            self._left -= size
        storage.files[view] = name
        return name

    def saved_text(self):
        return f"values of {self.files} operands saved ({self.bytes / 1e6:.1f} MB)"

    def left_out_text(self):
        return (f"values of {self.left_out} operands ({self.left_out_bytes / 1e6:.1f} MB) left out, as max_bytes is "
                f"reached: choose fewer layers or steps, or allow more bytes")


class _Mode(TorchDispatchMode):
    def __init__(self, recorder):
        super().__init__()
        self._recorder = recorder

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return self._recorder._call(func, args, kwargs or {})


def _unturned(matrix):
    """The matrix, or matrices, with the dimension last that lies side by side in memory: a linear layer's weight as
    it is, though the product reads its transpose. So the same values are saved once, and in the order of memory."""
    rows, columns = matrix.shape[-2:]
    down, across = matrix.stride()[-2:]
    return matrix.transpose(-2, -1) if rows > 1 and columns > 1 and down == 1 and across != 1 else matrix


def _results(value):
    """The tensors of a result in their places; None where one was not asked for."""
    if isinstance(value, (list, tuple)):
        return [one for part in value for one in _results(part)]
    return [value] if value is None or isinstance(value, torch.Tensor) else []


def _tensors_in(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _tensors_in(one)


class Recorder:
    """What `with record(...) as r` gives."""

    def __init__(self, file, header, model, values):
        self._file = file
        self._values = values
        self._storages = _Storages()
        self._modules = _Modules(model, self._storages, self._root_starts)
        self._engine = _Engine(torch.autograd.Variable._execution_engine, self._modules)
        self._in_optimizer = False
        self._optimizer_ran = False  # since the step began
        self._backward_ran = False  # since the step began
        self._gradients_known = True
        self._saving_module = None  # whose saved tensors autograd took out last
        self._own_steps = False
        self._lock = threading.RLock()  # autograd has a thread for each GPU
        self._step = 0
        self._calls_in_step = 0
        self.calls = 0  # written so far
        self.recomputed = 0  # of them, those of a forward pass that was repeated during the backward pass
        self._write({"nibblesim_torch": 1, "torch": torch.__version__.split("+")[0], **header})

    def step(self):
        """Ends a training step, unless nothing was recorded since the last one ended. Without it, a step ends where a
        module is called after an optimiser's step. If a step has several optimisers, or none, call it first of all in
        every iteration."""
        self._own_steps = True
        self._next_step()

    def summary(self):
        """What was recorded, in one line."""
        steps = self._steps()
        text = f"{self.calls} calls in {steps} training step{'s' if steps > 1 else ''}"
        return text if self._values is None else f"{text}; {self._values.saved_text()}"

    def _steps(self):
        return self._step + (1 if self._calls_in_step > 0 else 0)

    def _next_step(self):
        if self._calls_in_step > 0:
            self._step += 1
            self._calls_in_step = 0
        self._optimizer_ran = False
        self._backward_ran = False

    def _root_starts(self):
        if self._optimizer_ran and not self._own_steps and not self._engine.running():
            self._next_step()

    def _optimizer_starts(self, *_):
        self._in_optimizer = True

    def _optimizer_ends(self, *_):
        self._in_optimizer = False
        self._optimizer_ran = True

    def _pack(self, tensor):
        return tensor, self._modules.path

    def _unpack(self, packed):
        self._saving_module = packed[1]
        return packed[0]

    def _call(self, func, args, kwargs):
        schema = func._schema
        if schema.name.startswith("profiler::") or schema.name in _ALLOCATIONS or torch.Tag.inplace_view in func.tags:
            return func(*args, **kwargs)
        arguments, written = self._arguments(schema, args, kwargs)
        with self._lock:
            operands = [self._storages.of(tensor) for tensor in _tensors_in(arguments)]
            known = [one for one in operands if one is not None]
            phase = self._phase(known, written)
            layer = self._layer(phase, known)
            files = self._save_operands(schema.name, layer, arguments)
        result = func(*args, **kwargs)
        if schema.name == "aten::detach" and not isinstance(result, torch.Tensor):
            return args[0]  # torch 1.13 makes a number of a saved scalar, and then refuses it
        with self._lock:
            outputs = _results(result)
            tensors = list(_tensors_in(outputs))
            if not tensors:
                tensors = outputs = written
            moved = all(self._storages.of(tensor) in known for tensor in tensors)
            if not tensors or (moved and not written):
                return result  # a view, or nothing that is a tensor
            self._note_written(phase, layer, written, tensors)
            if phase == "backward" and self._modules.stack:
                self.recomputed += 1
            for call in self._pieces(schema.name, arguments, outputs):
                self._write_call(schema, phase, layer, call, files)
        return result

    @staticmethod
    def _arguments(schema, args, kwargs):
        """All arguments in the order of the schema, defaults included; and the tensors that are written in place."""
        arguments = []
        written = []
        for index, argument in enumerate(schema.arguments):
            if index < len(args):
                value = args[index]
            elif argument.name in kwargs:
                value = kwargs[argument.name]
            else:
                value = argument.default_value if argument.has_default_value() else None
            arguments.append(value)
            if argument.alias_info is not None and argument.alias_info.is_write:
                written.extend(_tensors_in(value))
        return arguments, written

    def _phase(self, operands, written):
        if self._engine.running():
            self._backward_ran = True
            self._gradients_known = False
            return "backward"
        self._saving_module = None
        if self._modules.stack:
            return "forward"
        if not self._gradients_known:
            self._learn_gradients()
        if self._in_optimizer:
            return "optimizer"
        # Between the modules: clipping, clearing and unscaling of gradients, and optimisers written by hand.
        if any(one.owner is not None for one in operands) or (self._backward_ran and not torch.is_grad_enabled()):
            return "optimizer"
        if any(one is not None and one.parameters for one in map(self._storages.of, written)):
            return "optimizer"
        return "forward"

    def _learn_gradients(self):
        for parameter, gradient in self._modules.gradients():
            if parameter is not None and gradient is not None:
                gradient.owner = _module_of_parameter(parameter)
        self._gradients_known = True

    def _layer(self, phase, operands):
        parameters = [one for one in operands if one.parameters]
        if self._modules.stack:
            layer = self._modules.path
            if phase == "forward":
                for one in parameters:
                    one.readers.add(layer)
            return layer
        if phase == "forward":
            return ""
        owners = {_module_of_parameter(one) for one in parameters}
        if phase == "backward":
            # A node takes its saved tensors out before it computes. If it has none, or somebody else's hooks took them,
            # the parameter that is read tells more.
            if not any(self._saving_module in one.readers for one in parameters) and len(owners) == 1:
                return owners.pop()
            return self._saving_module or ""
        owners |= {one.owner for one in operands if one.owner}
        return owners.pop() if len(owners) == 1 else ""

    def _save_operands(self, op, layer, arguments):
        files = {}
        if self._values is not None and op in _GEMM_OPERANDS and self._values.wants(layer, self._step):
            for index in _GEMM_OPERANDS[op]:
                tensor = arguments[index]
                as_it_lies = tensor if op.startswith("aten::convolution") else _unturned(tensor)
                name = self._values.save(as_it_lies, self._storages.of(tensor))
                if name is not None:
                    files[id(tensor)] = name
        return files

    def _note_written(self, phase, layer, written, outputs):
        for storage in filter(None, map(self._storages.of, written)):
            storage.files.clear()
        if phase == "optimizer":
            for storage in filter(None, map(self._storages.of, outputs)):
                if not storage.parameters and not storage.owner:  # a new or a yet unknown part of the state
                    storage.owner = layer

    @staticmethod
    def _pieces(op, arguments, outputs):
        """The call, or calls on parts of its lists of tensors that do the same work."""
        lists = [one for one in arguments if isinstance(one, (list, tuple)) and one and all(
            isinstance(item, torch.Tensor) for item in one)]
        listed = op.partition("::")[2].startswith(("_foreach_", "_fused_", "_amp_foreach_")) and lists
        length = len(lists[0]) if listed else 0
        if length <= _LIST_LENGTH:
            return [(arguments, outputs)]
        shares = max(1, len(outputs) // length)  # lists that are returned or written
        pieces = []
        for begin in range(0, length, _LIST_LENGTH):
            piece = slice(begin, begin + _LIST_LENGTH)
            part = [one[piece] if isinstance(one, (list, tuple)) and len(one) == length else one for one in arguments]
            pieces.append((part, [one for k in range(shares) for one in outputs[k * length:(k + 1) * length][piece]]))
        return pieces

    def _write_call(self, schema, phase, layer, call, files):
        arguments, outputs = call
        self._write({"call": self.calls, "op": schema.name, "overload": schema.overload_name, "phase": phase,
                     "step": self._step, "module": layer, "in": [self._json(one, files) for one in arguments],
                     "out": [self._json(one, {}) for one in outputs]})
        self.calls += 1
        self._calls_in_step += 1

    def _json(self, value, files):
        if isinstance(value, torch.Tensor):
            return self._tensor_json(value, files)
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, (list, tuple)):
            return [self._json(one, files) for one in value]
        if isinstance(value, int):
            return value if -2**63 <= value < 2**63 else str(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        return str(value)[len("torch."):] if str(value).startswith("torch.") else str(value)

    def _tensor_json(self, tensor, files):
        storage = self._storages.of(tensor)
        strided = tensor.layout == torch.strided and storage is not None
        result = {"storage": self._storages.number(storage), "offset": tensor.storage_offset() if strided else 0,
                  "shape": list(tensor.shape), "strides": list(tensor.stride()) if strided else None,
                  "dtype": str(tensor.dtype)[len("torch."):]}
        name = _parameter_name(storage, tensor)
        if name is not None:
            result["name"] = name
        if id(tensor) in files:
            result["values"] = f"{self._values.name}/{files[id(tensor)]}"
        return result

    def _write(self, line):
        text = json.dumps(line, separators=(",", ":"), allow_nan=False)
        if len(text) > _LONGEST_LINE:
            raise RuntimeError(f"nibblesim_torch: a call of {line.get('op')} has too many tensors for one line")
        self._file.write(text + "\n")

    def _finish(self):
        if self.calls == 0:
            raise RuntimeError("nibblesim_torch: nothing was recorded: no operator of PyTorch ran in the block")
        self._write({"end": {"calls": self.calls, "steps": self._steps(),
                             "storages": self._storages.count, "recomputed": self.recomputed,
                             "values_left_out": self._values.left_out if self._values is not None else 0}})


@contextlib.contextmanager
def _optimizer_hooks(recorder):
    """Tells the recorder when an optimiser's step begins and ends."""
    module = sys.modules[torch.optim.Optimizer.__module__]
    if hasattr(module, "register_optimizer_step_pre_hook"):
        handles = [module.register_optimizer_step_pre_hook(recorder._optimizer_starts),
                   module.register_optimizer_step_post_hook(recorder._optimizer_ends)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
        return
    # Torch 1 has no such hooks, but optimisers name their methods to the profiler.
    original = torch.autograd.profiler.record_function

    @contextlib.contextmanager
    def optimizer_method(name):
        recorder._optimizer_starts()
        try:
            yield
        finally:
            recorder._in_optimizer = False
            recorder._optimizer_ran |= name.startswith("Optimizer.step#")

    def record_function(name, *args):
        return optimizer_method(name) if name.startswith("Optimizer.") else original(name, *args)

    torch.autograd.profiler.record_function = record_function
    try:
        yield
    finally:
        torch.autograd.profiler.record_function = original


@contextlib.contextmanager
def _hooks(recorder):
    modules = recorder._modules
    handles = [register_module_forward_pre_hook(modules.enter), register_module_forward_hook(modules.leave)]
    torch.autograd.Variable._execution_engine = recorder._engine
    try:
        with _optimizer_hooks(recorder), torch.autograd.graph.saved_tensors_hooks(recorder._pack, recorder._unpack):
            with _Mode(recorder):
                yield
    finally:
        torch.autograd.Variable._execution_engine = recorder._engine.engine
        for handle in handles:
            handle.remove()


def _check_replaceable(directory):
    """Refuses to replace a folder that holds anything but values."""
    if os.path.isdir(directory):
        others = [name for name in os.listdir(directory) if not name.endswith(".npy")]
        if others:
            raise FileExistsError(f"{directory}: is to be replaced, but holds {others[0]}, which is no file of values")


_recording = threading.Lock()


@contextlib.contextmanager
def record(path, model=None, name=None, batch=None, values=False, layers="*", steps=None, max_bytes=1 << 30):
    """Records every operator that runs in the block to the file `path` (compressed if it ends in .gz).

    model      whose parameters and modules give the names; without it, they are found when modules run
    name       of the network; default: the model's class, or the file's name
    batch      samples in a step, if the size of the inputs does not say it
    values     save the operands of matrix products and convolutions beside the file, in `path`.values:
    layers       of the modules whose path matches this pattern ("layer1.*"),
    steps        in these training steps, counted from 0 (all),
    max_bytes    at most this many bytes altogether; a warning says what was left out.

    The file appears when the block has ended; if the block raises, nothing is left behind."""
    path = os.fspath(path)
    if name is None:
        name = type(model).__name__ if model is not None else os.path.basename(path).split(".")[0]
    if not _recording.acquire(blocking=False):
        raise RuntimeError("nibblesim_torch: another recording is under way")
    header = {"name": name} if batch is None else {"name": name, "batch": batch}
    partial = f"{path}.{os.getpid()}.partial"
    saved = None
    try:
        if values:
            _check_replaceable(f"{path}.values")
            os.mkdir(f"{partial}.values")
            saved = _Values(f"{partial}.values", f"{os.path.basename(path)}.values", layers, steps, max_bytes)
        with (gzip.open if path.endswith(".gz") else open)(partial, "wt", encoding="utf-8", newline="\n") as file:
            recorder = Recorder(file, header, model, saved)
            with _hooks(recorder):
                yield recorder
            recorder._finish()
        if saved is not None:
            shutil.rmtree(f"{path}.values", ignore_errors=True)
            os.rename(f"{partial}.values", f"{path}.values")
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)
        shutil.rmtree(f"{partial}.values", ignore_errors=True)
        raise
    finally:
        _recording.release()
    if saved is not None and saved.left_out:
        warnings.warn(f"nibblesim_torch: {saved.saved_text()}; {saved.left_out_text()}", stacklevel=3)
