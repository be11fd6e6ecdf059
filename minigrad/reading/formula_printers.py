r"""Formulas in three notations: plain text, MathML (which browsers draw) and TeX.

    text(["div", 1, ["power", "y", 2]])      1 / y²
    mathml(...)                              <mfrac><mn>1</mn><msup>...
    tex(...)                                 \frac{1}{{y}^{2}}

`FORMS` says how each word of a tree is written, `BINDING` how tightly it binds: what
binds less than its place demands is put in brackets.

Read next: `pulling.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from minigrad.reading.formulas import Tree, fold, note_of
from minigrad.reading.names import CANDIDATE, Symbol
from minigrad.reading.text import number

SIGNS = {
    "add": "+", "sub": "−", "less": "<", "less_equal": "≤", "greater": ">",
    "greater_equal": "≥", "equal": "=", "not_equal": "≠",
}  # fmt: skip
_TEX_SIGNS = {"−": "-", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq"}
HIGHEST = 9  # how tightly a letter binds
RAISED = 5  # what has something above it

# How tightly a word binds, and how tightly its parts must; others: as f(x) does.
BINDING: dict[str, tuple[int, ...]] = {
    "if": (0,), "where": (0,), **dict.fromkeys(SIGNS, (1, 2, 2)),
    "add": (2, 2, 2), "sub": (2, 2, 3), "negative": (2, 3), "sum": (2, 3),
    "product": (2, 3), "mul": (3, 3, 3), "div": (3, 3, 4), "matmul": (4, 4, 5),
    "power": (RAISED, 6, 6), "T": (RAISED, 5), "exp": (RAISED, HIGHEST),
    "index": (6, 5), "call": (4,),
}  # fmt: skip
# In markup bars and heights tell what belongs together.
_IN_MARKUP = {"div": (HIGHEST,), "power": (RAISED, 6), "exp": (RAISED,)}

# Each in text, MathML and TeX. {0}, {1}: the parts; {note}: words that are no part.
_CASES = (
    "{1} if {0} else {2}",
    "<mo>{{</mo><mtable><mtr><mtd>{1}</mtd><mtd><mtext>if </mtext>{0}</mtd></mtr>"
    "<mtr><mtd>{2}</mtd><mtd><mtext>else</mtext></mtd></mtr></mtable>",
    r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{else}} \end{{cases}}",
)
_POWER = ("{0}^{1}", "<msup>{0}{1}</msup>", "{{{0}}}^{{{1}}}")
FORMS: dict[str, tuple[str, str, str]] = {
    **{
        word: (
            f"{{0}} {sign} {{1}}",
            f"{{0}}<mo>{escape(sign)}</mo>{{1}}",
            f"{{0}} {_TEX_SIGNS.get(sign, sign)} {{1}}",
        )
        for word, sign in SIGNS.items()
    },
    "mul": ("{0} · {1}", "{0}<mo>·</mo>{1}", r"{0} \cdot {1}"),
    "div": ("{0} / {1}", "<mfrac>{0}{1}</mfrac>", r"\frac{{{0}}}{{{1}}}"),
    "negative": ("−{0}", "<mo>−</mo>{0}", "-{0}"),
    "matmul": ("{0} {1}", "{0}<mspace/>{1}", r"{0}\,{1}"),
    "power": _POWER,
    "square": ("{0}{raised}", *_POWER[1:]),  # and any other digits
    "T": ("{0}ᵀ", '<msup>{0}<mi mathvariant="normal">T</mi></msup>',
          r"{{{0}}}^{{\mathrm{{T}}}}"),
    "exp": ("e^{0}", "<msup><mi>e</mi>{0}</msup>", "e^{{{0}}}"),
    "sqrt": ("√({0})", "<msqrt>{0}</msqrt>", r"\sqrt{{{0}}}"),
    "absolute": ("|{0}|", "<mo>|</mo>{0}<mo>|</mo>", "|{0}|"),
    "norm": ("‖{0}‖", "<mo>‖</mo>{0}<mo>‖</mo>", r"\|{0}\|"),
    "list": ("[{all}]", "<mo>[</mo>{all}<mo>]</mo>", "[{all}]"),
    "index": ("{0}[{note}]", "{0}<mtext>[{note}]</mtext>", "{0}[{note}]"),
    "sum": ("Σ[{note}] {0}",
            "<munder><mo>∑</mo><mtext>{axis}{note}</mtext></munder>{0}",
            r"\sum_{{\text{{{axis}{note}}}}} {0}"),
    "sum of all": ("Σ {0}", "<mo>∑</mo>{0}", r"\sum {0}"),
    "product": ("Π[{note}] {0}",
                "<munder><mo>∏</mo><mtext>{axis}{note}</mtext></munder>{0}",
                r"\prod_{{\text{{{axis}{note}}}}} {0}"),
    "product of all": ("Π {0}", "<mo>∏</mo>{0}", r"\prod {0}"),
    "if": _CASES,
    "where": _CASES,
    "∂": ("∂{0}/∂{1}", "<mfrac><mrow><mo>∂</mo>{0}</mrow><mrow><mo>∂</mo>{1}</mrow>"
          "</mfrac>", r"\frac{{\partial {0}}}{{\partial {1}}}"),
    "d": ("d{0}/d{1}", "<mfrac><mrow><mo>d</mo>{0}</mrow><mrow><mo>d</mo>{1}</mrow>"
          "</mfrac>", r"\frac{{\mathrm{{d}} {0}}}{{\mathrm{{d}} {1}}}"),
    "call": ("{name}({all})", "<mi>{name}</mi>"
             '<mo stretchy="false">(</mo>{all}<mo stretchy="false">)</mo>',
             "{name}({all})"),
    "words": ("{note} {all}", "<mtext>{note} </mtext>{all}", r"\text{{{note} }}{all}"),
    "brackets": ("({0})", '<mrow class="tied"><mo>(</mo>{0}<mo>)</mo></mrow>', "({0})"),
    "comma": (", ", "<mo>,</mo>", ", "),
}  # fmt: skip
_NAMES = {"sigmoid": "σ", "log": "ln", "maximum": "max", "minimum": "min"}
_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Printer:
    """Writes trees in one notation: `printer(tree)`.

    column    of `FORMS`: 0 text, 1 MathML, 2 TeX
    leaf      (letter, symbol or number) -> (its text, how tightly it binds)
    safe      what makes the words of a tree safe in this notation
    function  the name of a function, from such words
    changed   {word: another form than the table's}
    """

    def __init__(
        self,
        column: int,
        leaf: Callable[[Any], tuple[str, int]],
        safe: Callable[[str], str] = str,
        function: Callable[[str], str] = str,
        changed: Mapping[str, str] | None = None,
    ) -> None:
        self.leaf, self.safe, self.function = leaf, safe, function
        self.forms = {word: forms[column] for word, forms in FORMS.items()}
        self.forms |= changed or {}
        self.binding = BINDING | (_IN_MARKUP if column else {})

    def __call__(self, tree: Tree, least: int = 0) -> str:
        """The tree as text; in brackets if it binds less than `least`."""
        return self._tied(fold(tree, self._leaf, self._level), least)

    def _leaf(self, part: Any) -> tuple[str, int]:
        """A letter, symbol or number; a constant's symbol is its number."""
        value = part.value if isinstance(part, Symbol) else None
        return self.leaf(part if value is None else value)

    def _tied(self, part: tuple[str, int], least: int) -> str:
        return part[0] if part[1] >= least else self.forms["brackets"].format(part[0])

    def _level(self, tree: list[Any], parts: list[tuple[str, int]]) -> tuple[str, int]:
        """One level of a tree, and how tightly it binds."""
        own, *least = self.binding.get(tree[0], (HIGHEST,))
        least += [0] * (len(parts) - len(least))
        texts = [self._tied(p, n) for p, n in zip(parts, least, strict=False)]
        note = note_of(tree)
        form = self.forms.get(_kind(tree, note), self.forms["call"])
        words = {
            "all": self.forms["comma"].join(texts),
            "note": self.safe(note),
            "name": self.function(_NAMES.get(tree[0], note or tree[0])),
            "axis": "axis " if note[:1].isdigit() else "",
            "raised": texts[-1].translate(_DIGITS) if texts else "",
        }
        return form.format(*texts, **words), own


def _kind(tree: list[Any], note: str) -> str:
    """The row of `FORMS` for a tree: its word, or a special case of it."""
    word = tree[0]
    if word == "slope":
        return note
    if word in ("sum", "product") and not note:
        return f"{word} of all"
    if word == "call" and " " in note:
        return "words"
    square = word == "power" and isinstance(tree[2], int) and tree[2] >= 0
    return "square" if square else word


# ------------------------------------------------------------- text


def _plain(part: Any) -> tuple[str, int]:
    """A number with the sign that formulas have; a name of two words in brackets."""
    if isinstance(part, str | Symbol):
        binding = RAISED if isinstance(part, Symbol) and part.sup else HIGHEST
        return str(part), 2 if " " in str(part) else binding
    written = number(part).replace("-", "−", 1) if part < 0 else number(part)
    return written, 2 if written[:1] == "−" else HIGHEST


text = Printer(0, _plain)
# The same without blanks around · and /, for formulas that are factors themselves.
tight_text = Printer(0, _plain, changed={"mul": "{0}·{1}", "div": "{0}/{1}"})


# ------------------------------------------------------------- markup

_NUMBER = re.compile(r"([−-]?)([\d.]+|∞|NaN)(?:e(-?\d+))?")


def _number(value: float) -> tuple[str, str, str]:
    """A number's sign, its digits, and the power of ten that they are multiplied by."""
    found = _NUMBER.fullmatch(number(value))
    assert found is not None
    return found[1] and "−", found[2], found[3] or ""


def _base(symbol: Symbol) -> tuple[str, str]:
    """A symbol's base and what stands below it: ("W", "h") for W_h, too."""
    head, _, tail = symbol.base.partition("_")
    halves = head and tail and "_" not in tail and not symbol.sub
    return (head, tail) if halves else (symbol.base, symbol.sub)


def _element(part: Any) -> tuple[str, int]:
    """A letter, symbol or number in MathML."""
    if isinstance(part, str):
        tag = "mo" if part == "⋯" else "mi"
        return f"<{tag}>{escape(part)}</{tag}>", HIGHEST
    if isinstance(part, Symbol):
        base, below = _base(part)
        made = f"<mi>{escape(base)}</mi>"
        if below:
            tag = "mtext" if part.sub else "mi"
            made += f"<{tag}>{escape(below)}</{tag}>"
        if part.sup:
            made += f"<mtext>{escape(part.sup)}</mtext>"
        tag = "m" + "sub" * bool(below) + "sup" * bool(part.sup)
        made = made if tag == "m" else f"<{tag}>{made}</{tag}>"
        return made, RAISED if part.sup else HIGHEST
    sign, digits, power = _number(part)
    made = f"<mn>{digits}</mn>"
    if power:
        minus, exponent = "<mo>−</mo>" * (power[0] == "-"), power.lstrip("-")
        made += (
            f"<mo>·</mo><msup><mn>10</mn><mrow>{minus}<mn>{exponent}</mn></mrow></msup>"
        )
    if sign:
        made = f"<mo>−</mo>{made}"
    return f"<mrow>{made}</mrow>" if sign or power else made, 2 if sign else HIGHEST


def _place(part: Any) -> tuple[str, int]:
    """A letter as a place to be filled, in brackets wherever a negative number would
    need them."""
    if isinstance(part, str) and part != "⋯":
        return f'<mi class="letter">{escape(part)}</mi>', 2
    return _element(part)


_ROWS = {
    word: f"<mrow>{forms[1]}</mrow>"
    for word, forms in FORMS.items()
    if not forms[1].startswith(("<mfrac", "<msup", "<msqrt", "<mrow"))
    and word != "comma"
}
mathml = Printer(1, _element, escape, escape, _ROWS)
# The same as a form to be filled in, by a page that puts symbols, or numbers, for the
# letters: class "letter"; class "tied" are brackets, to be left out around what binds
# tightly.
template = Printer(1, _place, escape, escape, _ROWS)

_TEX_FUNCTIONS = {"σ": r"\sigma"} | {
    f: rf"\{f}" for f in "ln max min tanh sin cos".split()
}
_NO_NAME = re.compile(r"[^\w.,:#()\[\]'+× ]")  # could be a command of TeX


def _safe(words: str) -> str:
    """Words without anything that TeX would take for a command."""
    words = _NO_NAME.sub("-", words.replace("′", "'").replace("⋯", "..."))
    return words.replace("_", r"\_").replace("#", r"\#")


def _upright(word: str) -> str:
    """A word; a single letter is in italics, as variables are."""
    if word[1:] == CANDIDATE:
        return rf"\tilde{{{_safe(word[0])}}}"
    return _safe(word) if len(word) == 1 else rf"\mathrm{{{_safe(word)}}}"


def _in_tex(part: Any) -> tuple[str, int]:
    """A letter, symbol or number in TeX."""
    if isinstance(part, str):
        return r"\cdots" if part == "⋯" else _upright(part), HIGHEST
    if isinstance(part, Symbol):
        base, below = _base(part)
        made = _upright(base) + (f"^{{{_safe(part.sup)}}}" if part.sup else "")
        made += f"_{{{_safe(below)}}}" if below else ""
        return made, RAISED if part.sup else HIGHEST
    sign, digits, power = _number(part)
    made = sign.replace("−", "-") + digits.replace("∞", r"\infty")
    made += rf" \cdot 10^{{{power}}}" if power else ""
    return made, 2 if sign else HIGHEST


def _function(name: str) -> str:
    return _TEX_FUNCTIONS.get(name) or rf"\operatorname{{{_safe(name)}}}"


tex = Printer(2, _in_tex, _safe, _function)
