"""An explanation typeset: LaTeX, and MathML for notebooks and pages.

Read next: `sympy_formula.py`.
"""

from __future__ import annotations

import re
from html import escape

from minigrad.explaining.terms import Explained, Term
from minigrad.explaining.value_names import Quotient, Symbol

MOST = 12  # terms that are shown; the table ends with a note about the others


def latex(e: Explained) -> str:
    """dL/dp = the sum of the terms' products, and the formula if it is small."""
    target = _latex(e.names.target)
    sums = []
    for term in e.terms[:MOST]:
        sums += [r"\,".join(map(_fraction, factors)) for factors in _products(term)]
    if len(e.terms) > MOST:
        sums.append(r"\cdots")
    total = " + ".join(sums)
    found = rf"\frac{{\mathrm{{d}} L}}{{\mathrm{{d}} {target}}} = {total}"
    formula = _sympy(e)
    return found if formula is None else f"{found} = {formula}"


def _sympy(e: Explained) -> str | None:
    if not e.readable:
        return None
    import sympy

    return sympy.latex(e.formula)


def _latex(symbol: Symbol | str) -> str:
    if isinstance(symbol, str):
        return symbol
    base = re.sub(r"[^\w.#()·+−/]", "-", symbol.base)
    base = base.replace("_", r"\_").replace("#", r"\#")
    shown = base if len(symbol.base) == 1 else rf"\mathrm{{{base}}}"
    marks = symbol.layer.replace("←", r"\leftarrow ")
    if marks:
        shown += f"^{{{marks}}}"
    if symbol.time is not None:
        shown += f"_{{{symbol.time}}}"
    return shown + symbol.entry


def _fraction(quotient: Quotient) -> str:
    above, below = _latex(quotient.above), _latex(quotient.below)
    d = r"\partial " if quotient.d == "∂" else r"\mathrm{d} "
    return rf"\frac{{{d}{above}}}{{{d}{below}}}"


# ------------------------------------------------------------- MathML


def html(e: Explained) -> str:
    """A table of terms with typeset products: for notebooks, and as part of pages."""
    rows = [_row(term) for term in e.terms[:MOST]]
    if len(e.terms) > MOST:
        rest = len(e.terms) - MOST
        rows.append(f"<tr><td>and {rest} terms more</td><td></td><td></td></tr>")
    for value in e.rounding:
        rows.append(f"<tr><td>rounding</td><td></td><td>{value}</td></tr>")
    target = _math([Quotient("L", e.names.target, "d")])
    parts = "".join(
        f"<p>{escape(name)} = ({escape(', '.join(letters))})</p>"
        for name, letters in list(e.names.parts.items())[:1]
    )
    formula = _mathml(e)
    body = (
        '<table class="mg-explain"><thead><tr><th>step</th><th>product of Jacobians'
        "</th><th>value</th></tr></thead><tbody>"
        + "".join(rows)
        + f"<tr><th>sum</th><th>{target}</th><th>{e.value}</th></tr></tbody></table>"
        + parts
    )
    return f"<div>{body}{formula}</div>"


def _products(term: Term) -> list[list[Quotient]]:
    """The products of a term; of many the sum, dL/ds times ds/dp."""
    if term.reads > 3:
        return [list(term.symbols)]
    return [[f.quotient for f in product.factors] for product in term.products]


def _row(term: Term) -> str:
    shown = " + ".join([_math(factors) for factors in _products(term)])
    place = escape(term.place)
    return f"<tr><td>{place}</td><td>{shown}</td><td>{term.value}</td></tr>"


def _math(factors: list[Quotient]) -> str:
    if len(factors) > 7:
        left, right = factors[:3], factors[-2:]
        count = len(factors) - 5
        middle = f"<mo>⋯</mo><mtext>{count} Jacobians</mtext><mo>⋯</mo>"
        inside = "".join(map(_quotient, left)) + middle + "".join(map(_quotient, right))
    else:
        inside = "<mo>·</mo>".join(map(_quotient, factors))
    return _whole(inside)


def _quotient(quotient: Quotient) -> str:
    above, below = _symbol(quotient.above), _symbol(quotient.below)
    d = f"<mo>{quotient.d}</mo>"
    return f"<mfrac><mrow>{d}{above}</mrow><mrow>{d}{below}</mrow></mfrac>"


def _symbol(symbol: Symbol | str) -> str:
    if isinstance(symbol, str):
        return f"<mi>{escape(symbol)}</mi>"
    base = f"<mi>{escape(symbol.base)}</mi>"
    time = "" if symbol.time is None else f"<mn>{symbol.time}</mn>"
    layer = f"<mi>{escape(symbol.layer)}</mi>" if symbol.layer else ""
    if time and layer:
        base = f"<msubsup>{base}{time}{layer}</msubsup>"
    elif time:
        base = f"<msub>{base}{time}</msub>"
    elif layer:
        base = f"<msup>{base}{layer}</msup>"
    return base + (f"<mtext>{escape(symbol.entry)}</mtext>" if symbol.entry else "")


def _mathml(e: Explained) -> str:
    """The formula, each factor an element of its own: a page may break between them."""
    if not e.readable:
        return ""
    from sympy.printing.mathml import mathml

    target = _quotient(Quotient("L", e.names.target, "d"))
    words = [_whole(target + "<mo>=</mo>")]
    terms = e.formula.as_ordered_terms()
    for term in terms:
        factors = term.as_ordered_factors()
        for factor in factors:
            shown = mathml(factor, printer="presentation")
            shown = shown.replace("&InvisibleTimes;", "&#8290;")  # known to XML, too
            if factor.is_Add and len(factors) > 1:
                shown = f"<mo>(</mo>{shown}<mo>)</mo>"
            words.append(
                _whole(shown + ("" if factor is factors[-1] else "<mo>·</mo>"))
            )
        if term is not terms[-1]:
            words.append(_whole("<mo>+</mo>"))
    return f"<p>{' '.join(words)}</p>"


def _whole(inside: str) -> str:
    return f'<math displaystyle="true"><mrow>{inside}</mrow></math>'
