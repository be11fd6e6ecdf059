r"""Formulas as MathML, which browsers draw themselves, and as TeX.

    mathml(["power", "y", 2])    <msup><mi>y</mi><mn>2</mn></msup>
    tex(["div", 1, "x"])         \frac{1}{x}

Read next: `pulling.py`.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from minigrad.reading.formula_text import HIGHEST, RAISED, SIGNS, Form, Printer
from minigrad.reading.names import Symbol
from minigrad.reading.text import number

# In both, fractions and exponents need no brackets: bars and heights tell.
_BINDING = {"div": (HIGHEST,), "power": (5, 6), "exp": (5,), "sqrt": (HIGHEST,)}
_PARTS = re.compile(r"([−-]?)([\d.]+|∞|NaN)(?:e(-?\d+))?")


def _digits(value: float) -> tuple[str, str, str]:
    """A number's sign, its digits, and the power of ten that they are multiplied by."""
    found = _PARTS.fullmatch(number(value))
    assert found is not None
    return "−" if found[1] else "", found[2], found[3] or ""


def _halves(base: str) -> tuple[str, str]:
    """("W", "h") for W_h: the name's own subscript."""
    head, _, tail = base.partition("_")
    return (head, tail) if head and tail and "_" not in tail else (base, "")


# ------------------------------------------------------------- MathML


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _number(value: float) -> tuple[str, int]:
    sign, digits, power = _digits(value)
    made = f"<mo>{sign}</mo>" * bool(sign) + f"<mn>{digits}</mn>"
    if power:
        exponent = f"<mn>{power.lstrip('-')}</mn>"
        if power[0] == "-":
            exponent = _row("<mo>−</mo>", exponent)
        made += f"<mo>·</mo><msup><mn>10</mn>{exponent}</msup>"
    return _row(made) if sign or power else made, 2 if sign else HIGHEST


def _symbol(symbol: Symbol) -> str:
    base, below = (symbol.base, "") if symbol.sub else _halves(symbol.base)
    made = f"<mi>{escape(base)}</mi>"
    under = f"<mi>{escape(below)}</mi>" if below else ""
    under = f"<mtext>{escape(symbol.sub)}</mtext>" if symbol.sub else under
    over = f"<mtext>{escape(symbol.sup)}</mtext>" if symbol.sup else ""
    tag = "msubsup" if under and over else "msub" if under else "msup"
    return f"<{tag}>{made}{under}{over}</{tag}>" if under or over else made


def _leaf(part: Any) -> tuple[str, int]:
    if isinstance(part, Symbol):
        return _symbol(part), RAISED if part.sup else HIGHEST
    if isinstance(part, str):
        tag = "mo" if part == "⋯" else "mi"
        return f"<{tag}>{escape(part)}</{tag}>", HIGHEST
    return _number(part)


def _over(sign: str) -> Form:
    """A sum or product, its axes underneath."""

    def written(tree: list, parts: list[str]) -> str:
        axes, made = tree[2], f"<mo>{sign}</mo>"
        if axes:
            words = f"axis {axes}" if re.fullmatch(r"[\d, ]+", axes) else axes
            made = f"<munder>{made}<mtext>{escape(words)}</mtext></munder>"
        return _row(made, parts[0])

    return written


def _call(tree: list, parts: list[str]) -> str:
    name, inside = escape(tree[1]), "<mo>,</mo>".join(parts)
    if " " in name:
        return _row(f"<mtext>{name} </mtext>", inside)
    return _row(f"<mi>{name}</mi><mo>(</mo>{inside}<mo>)</mo>")


def raised(part: str, exponent: str) -> str:
    """A power; the exponent stands over the subscript where there is one."""
    if part.startswith("<msub>"):
        return f"<msubsup>{part[6:-7]}{exponent}</msubsup>"
    return f"<msup>{part}{exponent}</msup>"


def _slope(tree: list, parts: list[str]) -> str:
    above, below = (_row(f"<mo>{tree[3]}</mo>", part) for part in parts)
    return f"<mfrac>{above}{below}</mfrac>"


_CASES = (
    "<mrow><mo>{{</mo><mtable><mtr><mtd>{1}</mtd><mtd><mtext>if </mtext>{0}</mtd></mtr>"
    "<mtr><mtd>{2}</mtd><mtd><mtext>else</mtext></mtd></mtr></mtable></mrow>"
)
_UPRIGHT_T = '<mi mathvariant="normal">T</mi>'
FORMS: dict[str, Form] = {
    **{w: _row("{0}", f"<mo>{escape(s)}</mo>", "{1}") for w, s in SIGNS.items()},
    "mul": _row("{0}<mo>·</mo>{1}"),
    "div": "<mfrac>{0}{1}</mfrac>",
    "negative": _row("<mo>−</mo>{0}"),
    "matmul": _row("{0}<mspace/>{1}"),
    "power": lambda tree, parts: raised(*parts),
    "T": lambda tree, parts: raised(parts[0], _UPRIGHT_T),
    "exp": "<msup><mi>e</mi>{0}</msup>",
    "sqrt": "<msqrt>{0}</msqrt>",
    "absolute": _row("<mo>|</mo>{0}<mo>|</mo>"),
    "norm": _row("<mo>‖</mo>{0}<mo>‖</mo>"),
    "list": _row("<mo>[</mo>{all}<mo>]</mo>"),
    "index": lambda tree, parts: _row(parts[0], f"<mtext>[{escape(tree[2])}]</mtext>"),
    "sum": _over("∑"),
    "product": _over("∏"),
    "if": _CASES,
    "where": _CASES,
    "slope": _slope,
    "call": _call,
}
_FUNCTION = _row("<mi>{name}</mi><mo>(</mo>{all}<mo>)</mo>")
_NAMES = {"sigmoid": "σ", "log": "ln", "maximum": "max", "minimum": "min"}
_BRACKETS = '<mrow class="tied"><mo>(</mo>{0}<mo>)</mo></mrow>'
_COMMA = "<mo>,</mo>"
mathml = Printer(FORMS, _leaf, _FUNCTION, _NAMES, _BRACKETS, _COMMA, _BINDING)


