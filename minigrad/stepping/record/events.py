"""The data classes of a recording: events, operations and values.

    forward       an operation made its outputs
    incoming      backward arrives at an operation: dL/d(output) is complete
    contribution  its rule gave something to one of its inputs: "+=" there
    stacked       several contributions to a weight, summed by the engine in one product
    carried       what uses that are left out had contributed: the sum so far
    gradient      the gradient of one of the user's tensors is complete

All is plain data, the same whether it was just recorded or read from a file. Numbers
refer to the tables of `Steps`: `operations`, `values`, and `events` itself.

Read next: `graph_tables.py` (operations and values).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from minigrad.engine.quiet import quietly
from minigrad.reading.levels import innermost
from minigrad.reading.names import Symbol
from minigrad.reading.norms import euclidean

LARGEST = 65_536  # entries of an array that is kept whole, unless others are asked for
SAMPLE = 64  # entries of an array that is too large to be kept


@dataclass(frozen=True)
class Facts:
    """An array in a few numbers; minimum, maximum and mean are of the finite entries,
    the norm is the L2 norm (NaN or infinite if an entry is)."""

    minimum: float
    maximum: float
    mean: float
    norm: float
    nans: int
    infinities: int


@dataclass(frozen=True, eq=False)
class Array:
    """An array as it was then, or, where it is too large, what is kept of it.

    shape, dtype  as NumPy has them ("float64")
    array         the entries, read-only; None if it is too large to be kept
    sample        the flat array's entries at even distances; of a kept array: all
    facts         minimum, maximum, mean, norm, how many are not finite
    """

    shape: tuple[int, ...]
    dtype: str
    array: np.ndarray | None
    _kept: tuple[np.ndarray, Facts] | None = None

    @classmethod
    def of(cls, array: np.ndarray, largest: int) -> Array:
        """Keep an array of at most `largest` entries, or a sample of it."""
        array = np.asarray(array)
        kept = None
        if array.size > largest:
            kept = sample_of(array), facts_of(array)
        elif array.flags.writeable:
            array = array.view()
            array.setflags(write=False)
        whole = None if kept else array
        return cls(array.shape, array.dtype.name, whole, kept)

    @property
    def size(self) -> int:
        """How many entries there are (not: are kept)."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def sample(self) -> np.ndarray:
        """Entries of the flat array at even distances; all where all are kept."""
        return self._kept[0] if self._kept else self.array.reshape(-1)  # type: ignore

    @cached_property
    def facts(self) -> Facts:
        """The array in a few numbers."""
        return self._kept[1] if self._kept else facts_of(self.array)  # type: ignore


def sample_of(array: np.ndarray) -> np.ndarray:
    """At most SAMPLE entries of the flat array, at even distances, the first among
    them."""
    places = np.arange(SAMPLE) * array.size // SAMPLE
    sample = array[np.unravel_index(places, array.shape)]
    sample.setflags(write=False)
    return sample


def facts_of(array: np.ndarray) -> Facts:
    """An array in a few numbers; of complex entries, those of their absolute values."""
    with quietly():
        real = np.abs(array) if array.dtype.kind == "c" else array
        nans = int(np.isnan(real).sum()) if array.dtype.kind in "fc" else 0
        finite = real[np.isfinite(real)].astype(float)
        infinities = real.size - finite.size - nans
        low, high, mean = (0.0,) * 3
        if finite.size:
            low, high, mean = finite.min(), finite.max(), finite.mean()
        size = euclidean(array)
        return Facts(float(low), float(high), float(mean), size, nans, infinities)


@dataclass(frozen=True, eq=False)
class Value:
    """An array of the forward pass: a tensor of the user's, a constant, or a result.

    number     values[number] is this one
    kind       "parameter" (a leaf with a gradient), "input" (one without), "constant",
               or "result"
    symbol     how it is written in formulas
    name       the user's name for it, in full; "" if it has none
    operation  the operation that made it, and `output`: which of its outputs
    gradient   does a gradient flow to it?
    target     the value under which its gradient is filed: itself, but for a leaf whose
               data were set anew between two uses
    uses       how many contributions its gradient is the sum of
    """

    number: int
    kind: str
    symbol: Symbol
    array: Array
    name: str = ""
    operation: int | None = None
    output: int = 0
    gradient: bool = False
    target: int = -1
    uses: int = 0


