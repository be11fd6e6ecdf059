"""`mg.steps` and the `Steps` that it returns: every event, in order.

    graph --(recording.py)--> Steps --(json_format.py)--> JSON --> Steps

Read next: `navigation.py` (moving about), `breakpoints.py` (breakpoints).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    GradientError,
    GraphError,
    ShapeError,
    one_of,
)
from minigrad.engine.graph import Node, Variable, ancestors
from minigrad.engine.quiet import quietly
from minigrad.reading.loops import Loops
from minigrad.reading.text import clean
from minigrad.stepping.play import breakpoints, captions, navigation
from minigrad.stepping.record import worked_numbers
from minigrad.stepping.record.events import (
    Array,
    Carried,
    Contribution,
    Event,
    Gradient,
    Operation,
    Stacked,
    Tables,
    Value,
)

LEVELS = ("op", "gate", "cell")
LARGEST = 65_536  # entries of an array that is kept whole
MOST_EVENTS = 20_000
MOST_BYTES = 1 << 30


class Steps:
    """Everything that happened in a forward and a backward pass, made by `mg.steps`.

    operations  the operations of the graph, oldest first
    values      the arrays they read and made, with their symbols
    events      what happened, in order: see `minigrad.stepping.record.events`
    level       "op", "gate" or "cell": how much is an event
    title       what it is of
    """

    def __init__(self, tables: Tables, level: str = "op", title: str = "") -> None:
        self.operations: list[Operation] = tables.operations
        self.values: list[Value] = tables.values
        self.events: list[Event] = tables.events
        self.level = level
        self.title = title

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        forward = sum(event.forward for event in self.events)
        return (
            f"<Steps, level {self.level!r}: {forward} forward and "
            f"{len(self.events) - forward} backward events of "
            f"{len(self.operations)} operations>"
        )

    # ------------------------------------------------------------- sums

    @cached_property
    def _by_target(self) -> dict[int, list[Event]]:
        """The events that add to each value's gradient."""
        found: dict[int, list[Event]] = {}
        for event in self.events:
            if isinstance(event, Contribution | Stacked | Carried | Gradient):
                found.setdefault(event.target, []).append(event)
        return found

    def contributions(self, target: int) -> list[Event]:
        """The events that add to the gradient of a value, in order."""
        return self._by_target.get(target, [])

    def running(self, event: Event) -> Array:
        """The sum at an event's target after it: "+=" up to here.

        Of contributions that the engine sums in one product: the sum one by one. Added
        exactly as the engine adds: in order, in the target's dtype.
        Raises ArgumentError for an event that adds to nothing.
        """
        if not isinstance(event, Contribution | Stacked | Carried | Gradient):
            raise ArgumentError(
                f"running(event): a {event.kind} event adds to no gradient",
                expect="a contribution, stacked, carried or gradient event",
                actual=f"event {event.number}: {event.kind}",
                hint="steps.contributions(target) lists them for a value",
            )
        if isinstance(event, Contribution) and event.total is not None:
            return event.total
        if isinstance(event, Carried | Gradient):
            return event.value
        if event.value.array is None:
            return event.value
        aside = isinstance(event, Contribution) and event.aside
        plain: Any = None
        product: Any = None
        with quietly():
            for other in self.contributions(event.target):
                if other.number > event.number:
                    break
                if isinstance(other, Contribution):
                    if other.aside == aside:
                        plain = _plus(plain, other.value.array)
                elif isinstance(other, Carried) and other.aside == aside:
                    plain = other.value.array
                elif isinstance(other, Stacked) and not aside:
                    product = _plus(product, other.value.array)
            total = plain if product is None else _plus(plain, product)
        return Array.of(total, total.size)

    def rebuilt(self) -> dict[int, np.ndarray]:
        """Every leaf's gradient, added up from the events: {number of value: array}.

        The order of the sums is the engine's, stacked sums included, so that each is
        equal to `.grad` to the last bit.
        Raises GraphError if an array was too large to be kept.
        """
        found = {}
        with quietly():
            for target, events in self._by_target.items():
                if self.values[target].operation is not None:
                    continue
                plain: Any = None
                product: Any = None
                for event in events:
                    array = self._whole(event)
                    if isinstance(event, Carried):
                        plain = plain if event.aside else array
                    elif isinstance(event, Stacked):
                        product = _plus(product, array)
                    elif isinstance(event, Contribution) and not event.aside:
                        plain = _plus(plain, array)
                found[target] = plain if product is None else _plus(plain, product)
        return found

    def check(self) -> None:
        """Rebuild every gradient from the events. GradientError at a single bit."""
        rebuilt = self.rebuilt()
        for event in self.events:
            if isinstance(event, Gradient):
                expected, found = self._whole(event), rebuilt.get(event.target)
                if found is None or found.tobytes() != expected.tobytes():
                    raise GradientError(
                        f"the events of {self.values[event.target].symbol} do not add "
                        "up to its gradient",
                        expect="the same bits",
                        actual="no events" if found is None else "other bits",
                        hint="the file was changed, or this is a bug of minigrad",
                    )

    def _whole(self, event: Any) -> np.ndarray:
        array = event.value.array
        if array is None:
            value = self.values[event.target]
            raise GraphError(
                f"the gradient of {value.symbol} cannot be added up: its arrays are "
                "summarised",
                expect=f"arrays of at most {LARGEST} entries, or a larger limit",
                actual=f"{value.symbol}: {value.array.shape}",
                hint="mg.steps(loss, largest=...) keeps larger arrays whole",
            )
        return array

    # ------------------------------------------------------------- names

    def find(self, name: str) -> Value:
        """The tensor of the user's with this name, in full or as the formulas say.

        Raises ArgumentError if there is none, with the names that there are.
        """
        leaves = [value for value in self.values if value.kind != "result"]
        for value in [*leaves, *self.values]:
            if name in (value.name, str(value.symbol)):
                return self.values[value.target]
        known = [str(value.symbol) for value in self.parameters]
        raise ArgumentError(
            f"there is no value called {clean(name)!r}",
            expect=f"a name, or a symbol such as {', '.join(known[:8])}",
            actual=repr(clean(name)),
            hint="steps.parameters lists what has a gradient",
        )

    @property
    def parameters(self) -> list[Value]:
        """The user's tensors that have a gradient."""
        return [
            value
            for value in self.values
            if value.kind == "parameter" and value.target == value.number
        ]

    @property
    def time_steps(self) -> set[int]:
        """The time steps that have events."""
        found = {
            self.operations[event.operation].step
            for event in self.events
            if event.operation is not None and event.forward
        }
        return {step for step in found if step is not None}

    # ------------------------------------------------------------- words

    def place(self, event: Event) -> str:
        """Where it happens: "layer 0 / lstm / step 3 / forget gate"."""
        return captions.place(self, event)

    def headline(self, event: Event) -> str:
        """What happens, in a line."""
        return captions.headline(self, event)

    def formula(self, event: Event) -> str:
        """Its formula, with the symbols of the values: "f_3 = σ(v_41)"."""
        return captions.formula(self, event)

    def worked(self, event: Event, at: tuple[int, ...] | None = None) -> str | None:
        """The formula with the numbers of one entry: "0.62 = σ(0.49)".

        at  which entry of the result, or of the contribution (None: the first)
        None where a single line does not say it (entries that are only moved, large
        arrays). Raises IndexingError if there is no such entry.
        """
        return worked_numbers.worked(self, event, at)

    # ------------------------------------------------------------- moving about

    def seek(
        self, number: int, what: str, back: bool = False, target: int | None = None
    ) -> int | None:
        """The number of the next event of a kind: see `walk.seek`."""
        return navigation.seek(self, number, what, back, target)

    def until(
        self, condition: Any, after: int = -1, back: bool = False
    ) -> Event | None:
        """Run on until a condition holds: the first event after `after`, or None.

        condition  text, "norm < 1e-6", "norm of h < 1e-6", "receives W_h", "nan" or
                   "inf"; what `play/breakpoints.py` makes; or any function
                   of (steps, event)
        Raises ArgumentError for a text that is none of these.
        """
        return breakpoints.until(self, condition, after, back)

    def play(self, number: int = 0, until: Sequence[str] = ()) -> None:
        """Step through the events in the terminal, with keys; ? lists them.

        number  the event to begin with
        until   conditions: begin at the first event at which one of them holds
        """
        from minigrad.stepping.play.terminal_player import play

        play(self, number, until)

    # ------------------------------------------------------------- the drawing

    def drawing(self, theme: str = "light", **options: Any) -> Any:
        """The graph as `mg.draw` draws it (a `Drawing`): made from the tables alone.

        options  of `mg.draw`: max_steps (None: all of them), words, title, engine
        """
        import minigrad as mg
        from minigrad.stepping.record.rebuild import loss_of

        options = {"max_steps": None, "title": self.title or None, **options}
        return mg.draw(loss_of(self), level=self.level, theme=theme, **options)

    # ------------------------------------------------------------- to and from files

    def html(self, words: Any = None) -> str:
        """The player as one self-contained page; `words`: what is read at each step."""
        from minigrad.stepping.play.player_page import page

        return page(self, words)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict:
        """For notebooks: the player in a sandboxed frame of its own, and text."""
        from minigrad.stepping.play.player_page import framed

        return {"text/plain": repr(self), "text/html": framed(self)}

    def _repr_html_(self) -> str:
        """The same, for tools that ask for nothing else."""
        return self._repr_mimebundle_()["text/html"]

    def save(self, path: Any, words: Any = None) -> None:
        """Write a file, whole or not at all; its ending says which.

        .html  the player          .json  what `Steps.from_json` reads
        .gif, .apng  all events, animated (`animate` has more to say)
        Raises ArgumentError for another ending, CheckpointError if it cannot be
        written.
        """
        from minigrad.stepping.play.steps_files import save

        save(self, path, words)

    def frames(
        self,
        folder: Any,
        events: Iterable[int] | None = None,
        form: str = "svg",
        drawing: Any = None,
    ) -> list[str]:
        """Write a numbered picture per event into a folder that exists.

        events   their numbers: `range(0, 40)`; None: all
        form     "svg" or "png"
        drawing  what to light: `steps.drawing(theme=..., max_steps=...)`
        Returns the paths. ArgumentError for events, forms and folders that there are
        not, GraphError for too many, DrawingError without a layout engine.
        """
        from minigrad.stepping.play.films import frames

        return frames(self, folder, events, form, drawing)

    def animate(
        self,
        path: Any,
        events: Iterable[int] | None = None,
        seconds: float = 0.8,
        drawing: Any = None,
    ) -> None:
        """Write events as one animated picture, .gif or .apng; `seconds` per event."""
        from minigrad.stepping.play.steps_files import animate

        animate(self, path, events, seconds, drawing)

    def to_json(self) -> str:
        """All of it as JSON, lossless; `record/json_format.py` has the schema."""
        from minigrad.stepping.record.json_format import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Steps:
        """What `to_json` wrote, without the model. DataError for anything else."""
        from minigrad.stepping.record.json_format import from_json

        return from_json(text)


