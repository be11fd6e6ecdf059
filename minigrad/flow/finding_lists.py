"""Shows findings: as lines for a terminal, and as a list for a page, lessons linked.

Read next: `figure_page.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from minigrad.flow.findings import Finding

# The titles of the lessons that findings lead to.
LESSONS = {
    1: "A tensor and its chain rule",
    2: "One graph, drawn and stepped through",
    3: "An RNN unrolled: backpropagation through time comes by itself",
    4: "Vanishing and exploding gradients",
    5: "Clipping, and the cliff",
    6: "The LSTM, gate by gate",
    7: "Why the LSTM's gradient survives, and when it does not",
    10: "Bidirectional networks, and Major Tom",
    11: "Padding, masks and the next word",
    13: "Tomorrow's temperature",
}
_MARKS = {"error": "!!", "warning": "!", "note": "-"}


def finding_lines(findings: Sequence[Finding], remedies: bool = True) -> list[str]:
    """One line each, "! vanishing: ...", and one with what to do about it."""
    lines = []
    for found in findings:
        where = f" [{found.where}]" if found.where else ""
        lines.append(f"{_MARKS[found.severity]} {found.code}: {found}{where}")
        if remedies and found.remedy:
            lesson = f" (lesson {found.lesson})" if found.lesson else ""
            lines.append(f"  > {found.remedy}{lesson}")
    return lines


def finding_list(
    findings: Sequence[Finding], good: str, since: Sequence[str] = ()
) -> str:
    """The findings as an HTML list; the text `good` if there are none.

    since  words for each: when it was first seen
    """
    if not findings:
        return f'<p class="good">{escape(good)}</p>'
    words = since or [""] * len(findings)
    items = [_item(found, s) for found, s in zip(findings, words, strict=True)]
    return f'<ul class="warnings">{"".join(items)}</ul>{_lessons(findings)}'


def _item(found: Finding, since: str) -> str:
    place = " · ".join(text for text in (found.loop, found.where, since) if text)
    parts = [
        f'<li class="{found.severity}"><p><strong>{found.severity}: '
        f"{escape(found.code)}</strong> {escape(found.text)}"
    ]
    if place:
        parts.append(f"<br><small>{escape(place)}</small>")
    parts.append("</p>")
    if found.remedy:
        parts.append(f"<p>What to do: {escape(found.remedy)}")
        if found.lesson:
            number = found.lesson
            parts.append(f' <a href="#lesson-{number}">Lesson {number}</a>')
        parts.append("</p>")
    return "".join(parts) + "</li>"


def _lessons(findings: Sequence[Finding]) -> str:
    """The lessons that the findings lead to, with the command that opens them."""
    numbers = sorted({found.lesson for found in findings if found.lesson})
    items = [
        f'<li id="lesson-{n}">Lesson {n}, {escape(LESSONS[n])}: '
        f"<code>minigrad tutorial {n}</code></li>"
        for n in numbers
    ]
    return f'<p>To read more:</p><ul class="lessons">{"".join(items)}</ul>'
