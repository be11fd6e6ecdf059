r"""Writes lessons' formulas as plain text: $\frac{\partial L}{\partial w}$ as ∂L/∂w.

Only what the lessons use: a test reads every formula of theirs.

Read next: `lesson_copies.py`.
"""

from __future__ import annotations

import re

SIGNS = {
    "partial": "∂",
    "sum": "Σ",
    "prod": "Π",
    "sigma": "σ",
    "gamma": "γ",
    "ast": "*",
    "cdot": "·",
    "leftarrow": "←",
    "lVert": "‖",
    "rVert": "‖",
    "lvert": "|",
    "rvert": "|",
    "le": "≤",
    "top": "T",
    "ldots": "...",
    "qquad": "    ",
    "quad": "  ",
}
_GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"  # braces, and braces within them
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)


def readable(markdown: str) -> str:
    """The text with its formulas as a terminal can show them."""
    return _FORMULA.sub(_shown, markdown)


def _shown(found: re.Match[str]) -> str:
    if found[1] is None:
        return plain(found[2]).replace("\n", " ")
    return f"```text\n{plain(found[1])}\n```"


def plain(formula: str) -> str:
    """One formula, from LaTeX, in letters and signs."""
    text = re.sub(r"\\(begin|end)\{\w+\}", "", formula)
    text = re.sub(rf"\\(text|operatorname|mathrm){_GROUP}", r"\2", text)
    text = re.sub(rf"\\frac{_GROUP}{_GROUP}", _fraction, text)
    text = text.replace("\\\\", "\n").replace("&&", "   ").replace("&", "")
    text = re.sub(r"\\[ ,;] *", " ", text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda m: SIGNS.get(m[1], m[1]), text)
    text = text.replace("∂ ", "∂")
    text = re.sub(r"([_^])\{(\w+)\}", r"\1\2", text)
    text = text.replace("{", "(").replace("}", ")")
    lines = [line.strip() for line in text.strip().split("\n")]
    return "\n".join(line for line in lines if line)


def _fraction(found: re.Match[str]) -> str:
    above, below = found[1], found[2]
    return f"{_held(above)}/{_held(below)}"


def _held(part: str) -> str:
    """A sum gets brackets, a derivative does not."""
    return f"({part})" if re.search(r"[-+](?![^{]*\})", part) else part
