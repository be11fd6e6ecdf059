"""The built site: every link leads somewhere, nothing asks the network, all is there.

It is read from build/site, where `python3 run.py site` puts it; .ci/run builds it and
then runs this file. What builds it (docs/_ext) is tested here too, where the extra
`docs` is installed.
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from minigrad.lessons import lessons

ROOT = Path(__file__).parent.parent
SITE = ROOT / "build" / "site"
PAGES = sorted(SITE.rglob("*.html")) if (SITE / "index.html").exists() else []
OURS = [page for page in PAGES if not page.relative_to(SITE).parts[0].startswith("_")]
built = pytest.mark.skipif(not PAGES, reason="only where the site was built")

if (ROOT / "docs" / "_ext").exists():
    sys.path.append(str(ROOT / "docs" / "_ext"))


class Links(HTMLParser):
    """What a page refers to: (tag, attribute, value), and the ids that it has."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.tags = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name in ("href", "src", "srcset", "poster", "data") and value:
                self.links.append((tag, name, value))


@pytest.fixture(scope="module")
def pages():
    found = {}
    for path in PAGES:
        found[path] = links = Links()
        links.feed(path.read_text(encoding="utf-8"))
    return found


@built
def test_every_link_leads_somewhere(pages):
    broken = []
    for path, page in pages.items():
        for _, name, value in page.links:
            for one in value.split(", ") if name == "srcset" else [value]:
                url = urlsplit(one.split(" ")[0] if name == "srcset" else one)
                if url.scheme or url.netloc:
                    continue
                target = (path.parent / unquote(url.path)) if url.path else path
                target = target.resolve()
                if not target.exists():
                    broken.append((path.name, one))
                elif url.fragment and target in pages:
                    if unquote(url.fragment) not in pages[target].ids:
                        broken.append((path.name, one))
    assert broken == []


@built
def test_only_readers_clicks_leave_the_site(pages):
    """No script, style, image, font or frame comes from elsewhere."""
    away = [
        (path.name, tag, value)
        for path, page in pages.items()
        for tag, _, value in page.links
        if tag != "a" and urlsplit(value).scheme in ("http", "https")
    ]
    assert away == []


@built
def test_each_lesson_is_a_page_with_downloads(pages):
    for lesson in lessons():
        path = SITE / "generated" / "tutorials" / f"{lesson.name}.html"
        page = pages[path]
        offered = {Path(value).suffix for tag, _, value in page.links if tag == "a"}
        assert {".py", ".ipynb"} <= offered
        assert "math" in page.tags or "$" not in lesson.cells[0].source
        assert page.tags.count("img") >= 1
        text = path.read_text(encoding="utf-8")
        assert "srcdoc" not in text and "Traceback" not in text
        assert "$" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL), (
            "a formula was left as it was typed"
        )
    books = list((SITE / "_downloads").rglob("[0-9][0-9]_*.ipynb"))
    assert {b.stem for b in books} >= {one.name for one in lessons()}
    for book in books:
        cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
        assert cells[0]["source"][0].startswith("# "), "Markdown, as it was written"


@built
def test_framed_pages_carry_their_policy(pages):
    framed = [p for p in PAGES if p.parent.name == "_pages"]
    assert framed
    for path in framed:
        assert "default-src 'none'" in path.read_text(encoding="utf-8")


@built
@pytest.mark.slow
def test_no_page_is_wider_than_the_screen(page):
    """Opened from disk; the fixture fails for any request or script error."""
    wide = "document.documentElement.scrollWidth - innerWidth"
    for path in OURS:
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(path.as_uri())
        assert page.evaluate(wide) <= 0, f"{path.name} at 390"
        page.set_viewport_size({"width": 1280, "height": 900})
        assert page.evaluate(wide) <= 0, f"{path.name} at 1280"


# ------------------------------------------------------------- what builds it


@pytest.fixture
def rst():
    pytest.importorskip("mistune", reason="only with the extra docs")
    from markdown import rst

    return rst


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# A *title*", "A *title*\n========="),
        ("some `p.data` here", "some ``p.data`` here"),
        ("a [link](https://x.org/a)", "a `link <https://x.org/a>`__"),
        ("so $x_t$-th", r"so :math:`x_t`\ -th"),
        ("$$\na = b\n$$", ".. math::\n\n    a = b"),
        ("- one\n- two", "- one\n- two"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ".. list-table::\n    :header-rows: 1"),
    ],
)
def test_markdown_becomes_restructured_text(rst, markdown, expected):
    assert rst(markdown).strip().startswith(expected)


def test_every_formula_of_the_lessons_becomes_mathml():
    pytest.importorskip("docutils", reason="only with the extra docs")
    from docutils.utils.math.latex2mathml import tex2mathml

    count = 0
    for lesson in lessons():
        for cell in lesson.cells:
            if cell.kind == "text":
                for block, inline in re.findall(
                    r"\$\$(.+?)\$\$|\$([^$]+?)\$", cell.source, re.DOTALL
                ):
                    made = tex2mathml(block or inline, as_block=bool(block))
                    assert str(made).startswith("<math")
                    count += 1
    assert count > 50


def test_the_reference_has_every_public_name():
    import minigrad as mg

    if not (ROOT / "docs" / "_ext").exists():
        pytest.skip("only in the repository")
    import reference

    text = reference.page(mg)
    for name, value in reference.public(mg).items():
        assert f":: {name}(" in text or f":: {name}\n" in text, (name, value)
