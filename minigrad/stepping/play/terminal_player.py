"""The terminal player: `steps.play()`, or `minigrad step lstm`.

    Player     where one is among the events, and what each key does; no terminal
    view       one event as panels: place, formula, numbers, running sum, source line
    play       keys and panels on a terminal
    print_all  every event, one after the other: for pipes and scripts

Read next: `keyboard.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from minigrad.engine.errors import ArgumentError, MinigradError
from minigrad.reading.text import clean
from minigrad.stepping.play import heat_bars
from minigrad.stepping.play.keyboard import Keys, open_keys
from minigrad.stepping.record.events import (
    Array,
    Carried,
    Contribution,
    Event,
    Forward,
    Gradient,
    Incoming,
    Stacked,
    Value,
)
from minigrad.stepping.record.worked_numbers import incoming

HELP = """\
n, Space, →, Enter   next event             p, ←   the one before
t  T                 next, previous time step
x  X                 next, previous gate
o  O                 next, previous operation
b  B                 to the backward pass, back to the forward pass
c  C                 next, previous contribution to this parameter's gradient
w                    which parameter c follows
u  U                 run on (back) until: norm < 1e-6, norm of h < 1e-6,
                     receives W_h, nan, inf;  Enter alone: the same once more
g                    go to an event's number;  Home, End: first, last
?                    this help              q, Esc   quit"""
KEYS = (
    "n next  p back  t step  x gate  c contribution  u until  g go to  ? help  q quit"
)
UNITS = {"t": "step", "x": "gate", "o": "operation", "b": "pass"}
WORDS = {"step": "time step", "pass": "pass", "gate": "gate", "operation": "operation"}


class Player:
    """A place among the events of `steps`, moved by keys.

    number   the event that is shown
    message  what the last key has to say, if anything
    target   the value whose contributions `c` follows; None for any parameter's
    """

    def __init__(self, steps: Any, number: int = 0) -> None:
        if not steps.events:
            raise ArgumentError(
                "play: there is no event to show",
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
        self.message = ""
        self.help = key == "?"
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
        elif key == "g":
            self._go_to(ask(f"go to event (0 to {last}): "))
        elif not self.help:
            self.message = f"no key {clean(key, 12)!r}; ? lists the keys"
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
            self.message = f"{clean(self.condition)}: not {side} this event"
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


# ------------------------------------------------------------- one event in panels


def view(
    steps: Any,
    event: Event,
    width: int = 80,
    height: int = 0,
    bars: str = heat_bars.BARS,
) -> RenderableType:
    """An event, `width` columns wide; `height`: lines that there are (0: no limit)."""
    line = _source(steps, event, width)
    formula = _formula(steps, event, width)
    rows = _operands(steps, event)
    room = max(20, width - 4 - 16 - 12)
    free = height - 6 - _height(formula, width) - (0 if line is None else 2)
    for most in range(8, 0, -1):  # lines of an array: as many as fit the screen
        texts = [heat_bars.shown(array, room, most, bars) for _, array in rows]
        if not height or sum(text.plain.count("\n") + 1 for text in texts) <= free:
            break
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="bold", overflow="fold", max_width=16)
    table.add_column(style="dim", max_width=12)
    table.add_column()
    for (name, array), text in zip(rows, texts, strict=True):
        table.add_row(Text(name), heat_bars.shape_of(array), text)
    parts: list[RenderableType] = [_timeline(steps, event, width, bars), formula]
    if rows:
        parts.append(_panel(table, "numbers"))
    if line is not None:
        parts.append(line)
    return Group(*parts)


def _height(shown: RenderableType, width: int) -> int:
    """The lines that something takes."""
    console = Console(width=width, file=StringIO(), color_system=None)
    return len(console.render_lines(shown, console.options))


def _panel(content: RenderableType, title: str | Text) -> Panel:
    return Panel(
        content, title=title, title_align="left", box=box.ROUNDED, padding=(0, 1)
    )


def _timeline(steps: Any, event: Event, width: int, bars: str) -> Text:
    """Where we are: number, pass, and a bar of both passes."""
    total = len(steps.events)
    ahead = sum(e.forward for e in steps.events)
    text = Text()
    text.append(f"event {event.number}", style="bold")
    text.append(f" of 0..{total - 1}  ")
    room = max(8, width - text.cell_len - 20)
    left = max(2, min(room - 2, round(room * ahead / total))) if ahead else 0
    here = min(room - 1, event.number * room // total)
    full, empty = ("█", "░") if bars == heat_bars.BARS else ("#", ".")
    text.append("forward ", style="bold cyan" if event.forward else "dim")
    for k in range(room):
        if k == left:
            text.append(" ")
        mark = full if k <= here else empty
        text.append(mark, style="cyan" if k < left else "magenta")
    text.append(" backward", style="dim" if event.forward else "bold magenta")
    return text


def _formula(steps: Any, event: Event, width: int) -> Panel:
    """What happens: in words, in symbols, and with the numbers of one entry."""
    text = Text()
    words = steps.headline(event)
    _, _, what = words.partition(": ")
    text.append(f"{what}\n", style="dim")
    text.append(steps.formula(event), style="bold")
    worked = steps.worked(event)
    if worked is not None:
        size = _made(steps, event)
        at = f"   (entry {', '.join('0' * len(size))})" if sum(size) > len(size) else ""
        text.append(f"\n{worked}")
        text.append(at, style="dim")
    count = _count(steps, event)
    if count is not None:
        text.append("\n")
        text.append_text(count)
    place = steps.place(event) or "outside any scope"
    side = "forward" if event.forward else "backward"
    panel = _panel(text, Text(f"{side}: {place}", style="bold"))
    panel.border_style = "cyan" if event.forward else "magenta"
    return panel


def _made(steps: Any, event: Event) -> tuple[int, ...]:
    """The shape of what an event makes."""
    if isinstance(event, Contribution):
        return event.value.shape
    assert event.operation is not None
    return steps.values[steps.operations[event.operation].outputs[0]].array.shape


def _count(steps: Any, event: Event) -> Text | None:
    """ "contribution 3 of 5 to W_h": which "+=" of how many this is."""
    if not isinstance(event, Contribution):
        return None
    value = steps.values[event.target]
    if value.uses < 2:
        return None
    text = Text(f"contribution {event.index} of {value.uses} to {value.symbol}")
    if value.uses <= 24:
        text.append("  " + "●" * event.index + "○" * (value.uses - event.index))
    if event.aside:
        text.append("  (the engine adds these up in one product)", style="dim")
    return text


def _operands(steps: Any, event: Event) -> list[tuple[str, Array]]:
    """The arrays of an event by name: what goes in, what comes out, the sum so far."""
    values = steps.values
    if event.operation is not None:
        operation = steps.operations[event.operation]
    if isinstance(event, Forward):
        read = [
            (str(values[k].symbol), values[k].array)
            for k in dict.fromkeys(operation.inputs)
        ]
        made = [(f"{values[k].symbol} =", values[k].array) for k in operation.outputs]
        return _few(read) + _few(made)
    if isinstance(event, Incoming):
        pairs = zip(operation.outputs, event.gradients, strict=True)
        return _few([(_slope(values[k]), part) for k, part in pairs if part])
    if isinstance(event, Contribution):
        letters = _letters(operation.rules[event.input])
        first = values[operation.outputs[0]]
        rows = []
        g = incoming(steps, event)
        if g is not None and "g" in letters:
            rows.append((_slope(first), g))
        if "y" in letters:
            rows.append((str(first.symbol), first.array))
        for letter, k in zip(operation.letters, operation.inputs, strict=True):
            if letter in letters:
                rows.append((str(values[k].symbol), values[k].array))
        rows = [*_few(rows), ("this adds", event.value)]
        if values[event.target].uses > 1 or event.aside:
            rows.append(("sum so far", steps.running(event)))
        return rows
    assert isinstance(event, Stacked | Carried | Gradient)
    rows = [(_slope(values[event.target]), event.value)]
    if not isinstance(event, Gradient):
        rows.append(("sum so far", steps.running(event)))
    return rows


def _slope(value: Value) -> str:
    return f"∂L/∂{value.symbol}"


def _few(rows: list) -> list:
    """At most four arrays of a kind: the first ones and the last."""
    return rows if len(rows) <= 4 else [*rows[:3], rows[-1]]


def _letters(tree: Any) -> set[str]:
    """The letters in a formula."""
    found: set[str] = set()
    todo = [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo += part[1:]
        elif isinstance(part, str):
            found.add(part)
    return found


def _source(steps: Any, event: Event, width: int) -> Text | None:
    """The user's line, with the expression that ran underlined."""
    line = None
    if event.operation is not None:
        line = steps.operations[event.operation].line
    if line is None or not line.text:
        return None
    text = Text()
    place = f"{line.file}:{line.number}"
    text.append(place, style="dim")
    lead = len(place) + 2
    shown = clean(line.text, max(10, width - lead))
    text.append("  ")
    text.append(shown[: line.first])
    text.append(shown[line.first : line.last], style="bold underline")
    text.append(shown[max(line.first, line.last) :])
    end = min(line.last, len(shown))
    if end > line.first:
        text.append("\n" + " " * (lead + line.first))
        text.append("^" * (end - line.first), style="dim")
    return text


