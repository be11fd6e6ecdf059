"""Formulas as trees, and the printers: text, MathML, TeX."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.mathtext import MathTextParser
from primitives.cases import CASES

import minigrad as mg
from minigrad.engine.graph import ancestors
from minigrad.engine.primitives.base import TABLE
from minigrad.reading.formula_printers import mathml, template, tex, text, tight_text
from minigrad.reading.formulas import (
    filled,
    forward_formula,
    known,
    letters_in,
    letters_of,
    rule_formula,
    slope,
)
from minigrad.reading.names import Symbol

HOSTILE = [
    "<script>alert(1)</script>",
    r"\input{/etc/passwd}",
    "a&b",
    "$x^{2}$%",
    "{0}",
]


def trees_of(case, rng):
    """Every formula and rule of what a case of the primitives computes."""
    leaves = [mg.tensor(x, requires_grad=x.dtype.kind == "f") for x in case.inputs(rng)]
    made = case.function(*leaves)
    made = made if isinstance(made, tuple | list) else [made]
    for node in ancestors([one.node for one in made]):
        rules = [rule_formula(node, k) for k in range(len(node.edges))]
        for tree in [forward_formula(node), *rules]:
            if tree is not None:
                yield node, tree


def parsed(markup):
    return ElementTree.fromstring(f"<math>{markup}</math>")


def compiles(formula):
    """matplotlib knows no cases: they are written without."""
    for word, other in ((r"\begin{cases}", "["), (r"\end{cases}", "]"), ("&", ""),
                        (r"\\", ",")):  # fmt: skip
        formula = formula.replace(word, other)
    MathTextParser("path").parse(f"${formula}$")
    return True


def test_every_primitive_has_a_formula():
    assert all(known(primitive) for primitive in TABLE.values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_printers_write_every_formula(case, rng):
    count = 0
    for node, tree in trees_of(case, rng):
        letters = letters_in(tree) - {"⋯"}
        own = {"y", "g", *letters_of(node), *(f"g{k}" for k in range(9))}
        assert letters <= own
        symbols = {x: Symbol("W_h", "", "(1)") for x in letters}
        whole = filled(tree, symbols)
        assert letters_in(whole) <= {"⋯"}
        written = text(whole)
        assert written.count("W_h^(1)") >= len(letters) and written.count("\n") == 0
        assert compiles(tex(whole)) and compiles(tex(tree))
        shown = "".join(parsed(mathml(whole)).itertext())
        assert shown.count("Wh(1)") == written.count("W_h^(1)")
        places = parsed(template(tree)).findall(".//mi[@class='letter']")
        assert {place.text for place in places} == letters
        count += 1
    assert count


@pytest.mark.parametrize(
    ("tree", "plain", "markup"),
    [
        (["mul", ["add", "a", 1], ["negative", "b"]],
         "(a + 1) · (−b)", "(a+1)·(−b)"),
        (["sub", "a", ["sub", "b", "c"]], "a − (b − c)", "a−(b−c)"),
        (["div", "a", ["mul", "b", "c"]], "a / (b · c)", "ab·c"),
        (["power", -3, 2], "(−3)²", "(−3)2"),
        (["power", "a", ["sub", "b", 1]], "a^(b − 1)", "ab−1"),
        (["exp", ["negative", "x"]], "e^(−x)", "e−x"),
        (["sum", ["add", "a", "b"], "0"], "Σ[0] (a + b)", "∑axis 0(a+b)"),
        (["matmul", ["T", "a"], "g"], "aᵀ g", "aTg"),
        (["mul", 1e-7, "x"], "1e-7 · x", "1·10−7·x"),
        (["index", Symbol("h", "3"), "0,2"], "h_3[0,2]", "h3[0,2]"),
        (["power", Symbol("h", "3", "(1)"), 2], "(h_3^(1))²", "(h3(1))2"),
        (slope("L", Symbol("W_h")), "∂L/∂W_h", "∂L∂Wh"),
        (["call", "max", "x"], "max(x)", "max(x)"),
    ],
)  # fmt: skip
def test_brackets_and_signs(tree, plain, markup):
    assert text(tree) == plain
    assert "".join(parsed(mathml(tree)).itertext()) == markup
    assert compiles(tex(tree))


def test_factors_are_written_tight():
    assert tight_text(["mul", 2, ["div", "a", "b"]]) == "2·a/b"
    assert tight_text(["sub", 1, ["power", "y", 2]], 3) == "(1 − y²)"


def test_places_have_brackets_where_a_negative_number_needs_them():
    tied = parsed(template(["sub", 1, ["power", "y", 2]])).findall(
        ".//*[@class='tied']"
    )
    assert ["".join(row.itertext()) for row in tied] == ["(y)"]
    assert not parsed(template(["exp", "x"])).findall(".//*[@class='tied']")


@pytest.mark.parametrize("word", HOSTILE)
def test_names_are_only_text(word):
    tree = ["mul", Symbol(word, word, word), ["call", word, word]]
    assert word in "".join(parsed(mathml(tree)).itertext())
    assert text(tree).count(word) == 5
    names = tex(Symbol(word, "1"))
    assert not re.search(r"[&$%{}<>\\^]", names.replace(r"\mathrm{", "", 1)
                         .replace("}_{1}", "", 1).replace(r"\_", "")
                         .replace(r"\#", ""))  # fmt: skip


def test_a_long_chain_needs_no_recursion():
    tree = "x"
    for _ in range(5000):
        tree = ["add", tree, 1]
    assert text(tree).count("+") == 5000
    assert letters_in(filled(tree, {"x": 2})) == set()