def _plus(total: Any, array: Any) -> Any:
    """One "+=" as the engine does it."""
    if total is None:
        return array
    return array if array is None else total + array


def steps(
    loss: Any,
    grad: Any = None,
    *,
    level: str = "op",
    steps: Collection[int] | None = None,
    largest: int = LARGEST,
    title: str = "",
) -> Steps:
    """Every forward and backward event of a loss, in order; `.grad` is left alone.

    loss     a Tensor with a graph; a scalar, or with `grad`
    grad     dL/d(loss) to start from, of the loss's shape; may be left out for a scalar
    level    "op": every operation; "gate" or "cell": what passes between the boxes of
             a drawing of that level. Gradients add up in all three
    steps    only these time steps (`range(90, 100)`); what the others contribute is
             told as one sum
    largest  arrays of more entries are summarised (their gradients do not add up then)
    title    what it is of, for pages

    Raises DTypeError if it is no tensor, GraphError for a loss without a graph or too
    large a graph, ShapeError for a `grad` of another shape.
    """
    from minigrad.stepping.record.recording import Recorder

    one_of("level", level, LEVELS)
    node, seed = _start(loss, grad)
    nodes = ancestors([node])
    wanted = _wanted(steps, nodes)
    recorder = Recorder(loss._edge, nodes, _groups(node, level), wanted, int(largest))
    _check_size(nodes, recorder.count(), level)
    return Steps(recorder.run(seed), level, clean(title, 120))


