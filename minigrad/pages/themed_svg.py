"""One SVG for light and dark pages: each pair of colours becomes a variable.

Read next: `dark_plots.py`.
"""

from __future__ import annotations

import re

_COLOUR = re.compile(r'(fill|stroke)="(#[0-9a-fA-F]{6})"')


class Colours:
    """The pairs of colours of some pictures, each pair a variable of the style."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def merge(self, light: str, dark: str) -> str:
        """One SVG from two that differ in their colours alone."""
        others = iter(_COLOUR.findall(dark))

        def named(match: re.Match[str]) -> str:
            _, other = next(others, (None, match[2]))
            pair = match[2].lower(), other.lower()
            name = self._names.setdefault(pair, f"--p{len(self._names)}")
            return f'{match[1]}="var({name})"'

        return _COLOUR.sub(named, light)

    def style(self) -> str:
        """The variables; `data-theme="dark"` on the page's root has the dark ones."""
        sides = [
            "".join(f"{name}:{pair[side]};" for pair, name in self._names.items())
            for side in (0, 1)
        ]
        return f':root{{{sides[0]}}}:root[data-theme="dark"]{{{sides[1]}}}\n'