@dataclass(frozen=True)
class Line:
    """A line of the user's program: which, its text, and the stretch that was run."""

    file: str
    number: int
    text: str = ""
    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class Place:
    """One level of a scope, as `engine.scope.Scope`, with text that is safe."""

    kind: str
    name: str
    index: Any = None

    def __str__(self) -> str:
        return f"{self.name} {self.index}" if self.kind == "step" else self.name


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of the graph: what it is, where, and by which rule.

    number   operations[number] is this one; the number in the drawing, too
    name     the primitive's: "sigmoid"
    inputs, outputs  numbers of values
    letters  what the formula calls the inputs; the output is y (y0, y1, ... if there
             are several), dL/dy is g
    formula  the right side of y = ..., as a tree (see `formulas.py`)
    rules    per input the right side of dL/d(input) += ..., or None
    scope    where it was recorded, outermost first
    line     the user's line; None if it is not known
    rule_of  of a recorded backward pass: the primitive whose rule made this operation,
             and in `origin` which operation that was, if it is among these
    """

    number: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    letters: tuple[str, ...]
    formula: Any
    rules: tuple[Any, ...]
    scope: tuple[Place, ...] = ()
    line: Line | None = None
    rule_of: str = ""
    origin: int | None = None

    @property
    def step(self) -> int | None:
        """The time step; None outside the time loop."""
        found = innermost(self.scope, "step")
        return None if found is None else found.index

    @property
    def layer(self) -> str | None:
        """The layer's name: "layer 0 reverse"."""
        found = innermost(self.scope, "layer")
        return None if found is None else found.name

    @property
    def gate(self) -> Place | None:
        """The gate it belongs to."""
        return innermost(self.scope, "gate")

    @property
    def path(self) -> str:
        """The scope as words: "layer 0 / lstm / step 3 / forget gate"."""
        return " / ".join(map(str, self.scope))


@dataclass(frozen=True, eq=False, kw_only=True)
class Event:
    """The base of all events: a number in the list, and an operation (or None)."""

    kind: ClassVar[str] = ""
    number: int
    operation: int | None = None

    @property
    def forward(self) -> bool:
        """Is it of the forward pass?"""
        return self.kind == "forward"


@dataclass(frozen=True, eq=False, kw_only=True)
class Forward(Event):
    """An operation made its outputs (their arrays are those of the values)."""

    kind: ClassVar[str] = "forward"


@dataclass(frozen=True, eq=False, kw_only=True)
class Incoming(Event):
    """Backward arrives: dL/d(output) is complete, the rule is applied next.

    gradients  one per output; None for an output that nothing contributed to
    """

    kind: ClassVar[str] = "incoming"
    gradients: tuple[Array | None, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contribution(Event):
    """A rule's entry for one input, in that input's shape and dtype.

    input   which input of the operation
    target  the value it is added to
    index   which contribution to it this is: 1 ... of `values[target].uses`
    aside   only shown: the engine sums it with others in one product, which is told by
            a `Stacked` event later; the target's sum does not contain it yet
    total   the sum after it, where the array is too large to be kept (a summary);
            `Steps.running` gives the sum for every event
    """

    kind: ClassVar[str] = "contribution"
    input: int
    target: int
    index: int
    value: Array
    aside: bool = False
    total: Array | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Stacked(Event):
    """The contributions of several operations to one weight, in one product.

    operations  those whose rows were stacked
    target      the weight
    value       the sum; it differs from adding one by one only by rounding
    """

    kind: ClassVar[str] = "stacked"
    operations: tuple[int, ...]
    target: int
    value: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Carried(Event):
    """Contributions of operations that are left out: the target's sum after them.

    count   how many
    value   the sum of all contributions so far, these included
    aside   it is the sum of those that are only shown, one by one (see `Contribution`)
    """

    kind: ClassVar[str] = "carried"
    target: int
    count: int
    value: Array
    aside: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Gradient(Event):
    """The gradient of a leaf is complete: what `backward()` adds to its `.grad`."""

    kind: ClassVar[str] = "gradient"
    target: int
    value: Array


KINDS: dict[str, type[Event]] = {
    kind.kind: kind
    for kind in (Forward, Incoming, Contribution, Stacked, Carried, Gradient)
}


@dataclass
class Tables:
    """What `Steps` is made of."""

    operations: list[Operation] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