def _start(loss: Any, grad: Any) -> tuple[Node, np.ndarray]:
    """The node of the loss, and dL/d(loss)."""
    if not isinstance(loss, Variable):
        raise DTypeError(
            "steps: this is no tensor",
            expect="a Tensor: the loss",
            actual=clean(type(loss).__name__, 60),
            hint="give the tensor itself, before .item()",
        )
    edge = loss._edge
    if not isinstance(edge.source, Node) or not edge.requires_grad:
        raise GraphError(
            "steps: the loss has no graph to step through",
            expect="a loss computed from a tensor with requires_grad=True",
            actual=f"shape {edge.array.shape}, made "
            + ("by the user" if edge.source is None or not isinstance(edge.source, Node)
               else "of constants"),
            hint="compute it outside no_grad(), from parameters or requires_grad=True",
        )  # fmt: skip
    if grad is None and edge.array.size != 1:
        raise GraphError(
            "steps: the loss is not a scalar",
            expect="one entry, or grad= to start from",
            actual=f"shape {edge.array.shape}",
            hint="step through loss.sum(), or pass grad= of the loss's shape",
        )
    if grad is None:
        return edge.source, np.ones(edge.array.shape, edge.array.dtype)
    if isinstance(grad, Variable):
        grad = grad._edge.array
    seed = np.array(grad, dtype=edge.array.dtype)
    if seed.shape != edge.array.shape:
        raise ShapeError(
            "steps: grad has another shape than the loss",
            expect=f"shape {edge.array.shape}",
            actual=f"{seed.shape}",
            hint="it is one number per entry of the loss",
        )
    return edge.source, seed