def _place(part: Any) -> tuple[str, int]:
    """A letter as a place to be filled, in brackets wherever a negative number would
    need them."""
    if isinstance(part, str) and part != "⋯":
        return f'<mi class="letter">{escape(part)}</mi>', 2
    return _leaf(part)


# The same as a form to be filled in, by a page that puts symbols, or numbers, for the
# letters: class "letter"; class "tied" are brackets, to be left out around what binds
# tightly.
template = Printer(FORMS, _place, _FUNCTION, _NAMES, _BRACKETS, _COMMA, _BINDING)


# ------------------------------------------------------------- TeX

_SAFE = re.compile(r"[^\w.,:#()\[\]'+× ]")  # all else is no letter of a name in TeX
_SIGNS_IN_TEX = {
    "−": "-", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "∂": r"\partial ",
    "d": r"\mathrm{d} ",
}  # fmt: skip


def _safe(words: str) -> str:
    """Words without anything that TeX would take for a command."""
    words = _SAFE.sub("-", words.replace("′", "'").replace("⋯", "..."))
    return words.replace("_", r"\_").replace("#", r"\#")


def _upright(word: str) -> str:
    """A word; a single letter is in italics, as variables are."""
    if word[1:] == "\u0303":  # the tilde of a candidate
        return rf"\tilde{{{_safe(word[0])}}}"
    return _safe(word) if len(word) == 1 else rf"\mathrm{{{_safe(word)}}}"


def _tex_leaf(part: Any) -> tuple[str, int]:
    if isinstance(part, Symbol):
        base, below = (part.base, "") if part.sub else _halves(part.base)
        under = below or part.sub
        made = _upright(base) + (f"^{{{_safe(part.sup)}}}" if part.sup else "")
        made += f"_{{{_safe(under)}}}" if under else ""
        return made, RAISED if part.sup else HIGHEST
    if isinstance(part, str):
        return r"\cdots" if part == "⋯" else _upright(part), HIGHEST
    sign, digits, power = _digits(part)
    made = "-" * bool(sign) + digits.replace("∞", r"\infty")
    made += rf" \cdot 10^{{{power}}}" if power else ""
    return made, 2 if sign else HIGHEST


def _tex_slope(tree: list, parts: list[str]) -> str:
    d = _SIGNS_IN_TEX[tree[3]]
    return rf"\frac{{{d}{parts[0]}}}{{{d}{parts[1]}}}"


def _tex_over(sign: str) -> Form:
    return lambda tree, parts: (
        sign + (rf"_{{\text{{{_safe(tree[2])}}}}}" if tree[2] else "") + f" {parts[0]}"
    )


def _tex_call(tree: list, parts: list[str]) -> str:
    name, inside = _safe(tree[1]), ", ".join(parts)
    if " " in name:
        return rf"\text{{{name} }}{inside}"
    return rf"\operatorname{{{name}}}({inside})"


_TEX_CASES = (
    r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{else}} \end{{cases}}"
)
TEX_FORMS: dict[str, Form] = {
    **{w: f"{{0}} {_SIGNS_IN_TEX.get(s, s)} {{1}}" for w, s in SIGNS.items()},
    "mul": r"{0} \cdot {1}",
    "div": r"\frac{{{0}}}{{{1}}}",
    "negative": "-{0}",
    "matmul": r"{0}\,{1}",
    "power": "{{{0}}}^{{{1}}}",
    "T": r"{{{0}}}^{{\mathrm{{T}}}}",
    "exp": "e^{{{0}}}",
    "sqrt": r"\sqrt{{{0}}}",
    "absolute": "|{0}|",
    "norm": r"\|{0}\|",
    "list": "[{all}]",
    "index": lambda tree, parts: f"{parts[0]}[{_safe(tree[2])}]",
    "sum": _tex_over(r"\sum"),
    "product": _tex_over(r"\prod"),
    "if": _TEX_CASES,
    "where": _TEX_CASES,
    "slope": _tex_slope,
    "call": _tex_call,
}
_TEX_NAMES = {"sigmoid": r"\sigma", "log": r"\ln", "maximum": r"\max",
              "minimum": r"\min", "tanh": r"\tanh", "sin": r"\sin",
              "cos": r"\cos"}  # fmt: skip
tex = Printer(TEX_FORMS, _tex_leaf, "{name}({all})", _TEX_NAMES, binding=_BINDING)
