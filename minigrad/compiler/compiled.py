"""`mg.compile(function)`: the same function, traced twice and then replayed.

Read next: `minigrad/pages/` (what every page shares).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from minigrad.compiler.drawn_numbers import Drawn
from minigrad.compiler.guard import (
    Arguments,
    built,
    changed,
    differences,
)
from minigrad.compiler.program import Program
from minigrad.compiler.pullback import attached, pulled_through
from minigrad.compiler.surroundings import Settings, Surroundings
from minigrad.compiler.trace import Trace, tracing
from minigrad.engine.calls import called, checked_call, checked_methods
from minigrad.engine.errors import ArgumentError, CompileError, GraphError, warn
from minigrad.engine.graph import Edge, Leaf
from minigrad.engine.kernels import jit
from minigrad.engine.known_names import KnownNames, no_such
from minigrad.engine.quiet import uncollected
from minigrad.engine.recorder import thread
from minigrad.engine.tensor import Tensor

MANY = 8  # kinds of calls, after which a word is said
MOST = 64  # kinds that are kept: each has memory of its own


class Variant:
    """One kind of calls: its program, and whether a second trace has confirmed it.

    optimized  the program after all passes; None where there is no numba, or where
    trouble    says, in words, why the passes failed: then it is replayed as it is,
               which is right and slower, and a warning says so
    """

    def __init__(self, program: Program, name: str) -> None:
        self.program = program
        self.confirmed = False
        self.optimized: Any = None
        self.trouble: str | None = None
        if jit.enabled and jit.numba_works():
            from minigrad.compiler.optimized import Optimized

            try:
                with uncollected():
                    self.optimized = Optimized(program)
            except Exception as error:
                self.trouble = str(error)
                _warn_of_trouble(name, self.trouble)

    def confirm(self) -> None:
        """Take the program to be what every call does."""
        self.confirmed = True
        if self.optimized is not None:
            self.program.let_go()

    def run(self, start: dict[int, Any]) -> dict[int, Any]:
        """The values of a call, from those that it starts from."""
        if self.optimized is None:
            return self.program.run(start)
        return self.optimized.run(start)


@checked_methods
class Compiled(KnownNames):
    """The function, with the operations of its first calls replayed in later ones.

    fn        the function
    variants  what has been traced, by the key of the calls
    replays   calls that were replayed
    many      kinds of calls, after which a word is said
    """

    many = MANY

    def __init__(self, fn: Callable[..., Any]) -> None:
        if not callable(fn):
            raise ArgumentError(
                f"compile({fn!r:.40}): nothing that can be called",
                expect="a function of tensors",
                actual=type(fn).__name__,
                hint="step = mg.compile(step), or @mg.compile above `def step(x, y):`",
            )
        self.fn = fn
        self.variants: dict[Any, list[Variant]] = {}
        self._lock = threading.RLock()
        self._around: dict[tuple[int, ...], Surroundings] = {}
        self._warned = False
        self._pulled: Compiled | None = None
        self.replays = 0
        functools.update_wrapper(self, fn, updated=())

    @property
    def kinds(self) -> int:
        """How many kinds of calls have been traced."""
        return sum(map(len, self.variants.values()))

    @property
    def name(self) -> str:
        """What the function is called."""
        return getattr(self.fn, "__qualname__", type(self.fn).__name__)

    def __getattr__(self, name: str) -> Any:
        fn = vars(self).get("fn")
        instead = {name: f"....fn.{name}"} if hasattr(fn, name) else {}
        raise no_such(self, name, instead)

    def __repr__(self) -> str:
        return f"<compiled {self.name}: {self.kinds} traced, {self.replays} replays>"

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        recorder = thread.recorder
        if recorder.trace is not None or recorder.anomaly:
            return called(self.fn, inputs, options)  # part of another trace; or watched
        with self._lock:
            arguments = Arguments(inputs, options)
            surroundings = self._surroundings(arguments.things)
            around = surroundings.key(), recorder.recording
            key = around, arguments.key(surroundings.tensors)
            for variant in self.variants.get(key, ()):
                tensors = variant.program.tensors(arguments.given)
                if variant.program.holds(tensors):
                    break
            else:
                if self.kinds >= MOST:
                    return called(self.fn, inputs, options)
                return self._trace(key, arguments, None)
            if not variant.confirmed:
                return self._trace(key, arguments, variant)
            if variant.optimized is not None and not jit.enabled:
                return self.fn(*inputs, **options)  # kernels were turned off since
            return self._replay(variant, arguments, tensors)

    def _surroundings(self, things: list[Any]) -> Surroundings:
        """What the function finds around it, and in the objects that it is given."""
        key = tuple(map(id, things))
        found = self._around.get(key)
        if found is None:
            found = self._around[key] = Surroundings(self.fn, *things)
        return found

    def _trace(self, key: Any, arguments: Arguments, first: Variant | None) -> Any:
        """Run the function itself, and write down what it does."""
        around = self._surroundings(arguments.things)
        drawn = None if first is None else Drawn(self.name, around.moving)
        trace = Trace(drawn)
        settings = Settings(around.optimisers)
        with tracing(trace):
            given = [_stand_in(trace, k, x) for k, x in enumerate(arguments.given)]
            inputs, options = built(arguments.structure, given)
            returned = called(self.fn, inputs, options)
            trace.complete()
            settings.unchanged()
            _nothing_lost(given, arguments.given)
            program = Program(trace, returned)
            if first is not None:
                what = differences(first.program, program)
                if what is not None:
                    raise changed(self.name, what)
        tensors = program.tensors(arguments.given)
        attach = self._attach(program, arguments, tensors)
        returned = _plain_results(program, returned, attach)  # the graph is gone
        if first is None:
            self.variants.setdefault(key, []).append(Variant(program, self.name))
            self._say_if_many(key)
        else:
            first.confirm()
        return returned

    def _attach(
        self, program: Program, arguments: Arguments, tensors: list[Any]
    ) -> Any:
        """What gives the results a graph, where they need one."""
        if not (program.needing and thread.recorder.recording):
            return list
        if self._pulled is None:
            self._pulled = Compiled(pulled_through(self.fn))
        return functools.partial(attached, self._pulled, program, arguments, tensors)

    def _replay(
        self, variant: Variant, arguments: Arguments, tensors: list[Any]
    ) -> Any:
        program = variant.program
        kept = program.keep()
        try:
            start = program.starting(arguments.given, tensors)
            others = list(start.values())
            env = variant.run(start)
            attach = self._attach(program, arguments, tensors)
            returned = program.finish(env, tensors, attach, others)
        except BaseException:
            program.undo(kept)
            raise
        self.replays += 1
        return returned

    def explain(self) -> Any:
        """What the passes made of each kind of calls: print it.

        A list of `Report`s, with their counts: recorded operations, values after each
        pass, kernels and distinct kernels, products and their flops, bytes.
        """
        from minigrad.compiler.report import Explained, Report

        with self._lock:
            return Explained(
                Report(_shapes(key), v.program, v.optimized, v.trouble)
                for key, variants in self.variants.items()
                for v in variants
            )

    def plan_as_dot(self) -> str:
        """The plan of the last kind of calls in Graphviz's language, for `mg.draw`.

        GraphError if there is none: nothing has been called, or there is no numba.
        """
        found = [v for each in self.variants.values() for v in each if v.optimized]
        if not found:
            raise GraphError(
                f"draw: {self.name} has no plan yet",
                expect="a compiled function that has been called, and numba",
                actual=repr(self),
                hint="call it once with arguments as it will get them",
            )
        text: str = found[-1].optimized.picture
        return text

    def _say_if_many(self, key: Any) -> None:
        count = self.kinds
        if count < self.many or self._warned:
            return
        self._warned = True
        actual = f"shapes now: {[part[0] for part in key[1][1]]!r:.100}"
        hint = (
            "pad sequences to a few lengths, leave the last short batch out, and pass "
            "numbers that change as tensors: each kind is traced twice"
        )
        if len({call for _, call in self.variants}) == 1:
            actual = "equal arguments; what the function finds around it was another"
            hint = (
                "does it set a variable or an attribute in each call, or append to a "
                "list? Return what is to be kept; a state that is carried on can be an "
                "argument, or a tensor: start.data = h.data"
            )
        warn(
            f"compile: {self.name} has been traced for {count} kinds of calls",
            expect="few shapes, and few Python values among the arguments",
            actual=actual,
            hint=hint,
        )


@checked_call
def compile(fn: Callable[..., Any]) -> Compiled:
    """The same function of tensors, faster: traced in its first calls, then replayed.

        step = mg.compile(step)           # or @mg.compile above `def step(x, y):`

    fn  forward alone, or a whole training step: zero_grad, loss, backward, clipping,
        the optimiser's step. Results, gradients, the optimiser's state and dropout
        masks are those of the function itself within rounding; parameters that were
        changed in between are seen.

    A trace holds for calls with the same shapes, dtypes and Python values; another kind
    of call is traced anew, twice: if the second trace differs, it is an error. Arrays
    among the arguments arrive as tensors. After 64 kinds of calls new ones are not
    traced: the function itself runs; so it does under `detect_anomaly`. `backward` of
    a result outside works, once and at the price of a second forward pass, unless the
    function draws random numbers or changes something: call it within.
    Errors:  CompileError, naming the line, for what no replay can repeat: a branch on a
             tensor's numbers, `.item()`, a NumPy function that is not recorded. After
             an error parameters, gradients and states are as they were before.
    """
    return Compiled(fn)


@functools.cache  # once for each function and trouble
def _warn_of_trouble(name: str, trouble: str) -> None:
    warn(
        f"compile: {name} could not be made faster, and is replayed one by one",
        expect="passes and kernels that take any program",
        actual=trouble[:300],
        hint="results are right. Please report it; mg.compile can be left out",
    )


def _shapes(key: Any) -> str:
    """The arguments of a kind of calls, in words."""
    parts = [f"{part[1].name} {part[0]}" for part in key[1][1]]
    return ", ".join(parts) or "no arrays"


def _stand_in(trace: Trace, number: int, x: Any) -> Any:
    """What the function gets in the place of an argument, known to the trace."""
    if isinstance(x, Tensor):
        edge = x._edge
        if type(edge.source) is Leaf:
            trace.argument(number, edge.array, x)
            return x
        inner = Tensor.of(Edge(None, 0, edge.array, False))
        inner._edge = Edge(Leaf(inner, x.name), 0, edge.array, edge.requires_grad)
    else:
        inner = Tensor(x)
    trace.argument(number, inner._edge.array)
    return inner


def _nothing_lost(given: list[Any], originals: list[Any]) -> None:
    """Raise if a gradient came to an argument that was itself computed."""
    for inner, x in zip(given, originals, strict=True):
        if inner is not x and inner._grad is not None:
            raise CompileError(
                "compile: the gradient of an argument would have to go on outside",
                expect="arguments that are leaves, or need no gradient",
                actual=f"an argument of shape {inner.shape} that was computed",
                hint="compute it within the compiled function, or hand in x.detach()",
            )


def _plain_results(program: Program, returned: Any, attach: Any) -> Any:
    """What the traced call returned, as a replay gives it."""
    found: list[Any] = []
    todo = [returned]
    while todo:
        part = todo.pop(0)
        if isinstance(part, Tensor):
            found.append(part)
        elif isinstance(part, list | tuple):
            todo = [*part, *todo]
        elif isinstance(part, dict):
            todo = [*part.values(), *todo]
    handed = [
        x._edge.array.item()
        if k in program.numbers
        else Tensor.of(Edge(None, 0, x._edge.array, False))
        for k, x in zip(program.results, found, strict=True)
    ]
    return built(program.structure, attach(handed))