def _wanted(steps: Collection[int] | None, nodes: list[Node]) -> set[int] | None:
    """The time steps to show, checked against those that there are."""
    if steps is None:
        return None
    there = Loops(nodes).steps
    wanted = set(steps)
    if not wanted & there:
        span = f"{min(there)} to {max(there)}" if there else "no time steps at all"
        raise ArgumentError(
            "steps: none of the chosen time steps is in the graph",
            expect=f"some of {span}" if there else span,
            actual=f"{sorted(wanted)[:6]}",
            hint="time steps are counted from 0" if there else "leave out steps=",
        )
    return wanted


def _groups(node: Node, level: str) -> list[str] | None:
    """Per operation the box of a drawing of this level; None for every one."""
    if level == "op":
        return None
    from minigrad.drawing.read.read_graph import read

    picture = read([node], level)
    box_of = [""] * len(picture.nodes)
    for box in picture.boxes.values():
        for number in box.nodes:
            box_of[number] = box.id
    return box_of


def _check_size(nodes: list[Node], size: tuple[int, int], level: str) -> None:
    """Raise if there would be too many events, or too many numbers."""
    events, size_in_bytes = size
    if events <= MOST_EVENTS and size_in_bytes <= MOST_BYTES:
        return
    there = Loops(nodes).steps
    offers = []
    if level == "op":
        offers.append('level="gate" or level="cell"')
    elif level == "gate":
        offers.append('level="cell"')
    if len(there) > 1:
        last = max(there)
        offers.append(
            f"a range of time steps, steps=range({max(0, last - 9)}, {last + 1})"
        )
    if size_in_bytes > MOST_BYTES:
        offers.append("a smaller largest=")
    raise GraphError(
        f"steps: the graph is too large to step through: {len(nodes)} operations, "
        f"{events} events, {size_in_bytes / 2**20:.0f} MB of numbers",
        expect=f"at most {MOST_EVENTS} events and {MOST_BYTES // 2**20} MB",
        actual=f"{len(there)} time steps at level {level!r}",
        hint="choose " + ", or ".join(offers) if offers else "use a smaller network",
    )
