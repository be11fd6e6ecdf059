"""One event as panels: place, formula, numbers, running sum, source line.

Read next: `keyboard.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from minigrad.reading.formula_printers import text as written
from minigrad.reading.formulas import letters_in, slope
from minigrad.reading.plain_letters import plain_text
from minigrad.reading.text import clean
from minigrad.stepping.play import heat_bars
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


def view(
    steps: Any,
    event: Event,
    width: int = 80,
    height: int = 0,
    bars: str = heat_bars.BARS,
) -> RenderableType:
    """An event, `width` columns wide; `height`: lines that there are (0: no limit)."""
    spelled = str if bars == heat_bars.BARS else plain_text
    line = _source(steps, event, width)
    formula = _formula(steps, event, spelled)
    rows = [(spelled(name), array) for name, array in _operands(steps, event)]
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
        parts.append(panel(table, "numbers"))
    if line is not None:
        parts.append(line)
    return Group(*parts)


def _height(shown: RenderableType, width: int) -> int:
    """The lines that something takes."""
    console = Console(width=width, file=StringIO(), color_system=None)
    return len(console.render_lines(shown, console.options))


def panel(content: RenderableType, title: str | Text) -> Panel:
    """A frame with a title at its upper left."""
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


def _formula(steps: Any, event: Event, spelled: Callable[[str], str]) -> Panel:
    """What happens: in words, in symbols, and with the numbers of one entry.

    spelled  what makes the letters those of the terminal
    """
    text = Text()
    words = steps.headline(event)
    _, _, what = words.partition(": ")
    text.append(f"{spelled(what)}\n", style="dim")
    text.append(spelled(steps.formula(event)), style="bold")
    worked = steps.worked(event)
    if worked is not None:
        size = _made(steps, event)
        at = f"   (entry {', '.join('0' * len(size))})" if sum(size) > len(size) else ""
        text.append(f"\n{spelled(worked)}")
        text.append(at, style="dim")
    count = _count(steps, event)
    if count is not None:
        text.append("\n")
        text.append_text(count)
    place = steps.place(event) or "outside any scope"
    side = "forward" if event.forward else "backward"
    framed = panel(text, Text(f"{side}: {place}", style="bold"))
    framed.border_style = "cyan" if event.forward else "magenta"
    return framed


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
        letters = letters_in(operation.rules[event.input])
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
    return written(slope("L", value.symbol))


def _few(rows: list[Any]) -> list[Any]:
    """At most four arrays of a kind: the first ones and the last."""
    return rows if len(rows) <= 4 else [*rows[:3], rows[-1]]


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
