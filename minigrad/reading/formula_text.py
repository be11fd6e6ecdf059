"""Formulas as plain text: "∂L/∂f_3 · f_3 · (1 − f_3)"; and what all printers share.

A printer is a table, a form for each word of a tree, and how tightly each word binds:
what binds less than its place demands is put in brackets.

Read next: `formula_markup.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minigrad.reading.formulas import Tree, fold
from minigrad.reading.names import Symbol
from minigrad.reading.text import number

Form = str | Callable[[list, list[str]], str]
SIGNS = {
    "add": "+", "sub": "−", "less": "<", "less_equal": "≤", "greater": ">",
    "greater_equal": "≥", "equal": "=", "not_equal": "≠",
}  # fmt: skip
HIGHEST = 9  # how tightly a letter binds
RAISED = 5  # how tightly what has something above it binds, as powers do

# How tightly a word binds, and how tightly its parts must. Others: as f(x) does.
BINDING: dict[str, tuple[int, ...]] = {
    "if": (0,), "where": (0,), **dict.fromkeys(SIGNS, (1, 2, 2)),
    "add": (2, 2, 2), "sub": (2, 2, 3), "negative": (2, 3), "sum": (2, 3),
    "product": (2, 3), "mul": (3, 3, 3), "div": (3, 3, 4), "matmul": (4, 4, 5),
    "power": (5, 6, 6), "T": (5, 5), "exp": (5, 9), "index": (6, 5),
}  # fmt: skip


class Printer:
    """Writes trees in one notation: `printer(tree)`.

    forms     {word: form}: "{0} + {1}" of the parts' texts, or a function of the tree
              and these texts
    leaf      (letter, symbol or number) -> (its text, how tightly it binds)
    call      the form of f(x, ...): {name}, {all}
    brackets  the form of what is put in brackets
    comma     between parts
    names     functions with another name than their word
    binding   words that bind in another way than in `BINDING`
    """

    def __init__(
        self,
        forms: Mapping[str, Form],
        leaf: Callable[[Any], tuple[str, int]],
        call: str,
        names: Mapping[str, str],
        brackets: str = "({0})",
        comma: str = ", ",
        binding: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.forms, self.leaf, self.call, self.names = forms, leaf, call, names
        self.brackets, self.comma = brackets, comma
        self.binding = {**BINDING, **(binding or {})}

    def __call__(self, tree: Tree, least: int = 0) -> str:
        """The tree as text; in brackets if it binds less than `least`."""
        return self._tied(fold(tree, self._leaf, self._level), least)

    def _leaf(self, part: Any) -> tuple[str, int]:
        """A letter, symbol or number; a constant's symbol is its number."""
        value = part.value if isinstance(part, Symbol) else None
        return self.leaf(part if value is None else value)

    def _tied(self, part: tuple[str, int], least: int) -> str:
        return part[0] if part[1] >= least else self.brackets.format(part[0])

    def _level(self, tree: list, parts: list[tuple[str, int]]) -> tuple[str, int]:
        """One level of a tree, and how tightly it binds."""
        word = tree[0]
        own, *least = self.binding.get(word, (HIGHEST,))
        least += [0] * (len(parts) - len(least))
        texts = [self._tied(p, n) for p, n in zip(parts, least, strict=False)]
        form = self.forms.get(word)
        if form is None:
            name = self.names.get(word, word)
            return self.call.format(name=name, all=self.comma.join(texts)), own
        if callable(form):
            return form(tree, texts), own
        return form.format(*texts, all=self.comma.join(texts)), own


# ------------------------------------------------------------- as text

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _leaf(part: Any) -> tuple[str, int]:
    """A number with the sign that formulas have; a name of two words in brackets."""
    if isinstance(part, str | Symbol):
        binding = RAISED if isinstance(part, Symbol) and part.sup else HIGHEST
        return str(part), 2 if " " in str(part) else binding
    text = number(part).replace("-", "−", 1) if part < 0 else number(part)
    return text, 2 if text[:1] == "−" else HIGHEST


def _power(tree: list, parts: list[str]) -> str:
    if isinstance(tree[2], int) and tree[2] >= 0:
        return parts[0] + parts[1].translate(_RAISED)
    return f"{parts[0]}^{parts[1]}"


def _over(sign: str) -> Form:
    return lambda tree, parts: f"{sign}{f'[{tree[2]}]' if tree[2] else ''} {parts[0]}"


def _call(tree: list, parts: list[str]) -> str:
    name, inside = tree[1], ", ".join(parts)
    return f"{name} {inside}" if " " in name else f"{name}({inside})"


FORMS: dict[str, Form] = {
    **{word: f"{{0}} {sign} {{1}}" for word, sign in SIGNS.items()},
    "mul": "{0} · {1}",
    "div": "{0} / {1}",
    "negative": "−{0}",
    "matmul": "{0} {1}",
    "power": _power,
    "T": "{0}ᵀ",
    "sum": _over("Σ"),
    "product": _over("Π"),
    "index": lambda tree, parts: f"{parts[0]}[{tree[2]}]",
    "list": "[{all}]",
    "norm": "‖{0}‖",
    "absolute": "|{0}|",
    "exp": "e^{0}",
    "if": "{1} if {0} else {2}",
    "where": "{1} if {0} else {2}",
    "slope": lambda tree, parts: f"{tree[3]}{parts[0]}/{tree[3]}{parts[1]}",
    "call": _call,
}
_NAMES = {"sigmoid": "σ", "log": "ln", "maximum": "max", "minimum": "min", "sqrt": "√"}

text = Printer(FORMS, _leaf, "{name}({all})", _NAMES, binding={"call": (4,)})
# The same without blanks around · and /, for formulas that are factors themselves.
tight_text = Printer(
    FORMS | {"mul": "{0}·{1}", "div": "{0}/{1}"}, _leaf, "{name}({all})", _NAMES
)
