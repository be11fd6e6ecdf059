"""What all optimisers share: the step over all parameters, saving and loading.

Read next: `settings.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import ArgumentError, CheckpointError, flag, warn
from minigrad.engine.kernels import jit
from minigrad.engine.known_names import KnownNames, expect_settable, no_such
from minigrad.engine.quiet import quietly
from minigrad.engine.recorder import thread
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.nn.optim.settings import OPTIMIZER, setting
from minigrad.nn.optim.update_kernel import Kernel, update_kernel, usable
from minigrad.nn.optim.update_together import Together
from minigrad.nn.parameters import gradient, parameter_list, rebind

# Entries that are updated together: few enough that what a formula makes on the way
# stays in the cache, so many that the calls do not count.
BLOCK = 32768


@checked_methods
class Optimizer(KnownNames):
    """What all optimisers share: parameters, their state, saving and loading.

    A subclass gives `update`, or `numbers` and `formula`. `slots` names the arrays that
    it keeps for each parameter; they start as zeros.

    parameters  the tensors that are changed
    lr          the learning rate: the size of a step; may be set at any time
    state       per parameter {"step": how many so far, slot: array of p's shape}
    """

    slots: tuple[str, ...] = ()
    _foreign = OPTIMIZER

    def __init__(self, parameters: Iterable[Tensor], lr: float, **settings: Any):
        self.parameters = parameter_list(type(self).__name__, parameters)
        if not self.parameters:
            raise ArgumentError(
                f"{type(self).__name__}(parameters): there are none",
                expect="at least one parameter",
                actual="an empty iterable",
                hint="pass model.parameters(); a generator can be read only once",
            )
        self.lr = lr
        self.settings = ("lr", *settings)
        for name, value in settings.items():
            setattr(self, name, value)
        self.slots = self.kept_with(settings)
        self.state: list[dict[str, Any]] = [{} for _ in self.parameters]
        self._kernels: dict[tuple[Any, ...], Kernel] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars(self)
        if name in own.get("settings", ()) and name != "lr":
            value = self.checked(name, value)
            if "_kernels" in own:
                self._expect_same_slots({name: value})
        elif hasattr(type(self), name):
            expect_settable(self, name, value)
        elif name[:1] != "_" and "_kernels" in own and name not in own:
            if type(self).__module__.startswith("minigrad."):  # others note anything
                raise no_such(self, name, OPTIMIZER)
        super().__setattr__(name, value)

    def checked(self, name: str, value: Any) -> Any:
        """A setting's value as it is kept. ArgumentError if it is out of range."""
        if isinstance(vars(self).get(name, value), bool):
            return flag(name, value)
        return setting(type(self).__name__, name, value)

    def kept_with(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The slots that an optimiser with these settings has."""
        return self.slots

    def _expect_same_slots(self, new: dict[str, Any]) -> None:
        """Raise ArgumentError if settings need other arrays than have been kept."""
        settings = {name: getattr(self, name) for name in self.settings}
        if set(self.kept_with(settings | new)) != set(self.kept_with(settings)):
            name, value = next((k, v) for k, v in new.items() if v != settings[k])
            raise ArgumentError(
                f"{type(self).__name__}.{name} = {value!r}: another state would be "
                "kept for each parameter",
                expect=f"{name} as it was when the optimiser was made, zero or not",
                actual=f"{name} was {settings[name]!r}",
                hint=f"make another: {type(self).__name__}(parameters, "
                f"{name}={value!r})",
            )

    @property
    def lr(self) -> float:
        """The learning rate; ArgumentError if it is set to a negative number or NaN."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._lr = setting(type(self).__name__, "lr", value)

    @checked_call
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: they are None, as before the first backward; or zeros.

        set_to_none  False: zeros, which move parameters by momentum and weight decay
        """
        for p in self.parameters:
            p.grad = None if set_to_none else np.zeros(p.shape, p.dtype)

    @checked_call
    def step(self) -> None:
        """Move every parameter that has a gradient. A warning if none of them has."""
        if all(p._grad is None for p in self.parameters):
            warn(
                f"{type(self).__name__}.step(): no parameter has a gradient, and none "
                "was changed",
                expect="loss.backward() before it, of a loss of these parameters",
                actual=f"{len(self.parameters)} parameters, all with grad None",
                hint="made for another model's parameters? zero_grad() after backward? "
                "a loss computed within no_grad(), or of .detach()?",
            )
        moving = [k for k, p in enumerate(self.parameters) if p.grad is not None]
        with quietly():
            if thread.recorder.trace is not None:
                self._step_of_a_trace(moving)
                return
            for k in moving:
                p = self.parameters[k]
                rebind(p, self._moved(k, p._edge.array, gradient(p)))

    def _step_of_a_trace(self, moving: list[int]) -> None:
        """The step as one function, which replays call again."""
        if not moving:
            return
        owners = [self.parameters[k] for k in moving]
        own = type(self).update is not Optimizer.update
        by_numpy = own or not (jit.enabled and jit.numba_works())
        update = Together(self, moving, by_numpy)
        made = outside(update, *owners, *[gradient(p) for p in owners], kept=self)
        for p, new in zip(owners, made, strict=True):
            rebind(p, new)

    def begun(self, p: ndarray) -> dict[str, Any]:
        """The state of a parameter before its first step."""
        zeros = {slot: np.zeros(p.shape, p.dtype) for slot in self.slots}
        return {"step": 0, **zeros}

    def _moved(self, number: int, p: ndarray, g: ndarray) -> ndarray:
        """The new values of a parameter; its state is brought up to date."""
        state = self.state[number]
        if not state:
            state.update(self.begun(p))
        state["step"] += 1
        if usable(p) and type(self).update is Optimizer.update:
            return self._in_one_pass(p, g, state)
        return self.by_numpy(p, g, state)

    def _in_one_pass(self, p: ndarray, g: ndarray, state: dict[str, Any]) -> ndarray:
        """The new values by a kernel, which is made for the formula as it stands."""
        step = min(state["step"], 2)  # a formula may have a first step of its own
        numbers = self.numbers(state["step"])
        switches = [bool(getattr(self, name)) for name in self.settings]
        key = p.dtype.char, step, *switches
        kernel = self._kernels.get(key)
        if kernel is None:
            kernel = self._kernels[key] = update_kernel(
                lambda p, g, kept, given: self.formula(p, g, kept, given, step),
                len(self.slots),
                len(numbers),
                p.dtype.char,
            )
        kept = [state[slot] for slot in self.slots]
        p, g = np.ascontiguousarray(p), np.ascontiguousarray(g)
        return kernel(p, g, kept, numbers)

    def by_numpy(self, p: ndarray, g: ndarray, state: dict[str, Any]) -> ndarray:
        """The new values as `update` says, some entries at a time; the arrays of the
        state are written to, its "step" is that of this step."""
        new = np.empty(p.shape, p.dtype)
        flat_p, flat_g, flat_new = p.reshape(-1), g.reshape(-1), new.reshape(-1)
        kept = [state[slot].reshape(-1) for slot in self.slots]
        for start in range(0, p.size, BLOCK):
            block = slice(start, start + BLOCK)
            flat_new[block] = self.update(
                flat_p[block], flat_g[block], [a[block] for a in kept], state["step"]
            )
        return new

    def update(self, p: ndarray, g: ndarray, kept: list[ndarray], step: int) -> ndarray:
        """The new values of some entries of a parameter.

        p, g   (n,) the entries and their gradients, not to be written to
        kept   the same entries of each slot, to be brought up to date in place
        step   which step this is for the parameter: 1 is the first
        """
        new, *after = self.formula(p, g, kept, self.numbers(step), step)
        for array, values in zip(kept, after, strict=True):
            array[:] = values
        return new

    def numbers(self, step: int) -> tuple[float, ...]:
        """What the formula takes beside arrays: the settings, as they are at a step."""
        return (self.lr,)

    def formula(self, p: Any, g: Any, kept: Any, numbers: Any, step: int) -> Any:
        """The new p, then what is kept: ordinary arithmetic, without a loop.

        It is computed with NumPy on blocks of entries, or becomes a kernel that does
        everything in one pass: so numbers come from `numbers`, and roots and maxima
        from `engine/kernels/intrinsics.py`.
        """
        raise ArgumentError(
            f"{type(self).__name__} has no update",
            expect="a method update(self, p, g, kept, step)",
            actual="none is defined",
            hint="return p - self.lr * g, for a start",
        )

    # --------------------------------------------------------- saving and loading

    def state_dict(self) -> dict[str, ndarray]:
        """All that a resumed run needs: copies of arrays by name, fit for `mg.save`.

        "lr" and the other settings; "0.step", "0.mean", ... for parameter number 0.
        """
        found = {name: np.array(getattr(self, name)) for name in self.settings}
        for number, state in enumerate(self.state):
            for name, value in state.items():
                found[f"{number}.{name}"] = np.array(value)
        return found

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a `state_dict`, all of it or none.

        Raises CheckpointError, before anything is changed, if it is of another kind of
        optimiser, or of parameters with other shapes.
        """
        if not isinstance(state, Mapping):
            raise _not_loaded(self, "the state", "a dict of arrays", state)
        expected = {name: np.shape(getattr(self, name)) for name in self.settings}
        for number, p in enumerate(self.parameters):
            if f"{number}.step" in state:
                expected[f"{number}.step"] = ()
                expected |= {f"{number}.{slot}": p.shape for slot in self.slots}
        actual = {name: np.shape(value) for name, value in state.items()}
        for name in [*expected, *actual]:
            if expected.get(name) != actual.get(name):
                raise CheckpointError(
                    f"{type(self).__name__}.load_state_dict: {name!r} does not fit",
                    expect=f"shape {expected[name]}" if name in expected else "no such",
                    actual=f"shape {actual[name]}" if name in actual else "missing",
                    hint="make the same optimiser, with the same settings, of the same "
                    "parameters, and load into that",
                )
        arrays = {name: np.asarray(value) for name, value in state.items()}
        for name, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise _not_loaded(self, repr(name), "numbers", state[name])
            if name.endswith(".step") and (array.dtype.kind not in "iu" or array < 0):
                raise _not_loaded(self, repr(name), "a count of steps", state[name])
            if name in self.settings and not np.isfinite(array).all():
                raise _not_loaded(self, repr(name), "finite numbers", state[name])
        try:
            values = {
                name: self.checked(name, arrays[name].tolist())
                for name in self.settings
            }
            self._expect_same_slots(values)
        except ArgumentError as error:
            raise CheckpointError(
                f"{type(self).__name__}.load_state_dict: {error.what}",
                expect=error.expect,
                actual=f"{error.actual}; nothing was loaded",
                hint="make the same optimiser, with the same settings",
            ) from None
        loaded: list[dict[str, Any]] = [{} for _ in self.parameters]
        for number, p in enumerate(self.parameters):
            if f"{number}.step" in arrays:
                loaded[number]["step"] = int(arrays[f"{number}.step"])
                for slot in self.slots:
                    array = arrays[f"{number}.{slot}"]
                    loaded[number][slot] = np.array(array, p.dtype, order="C")
        for name, value in values.items():
            setattr(self, name, value)
        self.state = loaded


def _not_loaded(
    owner: Optimizer, what: str, wanted: str, found: Any
) -> CheckpointError:
    """The error for a part of a state that is no such thing."""
    return CheckpointError(
        f"{type(owner).__name__}.load_state_dict: {what} is not {wanted}",
        expect=wanted,
        actual=f"{found!r:.60} ({type(found).__name__}); nothing was loaded",
        hint="optimizer.state_dict() makes such a state, and mg.save keeps it",
    )
