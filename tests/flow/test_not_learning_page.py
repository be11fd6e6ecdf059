"""The programs of the page "My network does not learn" run, and say what it says."""

import contextlib
import io
import re
import textwrap
from pathlib import Path

import pytest

from minigrad.flow.findings import CODES

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(
    r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)It (?:says|prints):\n\n"
    r"\.\. code-block:: text\n\n((?:    .*\n|\n)+)"
)


def blocks(page):
    """(program, what it prints) of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = [
        tuple(map(textwrap.dedent, match.groups())) for match in BLOCK.finditer(text)
    ]
    assert found
    return found


PROGRAMS = [
    (page, *b) for page in ("not-learning.rst", "verdicts.rst") for b in blocks(page)
]


def words(text):
    """Without line breaks, and without the digits, which may differ in the last."""
    return re.sub(r"[\d.]+(e-?\d+)?", "#", " ".join(text.split()))


@pytest.mark.parametrize(
    ("page", "program", "said"),
    PROGRAMS,
    ids=[f"{page} {k}" for k, (page, _, _) in enumerate(PROGRAMS)],
)
def test_a_program_says_what_the_page_says(page, program, said):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, page, "exec"), {"__name__": "program"})
    assert words(out.getvalue()) == words(said)
    assert len([line for line in program.splitlines() if line.strip()]) <= 20


def test_the_page_has_every_code():
    text = (DOCS / "not-learning.rst").read_text(encoding="utf-8")
    found = re.findall(r"^Code ``([a-z-]+)``", text, re.MULTILINE)
    # Two that only the monitor's first look and its walk back give, in words of theirs.
    assert sorted(found) == sorted(set(CODES) - {"no-loop", "carried-state"})
