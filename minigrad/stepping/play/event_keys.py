"""The position among the events, and the action of each key; needs no terminal.

Read next: `event_view.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import ArgumentError, MinigradError
from minigrad.reading.text import clean
from minigrad.stepping.record.events import (
    Carried,
    Contribution,
    Event,
    Gradient,
    Stacked,
)

HELP = """\
n, Space, →, Enter   next event             p, ←   the one before
t  T                 next, previous time step
g  G                 next, previous gate
o  O                 next, previous operation
b  B                 to the backward pass, back to the forward pass
c  C                 next, previous contribution to this parameter's gradient
w                    choose the parameter for c
u  U                 run forward (back) until: norm < 1e-6, norm of h < 1e-6,
                     receives W_h, nan, inf;  Enter alone: the last one again
#                    go to an event's number;  Home, End: first, last
?                    this help; Esc closes it         q, Esc  quit"""
KEYS = (
    "n next  p back  t step  g gate  c contribution  u until  # go to  ? help  q quit"
)
UNITS = {"t": "step", "g": "gate", "x": "gate", "o": "operation", "b": "pass"}
WORDS = {"step": "time step", "pass": "pass", "gate": "gate", "operation": "operation"}


class Player:
    """A place among the events of `steps`, moved by keys.

    number   the event that is shown
    message  a message about the last key, or ""
    target   the value whose contributions `c` follows; None for any parameter's
    """

    def __init__(self, steps: Any, number: int = 0) -> None:
        if not steps.events:
            raise ArgumentError(
                "play: there are no events to show",
                expect="steps with events",
                actual=repr(steps),
                hint="mg.steps(loss) makes them",
            )
        self.steps = steps
        self.number = max(0, min(number, len(steps.events) - 1))
        self.message = ""
        self.target: int | None = None
        self.condition = ""
        self.help = False

    @property
    def event(self) -> Event:
        """The event that is shown."""
        return self.steps.events[self.number]

    def press(self, key: str, ask: Any) -> bool:
        """Do what a key says; False for the end. `ask(prompt)` reads a line."""
        if key == "resize":
            return True  # the same again, in the new size
        self.message = ""
        helped, self.help = self.help, key == "?" and not self.help
        if key == "esc" and helped:
            return True  # only the help is closed
        if key in ("q", "esc", ""):
            return False
        last = len(self.steps.events) - 1
        if key in ("n", "right", "space", "enter", "down"):
            self._go(self.number + 1 if self.number < last else None, "event")
        elif key in ("p", "left", "up"):
            self._go(self.number - 1 if self.number else None, "event", True)
        elif key == "home":
            self.number = 0
        elif key == "end":
            self.number = last
        elif key.lower() in UNITS:
            what, back = UNITS[key.lower()], key.isupper()
            self._go(self.steps.seek(self.number, what, back), WORDS[what], back)
        elif key in ("c", "C"):
            self._contribution(key == "C")
        elif key == "w":
            self._which(ask("parameter that c follows (Enter: any): "))
        elif key in ("u", "U"):
            self._until(ask("until: "), key == "U")
        elif key == "#":
            self._go_to(ask(f"go to event (0 to {last}): "))
        elif key != "?":
            self.message = f"unknown key {clean(key, 12)!r}; ? lists the keys"
        return True

    def _go(self, found: int | None, what: str, back: bool = False) -> None:
        if found is None:
            side = "previous" if back else "next"
            self.message = f"there is no {side} {what}"
        else:
            self.number = found

    def _contribution(self, back: bool) -> None:
        """To the next contribution to the parameter at hand."""
        event = self.event
        if isinstance(event, Contribution | Stacked | Carried | Gradient):
            value = self.steps.values[event.target]
            if value.kind == "parameter":
                self.target = event.target
        found = self.steps.seek(self.number, "contribution", back, self.target)
        name = "any parameter"
        if self.target is not None:
            name = str(self.steps.values[self.target].symbol)
        self._go(found, f"contribution to {name} (w: choose another)", back)

    def _which(self, name: str) -> None:
        """The parameter that `c` follows from now on."""
        try:
            self.target = self.steps.find(name).number if name else None
        except MinigradError as error:
            self.message = f"{error.what}; {error.expect}"
            return
        self._contribution(False)

    def _until(self, condition: str, back: bool) -> None:
        """Run until a condition holds."""
        self.condition = condition or self.condition
        if not self.condition:
            return
        try:
            found = self.steps.until(self.condition, self.number, back)
        except MinigradError as error:
            self.message = f"{error.what}: {error.expect}"
            self.condition = ""
            return
        if found is None:
            side = "before" if back else "after"
            self.message = f"{clean(self.condition)}: never {side} this event"
        else:
            self.number = found.number
            self.message = f"{clean(self.condition)}: here"

    def _go_to(self, text: str) -> None:
        try:
            found = int(text)
        except ValueError:
            found = -1
        if 0 <= found < len(self.steps.events):
            self.number = found
        elif text:
            self.message = f"there is no event {clean(text, 20)}"
