"""Makes HTML pages of figures; each page is one file.

Read next: `page_sections.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from minigrad.pages.page import document, house_style, picture
from minigrad.pages.plots import svg
from minigrad.training.checkpoint import write_whole

LONGEST_CELL = 12  # characters that stay on one line
_STYLE = """
ul.warnings { padding-left: 0; list-style: none; }
ul.warnings li { border-left: 4px solid var(--line, #999); padding: .2rem .8rem;
  margin: .7rem 0; }
ul.warnings li.error, ul.warnings li.warning { border-color: var(--bad); }
ul.warnings p { margin: .2rem 0; }
p.good { border-left: 4px solid var(--good); padding: .2rem .8rem; }
math { overflow-x: auto; }
"""


def figure(drawn: Any, alt: str, caption: str) -> str:
    """A matplotlib figure as an element with its caption (HTML of ours)."""
    words = f"<figcaption>{caption}</figcaption>"
    return f"<figure>{picture(svg(drawn), 'svg', alt)}{words}</figure>"


def warning_list(warnings: Sequence[object], good: str) -> str:
    """The warnings as an HTML list; the text `good` if there are none."""
    if not warnings:
        return f'<p class="good">{escape(good)}</p>'
    items = "".join(f'<li class="warning">{escape(str(one))}</li>' for one in warnings)
    return f'<ul class="warnings">{items}</ul>'


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """An HTML table; every cell is text."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="numbers"><tr>{top}</tr>{body}</table></div>'
    )


def _cell(cell: object) -> str:
    """A cell; what is long may have several lines on a phone."""
    kind = ' class="text"' if len(str(cell)) > LONGEST_CELL else ""
    return f"<td{kind}>{escape(str(cell))}</td>"


def whole(title: str, body: str) -> str:
    """The page: one .html file that loads nothing."""
    return document(title, body, style=house_style() + _STYLE)


def write_page(path: str | os.PathLike[str], title: str, body: str) -> Path:
    """Write a page, whole or not at all; returns its path.

    Raises CheckpointError if it cannot be written.
    """
    write_whole(path, whole(title, body).encode())
    return Path(path)
