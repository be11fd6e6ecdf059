"""The figures of README's promises: none is higher than what the rows say was tried.

python tests/test_readme_figures.py     writes those of the rows into README
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
# What stands in README, the figure as (...): the row that it rests on
FIGURES = {
    r"In ([\d,]+) generated cases": "generated cases, float64",
    r"([\d,]+) random graphs equal HIPS": "random graphs against HIPS autograd",
    r"([\d,]+) random graphs equal HIPS autograd, PyTorch": (
        "random graphs against PyTorch"
    ),
    r"([\d,]+) random graphs equal HIPS autograd, PyTorch and JAX": (
        "random graphs against JAX"
    ),
    r"([\d,]+) classic mistakes": "wrong rules planted, each caught",
    r"([\d,]+) wrong uses": "wrong uses, the whole message pinned",
    r"chains of ([\d,]+) operations": "operations in a chain, terms in a sum",
    r"([\d,]+) steps without": "training steps with the garbage collector off",
    r"([\d,]+) processes": "processes on an empty cache, three of eight killed",
    r"([\d,]+) damaged checkpoints": "fuzzed checkpoints",
    r"([\d,]+) hostile labels": "hostile labels in DOT, SVG and HTML",
    r"killed at ([\d,]+) moments": "trainings killed at random, resumed",
    r"in ([\d,]+) random graphs\.": "random graphs, through all passes",
}


def tried():
    """{what: how many cases, in all tests}."""
    rows = json.loads((ROOT / "docs" / "proven.json").read_text("utf-8"))["rows"]
    found = {}
    for row in rows:
        found[row["what"]] = found.get(row["what"], 0) + row["tried"]
    return found


def words():
    """README in one line, as a sentence may go over several."""
    return " ".join(README.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("pattern", FIGURES)
def test_a_figure_is_not_higher_than_its_row(pattern):
    (figure,) = re.findall(pattern, words())
    assert 0 < int(figure.replace(",", "")) <= tried()[FIGURES[pattern]]


def test_the_ways_to_write_into_a_graph_are_counted():
    (figure,) = re.findall(r"(\d+) ways to write", words())
    assert f"arrays of the graph, each changed in {figure} ways" in tried()


def test_each_promise_has_a_link_to_a_test_of_its_own():
    promises = re.findall(
        r"\n(\d)\. \*(.*?)(?=\n\d\. \*|\n\n)", README.read_text("utf-8"), re.S
    )
    assert [number for number, _ in promises] == list("123456789")
    links = [set(re.findall(r"\[test\]\((.*?)\)", text)) for _, text in promises]
    for mine in links:
        assert mine and all((ROOT / link).is_file() for link in mine)
    assert sum(map(len, links)) == len(set.union(*links))


def rounded(count):
    """Down to two digits that say something: 101,500 becomes 100,000."""
    power = 10 ** max(len(str(count)) - 2, 0)
    return count // power * power


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    graphs = {k: v for k, v in FIGURES.items() if v.startswith("random graphs")}
    for pattern, what in graphs.items():
        spaced = pattern.replace(" ", r"\s+")
        found = re.search(spaced, text)
        start, end = found.span(1)
        text = f"{text[:start]}{rounded(tried()[what]):,}{text[end:]}"
    README.write_text(text, encoding="utf-8")
