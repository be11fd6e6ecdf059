"""`Steps`: the recorded events of a forward and a backward pass, with their methods.

Longer methods are in files of their own: sums of gradients in `gradient_sums.py`, text
in `captions.py`, moving from event to event in `navigation.py`.

Read next: `minigrad/stepping/record/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_methods
from minigrad.engine.errors import ArgumentError
from minigrad.pages.notebook_view import View, Viewed
from minigrad.reading.text import clean
from minigrad.stepping.play import breakpoints, captions, navigation
from minigrad.stepping.record import gradient_sums, worked_numbers
from minigrad.stepping.record.events import Array, Event, Operation, Tables, Value


@checked_methods
class Steps(Viewed):
    """Everything that happened in a forward and a backward pass, made by `mg.steps`.

    operations  the operations of the graph, oldest first
    values      the arrays they read and made, with their symbols
    events      what happened, in order: see `minigrad.stepping.record.events`
    level       "op", "gate" or "cell": how much one event covers
    title       the title of the pages
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
        return gradient_sums.by_target(self.events)

    def contributions(self, target: int) -> list[Event]:
        """The events that add to the gradient of a value, in order."""
        return self._by_target.get(target, [])

    def running(self, event: Event) -> Array:
        """The sum at an event's target after it: "+=" up to here.

        Contributions that the engine sums in one product are added one by one here.
        The order and the dtype of the sum are those of the engine.
        Raises ArgumentError for an event that adds to nothing.
        """
        return gradient_sums.running(self, event)

    def rebuilt(self) -> dict[int, np.ndarray]:
        """Every leaf's gradient, added up from the events: {number of value: array}.

        The order of the sums is the engine's, stacked sums included, so that each is
        equal to `.grad` to the last bit.
        Raises GraphError if an array was too large to be kept.
        """
        return gradient_sums.rebuilt(self)

    def check(self) -> None:
        """Rebuild every gradient from the events. GradientError at a single bit."""
        gradient_sums.check(self)

    # ------------------------------------------------------------- names

    def find(self, name: str) -> Value:
        """The user's tensor with this name or symbol.

        Raises ArgumentError, with a list of the names, if there is none.
        """
        leaves = [value for value in self.values if value.kind != "result"]
        for value in [*leaves, *self.values]:
            if name in (value.name, str(value.symbol)):
                return self.values[value.target]
        known = [str(value.symbol) for value in self.parameters]
        raise ArgumentError(
            f"no value has the name {clean(name)!r}",
            expect=f"a name, or a symbol such as {', '.join(known[:8])}",
            actual=repr(clean(name)),
            hint="steps.parameters lists the tensors with a gradient",
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
        """The event's place in the network: "layer 0 / lstm / step 3 / forget gate"."""
        return captions.place(self, event)

    def headline(self, event: Event) -> str:
        """One line that says what happens at the event."""
        return captions.headline(self, event)

    def formula(self, event: Event) -> str:
        """The event's formula, with the symbols of the values: "f_3 = σ(v_41)"."""
        return captions.formula(self, event)

    def worked(self, event: Event, at: tuple[int, ...] | None = None) -> str | None:
        """The formula with the numbers of one entry: "0.62 = σ(0.49)".

        at  which entry of the result, or of the contribution (None: the first)
        Returns None if one line cannot show it (entries that are only moved, large
        arrays). Raises IndexingError if there is no such entry.
        """
        return worked_numbers.worked(self, event, at)

    # ------------------------------------------------------------- moving about

    def seek(
        self, number: int, what: str, back: bool = False, target: int | None = None
    ) -> int | None:
        """The number of the next event of a kind: see `navigation.py`."""
        return navigation.seek(self, number, what, back, target)

    def until(
        self, condition: Any, after: int = -1, back: bool = False
    ) -> Event | None:
        """The first event after `after` at which a condition holds, or None.

        condition  text, "norm < 1e-6", "norm of h < 1e-6", "receives W_h", "nan" or
                   "inf"; what `play/breakpoints.py` makes; or any function
                   of (steps, event)
        Raises ArgumentError for a text that is none of these.
        """
        return breakpoints.until(self, condition, after, back)

    def play(self, number: int = 0, until: Sequence[str] = ()) -> None:
        """Step through the events in the terminal, with keys; ? lists them.

        number  the event to start with
        until   conditions: start at the first event at which one of them holds
        """
        from minigrad.stepping.play.terminal_player import play

        play(self, number, until)

    # ------------------------------------------------------------- the drawing

    def drawing(self, theme: str = "light", **options: Any) -> Any:
        """The graph as `mg.draw` draws it (a `Drawing`): made from the tables alone.

        options  of `mg.draw`: max_steps (None: all of them), words, title, engine
        """
        from minigrad.drawing import draw
        from minigrad.stepping.record.rebuild import loss_of

        options = {"max_steps": None, "title": self.title or None, **options}
        return draw(loss_of(self), level=self.level, theme=theme, **options)

    # ------------------------------------------------------------- to and from files

    def html(self, words: Any = None) -> str:
        """The player as one self-contained page; `words`: what is read at each step."""
        from minigrad.stepping.play.player_page import page

        return page(self, words)

    def view(self) -> View:
        """For notebooks: the player in a frame, the graph as it is drawn, and text."""
        from minigrad.stepping.play.player_page import view

        return view(self)

    def save(self, path: Any, words: Any = None) -> None:
        """Write a file; its ending decides the format. A failed save leaves no file.

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
        """Write a numbered picture per event into a folder; it is made if need be.

        events   their numbers: `range(0, 40)`; None: all
        form     "svg" or "png"
        drawing  what to light: `steps.drawing(theme=..., max_steps=...)`
        Returns the paths. ArgumentError for events and forms that there are not,
        GraphError for too many, DrawingError without a layout engine.
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
        from minigrad.stepping.record.json_writing import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Steps:
        """What `to_json` wrote, without the model. DataError for anything else."""
        from minigrad.stepping.record.json_reading import from_json

        return cls(*from_json(text))
