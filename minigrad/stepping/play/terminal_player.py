"""The terminal player: `steps.play()`, or `minigrad step lstm`.

    play       keys and panels on a terminal
    print_all  every event, one after the other: for pipes and scripts

Read next: `drawing_links.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.text import Text

from minigrad.reading.plain_letters import plain_streams
from minigrad.reading.text import clean
from minigrad.stepping.play import heat_bars
from minigrad.stepping.play.event_keys import HELP, KEYS, Player
from minigrad.stepping.play.event_view import panel, view
from minigrad.stepping.play.keyboard import Keys, open_keys


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
        shown: RenderableType = panel(Text(HELP), "keys")
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
            player.message = f"{' or '.join(map(clean, until))}: never after this event"
        else:
            player.number, player.condition = found, until[0]
            player.message = f"{' or '.join(map(clean, until))}: here"
    with plain_streams(), keys:
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
