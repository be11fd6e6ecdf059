"""Names that try to be markup, DOT, paths or control codes: they are shown as text."""

import html.parser
import itertools
import json
import random
import re
import unicodedata
import xml.etree.ElementTree as ElementTree

import hypothesis
import numpy as np
import pytest
from drawn import needs_an_engine
from hypothesis import strategies as st

import minigrad as mg
from minigrad.drawing.write.picture_page import page
from minigrad.models import RNN
from minigrad.reading.names import last_word

FRAGMENTS = [
    *'"\\;[]{}<>|&#%=,\'`$()/ \t\n\r\0\f\v\b\x1b\x7f\x85',
    '"]; x [label="', '" URL="javascript:alert(1)', "</title>", "</text></svg>", "<!--",
    "-->", "]]>", "<![CDATA[", "<?xml", "<!DOCTYPE x [<!ENTITY e 'e'>]>", "&e;",
    "&amp;", "&#60;", "&lt;b&gt;", "&quot", "<b>bold</b>", "<script>alert(1)</script>",
    "</script>", "<img src=x onerror=alert(1)>", "<a href='//x'>",
    "javascript:alert(1)",
    "<TABLE><TR><TD>", "\\N", "\\G", "\\E", "\\T", "\\H", "\\L", "\\l", "\\r", "\\n",
    '\\"', "\\\\", "%n", "%s%s%n", "{a|b}", "<f0> a|<f1> b", "strict digraph {",
    "}", "subgraph x", "//x", "/*", "*/", "#include", "root", "legend", "../../x",
    "\u202e", "\u2066", "\u200f", "\ufeff", "\u2028", "\u2029", "\u200d", "\ud800",
    "\udfff", "\ud83d", "\ufffe", "\uffff", "\U0010ffff", "\ue000", "\u0301",
    "名前", "שם", "😀", "ﬁ", "Ω≈ç", "a b", "x" * 60, "é" * 50, ".", "a.b", "$(x)",
]  # fmt: skip


def corpus(count):
    """Fragments alone, and strung together at random."""
    pick = random.Random(7)
    strings = list(FRAGMENTS)
    while len(strings) < count:
        strings.append("".join(pick.choices(FRAGMENTS, k=pick.randint(2, 5))))
    return strings


def batches(strings, size=60):
    """The strings, some at a time: one drawing each."""
    rest = iter(strings)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def drawing_of(names, **options):
    """Each name as that of a tensor, of a scope and of a result."""
    results = []
    for k, name in enumerate(names):
        x = mg.tensor(np.ones(2), requires_grad=bool(k % 2), name=name)
        with mg.scope(name):
            results.append(mg.tanh(x))
        results[-1].name = name
    return mg.draw(mg.stack(results), title=names[0], **options)


# ------------------------------------------------------------- what must hold

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
KNOWN = set(
    "arrowhead arrowsize bb bgcolor class color constraint dir dpi fillcolor "
    "fontcolor fontname fontsize height id label labeljust labelloc lheight lp "
    "lwidth margin minlen nodesep ordering outputorder pad penwidth peripheries "
    "pos rank rankdir ranksep shape splines style tooltip weight width xlabel".split()
)
TAGS = {"svg", "g", "title", "a", "path", "polygon", "polyline", "ellipse", "text"}


def check_dot(text):
    """Outside quotation marks there is nothing but what we write ourselves."""
    bare = QUOTED.sub("Q", text)
    assert set(re.findall(r"(\w+)=", bare)) <= KNOWN
    assert set(re.sub(r"->", "", bare)) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ \n[]{}=.-"
    )
    kinds = {unicodedata.category(char) for char in set(text) - {"\n"}}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    text.encode()


def check_svg(svg, names):
    """Well-formed, of known elements, without links; the names are there as text."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        assert element.tag.rpartition("}")[2] in TAGS
        for name in element.attrib:
            assert not name.startswith("on") and "href" not in name and name != "style"
    shown = {  # primes tell names apart that are cut to the same
        re.sub(r"\s", " ", (element.text or "").partition("′")[0])
        for element in root.iter("{http://www.w3.org/2000/svg}text")
    }
    for name in names:
        if not name:
            continue
        assert re.sub(r"\s", " ", last_word(name)) in shown


class Page(html.parser.HTMLParser):
    """The tags of a page, as a browser splits them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.data, self.inside = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = dict(attrs).get("id") if tag == "script" else None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.data[self.inside] = self.data.get(self.inside, "") + data


def check_page(text):
    """One style, one script, one block of data; nothing that loads or runs besides."""
    page = Page(text)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == 2 and tags.count("style") == 1
    assert not {"img", "iframe", "object", "embed", "link", "form"} & set(tags)
    for tag, attributes in page.tags:
        for name in attributes:
            assert not name.startswith("on") and name not in ("src", "style", "href")
            assert "href" not in name or tag == "svg"
    assert json.loads(page.data["mg-data"])["boxes"]


def check(names):
    """All of it for one drawing of all the names."""
    drawing = drawing_of(names)
    check_dot(drawing.dot)
    check_dot(drawing.placed)
    svg = drawing.svg()
    check_svg(svg, names)
    check_page(page(drawing.picture, drawing.layout, svg, "light"))
    return drawing


def check_all(row, names):
    """Each batch of names in DOT, in SVG and in a page; what fails is wrong."""
    needs_an_engine()
    for batch in batches(names):
        try:
            check(batch)
        except AssertionError as error:
            row.wrong.append(f"{batch}: {error}")
        row.tried += len(batch)


def test_a_thousand_hostile_names_are_text(proof):
    check_all(
        proof("files", "hostile labels in DOT, SVG and HTML", seed=7), corpus(1200)
    )


@pytest.mark.nightly
def test_ten_thousand_hostile_names_are_text(proof):
    row = proof("files", "hostile labels in DOT, SVG and HTML", seed=7)
    check_all(row, corpus(11_200)[1200:])


@hypothesis.settings(max_examples=12)
@hypothesis.given(
    st.lists(
        st.text(st.characters(codec=None, exclude_categories=()), max_size=60),
        min_size=40, max_size=80,
    )
)  # fmt: skip
def test_any_text_is_text(names):
    needs_an_engine()
    check(names)


@pytest.mark.parametrize("name", ["a" * 1_000_000, "<b>" * 400_000, '"' * 1_000_000])
def test_a_megabyte_of_name_is_cut(name):
    needs_an_engine()
    drawing = check([name, "x"])
    assert len(drawing.dot) < 10_000 and len(drawing.html()) < 60_000


@pytest.mark.parametrize("level", ["cell", "gate", "op"])
def test_hostile_words_scopes_and_inputs_of_a_recurrent_network(level):
    needs_an_engine()
    for batch in batches(FRAGMENTS, 25):
        x = mg.tensor(np.ones((len(batch), 1, 2)), name=batch[-1])
        with mg.scope(batch[0]):
            y = RNN(2, 2, rng=0)(x)[0]
        drawing = mg.draw(y, level, words=batch, title=batch[1], max_steps=None)
        check_dot(drawing.dot)
        check_dot(drawing.placed)
        svg = drawing.svg()
        check_svg(svg, [])
        check_page(page(drawing.picture, drawing.layout, svg, "light"))


def test_record_shapes_and_formats_mean_nothing():
    needs_an_engine()
    names = [
        "{a|{b|c}}",
        "<f0> x",
        "\\N",
        "\\G",
        "%n",
        "a\\lb\\rc",
        "&amp;",
        "<b>x</b>",
    ]
    svg = drawing_of(names).svg()
    check_svg(svg, names)
    assert "�" not in svg
