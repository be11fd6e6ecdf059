"""An explanation typeset: LaTeX, and MathML for notebooks and pages.

Read next: `terms_picture.py`.
"""

from __future__ import annotations

from html import escape

from minigrad.explaining.terms import Explained, Term
from minigrad.reading.formula_printers import mathml, tex
from minigrad.reading.formulas import Tree, slope

MOST = 12  # terms that are shown; the table ends with a note about the others


def latex(e: Explained) -> str:
    """dL/dp = the sum of the terms' products, and the formula if it is small."""
    sums = []
    for term in e.terms[:MOST]:
        sums += [r"\,".join(map(tex, factors)) for factors in _products(term)]
    if len(e.terms) > MOST:
        sums.append(r"\cdots")
    total = " + ".join(sums)
    found = f"{tex(slope('L', e.names.target, 'd'))} = {total}"
    formula = _sympy(e)
    return found if formula is None else f"{found} = {formula}"


def _sympy(e: Explained) -> str | None:
    if not e.readable:
        return None
    import sympy

    return sympy.latex(e.formula)


# ------------------------------------------------------------- MathML


def html(e: Explained) -> str:
    """A table of terms with typeset products: for notebooks, and as part of pages."""
    rows = [_row(term) for term in e.terms[:MOST]]
    if len(e.terms) > MOST:
        rest = len(e.terms) - MOST
        rows.append(f"<tr><td>and {rest} terms more</td><td></td><td></td></tr>")
    for value in e.rounding:
        rows.append(f"<tr><td>rounding</td><td></td><td>{value}</td></tr>")
    target = _math([slope("L", e.names.target, "d")])
    parts = "".join(
        f"<p>{escape(name)} = ({escape(', '.join(letters))})</p>"
        for name, letters in e.names.examples
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


def _products(term: Term) -> list[list[Tree]]:
    """The products of a term; of many the sum, dL/ds times ds/dp."""
    if term.reads > 3:
        return [list(term.symbols)]
    return [[f.quotient for f in product.factors] for product in term.products]


def _row(term: Term) -> str:
    shown = " + ".join([_math(factors) for factors in _products(term)])
    place = escape(term.place)
    return f"<tr><td>{place}</td><td>{shown}</td><td>{term.value}</td></tr>"


def _math(factors: list[Tree]) -> str:
    if len(factors) > 7:
        left, right = factors[:3], factors[-2:]
        count = len(factors) - 5
        middle = f"<mo>⋯</mo><mtext>{count} Jacobians</mtext><mo>⋯</mo>"
        inside = "".join(map(mathml, left)) + middle + "".join(map(mathml, right))
    else:
        inside = "<mo>·</mo>".join(map(mathml, factors))
    return _whole(inside)


def _mathml(e: Explained) -> str:
    """The formula, each factor an element of its own: a page may break between them."""
    if not e.readable:
        return ""
    from sympy.printing.mathml import mathml as of_sympy

    target = mathml(slope("L", e.names.target, "d"))
    words = [_whole(target + "<mo>=</mo>")]
    terms = e.formula.as_ordered_terms()
    for term in terms:
        factors = term.as_ordered_factors()
        for factor in factors:
            shown = of_sympy(factor, printer="presentation")
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