# ------------------------------------------------------------- on a terminal


def bars_for(console: Console) -> str:
    """Bars, or plain characters where the encoding has none."""
    try:
        heat_bars.BARS.encode(console.encoding)
    except (UnicodeError, LookupError):
        return heat_bars.PLAIN
    return heat_bars.BARS


def _show(player: Player, console: Console, keys: Keys) -> None:
    width, height = min(console.width, 160), console.height
    bars = bars_for(console)
    if player.help:
        shown: RenderableType = _panel(Text(HELP), "keys")
    else:
        limit = height if keys.single else 0
        shown = view(player.steps, player.event, width, limit, bars)
    if keys.single:
        console.clear()
    console.print(shown, width=width, highlight=False)
    if player.message:
        console.print(Text(player.message, style="bold"), width=width, highlight=False)
    if keys.single:
        console.print(Text(KEYS, style="dim", overflow="ellipsis", no_wrap=True))


def play(
    steps: Any,
    number: int = 0,
    until: Sequence[str] = (),
    console: Console | None = None,
    keys: Keys | None = None,
) -> None:
    """Step through the events on a terminal; see `HELP` for the keys.

    number  the event to begin with
    until   conditions: begin where the first of them holds
    Without a terminal, or with lines as input, each key is a line.
    """
    console = console or Console()
    keys = keys or open_keys()
    player = Player(steps, number)
    if until:
        found = first_of(steps, until, number - 1)
        if found is None:
            player.message = f"{' or '.join(map(clean, until))}: never from here on"
        else:
            player.number, player.condition = found, until[0]
            player.message = f"{' or '.join(map(clean, until))}: here"
    with keys:
        _show(player, console, keys)
        while player.press(keys.read(), keys.ask):
            _show(player, console, keys)


def first_of(steps: Any, until: Sequence[str], after: int) -> int | None:
    """The first event after number `after` at which one of the conditions holds."""
    found = [steps.until(condition, after) for condition in until]
    numbers = [event.number for event in found if event is not None]
    return min(numbers) if numbers else None


def print_all(
    steps: Any,
    first: int = 0,
    last: int | None = None,
    until: Sequence[str] = (),
    console: Console | None = None,
) -> None:
    """Print the events `first` to `last` (all), or until a condition holds."""
    console = console or Console()
    width = min(console.width, 160)
    bars = bars_for(console)
    end = len(steps.events) - 1 if last is None else min(last, len(steps.events) - 1)
    stop = first_of(steps, until, first - 1) if until else None
    if stop is not None:
        end = min(end, stop)
    line = "─" if bars == heat_bars.BARS else "-"
    for event in steps.events[first : end + 1]:
        console.print(view(steps, event, width, 0, bars), width=width, highlight=False)
        console.print(Rule(style="dim", characters=line), width=width)
    if stop is not None and end == stop:
        console.print(f"stopped at event {stop}: {', '.join(map(clean, until))}")
