"""The words and symbols of `glossary.toml`, as a box that every page can open.

The box is HTML alone (a popover): a button opens it, Esc or its button closes it.

Read next: `notebook_view.py`.
"""

from __future__ import annotations

import html
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

BUTTON = (
    '<button type="button" class="mg-words" popovertarget="mg-glossary" '
    'title="what the words and symbols on this page mean">words</button>'
)
STYLE = """
#mg-glossary { color: CanvasText; background: Canvas; border: 1px solid GrayText;
  border-radius: 12px; padding: 14px 20px; width: min(44rem, 94vw); max-height: 86vh;
  overflow: auto; overscroll-behavior: contain; font: 15px/1.5 system-ui, sans-serif;
  text-align: left; }
#mg-glossary::backdrop { background: #00000066; }
#mg-glossary h2 { font-size: 17px; margin: 14px 0 6px; }
#mg-glossary h2:first-of-type { margin-top: 0; }
#mg-glossary dl { display: grid; grid-template-columns: minmax(5.5em, max-content) 1fr;
  gap: 4px 16px; margin: 0; }
#mg-glossary dt { font-weight: 600; max-width: 11em; overflow-wrap: anywhere; }
#mg-glossary dd { margin: 0; }
#mg-glossary code, #mg-glossary .sign { font: 13.5px ui-monospace, monospace; }
#mg-glossary > button { float: right; position: sticky; top: 0; }
@media (max-width: 600px) { #mg-glossary dl { display: block; }
  #mg-glossary dd { margin: 0 0 8px 1em; } }
"""


class Entry(NamedTuple):
    """A word or a symbol, and what it means; code stands between backticks."""

    name: str
    means: str


@cache
def symbols() -> tuple[Entry, ...]:
    """The symbols, in the order in which they are explained."""
    return tuple(Entry(s["sign"], s["means"]) for s in _book()["symbol"])


@cache
def terms() -> tuple[Entry, ...]:
    """The words, by the alphabet."""
    found = [Entry(t["word"], t["means"]) for t in _book()["term"]]
    return tuple(sorted(found, key=lambda entry: entry.name.lower()))


@cache
def box() -> str:
    """The box: HTML for the end of a page's body."""
    signs = _rows(symbols(), ' class="sign"')
    return (
        '<div popover id="mg-glossary" aria-label="words and symbols">'
        '<button type="button" popovertarget="mg-glossary" '
        'popovertargetaction="hide">close</button>'
        f"<h2>Symbols</h2><dl>{signs}</dl>"
        f"<h2>Words</h2><dl>{_rows(terms())}</dl></div>"
    )


def _rows(entries: tuple[Entry, ...], kind: str = "") -> str:
    return "".join(
        f"<dt{kind}>{html.escape(name)}</dt><dd>{_code(html.escape(means))}</dd>"
        for name, means in entries
    )


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def _book() -> dict[str, list[dict[str, str]]]:
    text = files("minigrad.pages").joinpath("glossary.toml").read_text("utf-8")
    return tomllib.loads(text)
