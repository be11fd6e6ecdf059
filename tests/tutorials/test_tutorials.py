"""Every tutorial runs, asserts, and has what a lesson needs."""

import ast
import re
import runpy
import shutil
import subprocess
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from minigrad.lessons import lessons

ROOT = Path(__file__).parent.parent.parent
LESSONS = lessons()
each = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def texts(lesson):
    return [cell for cell in lesson.cells if cell.kind == "text"]


def test_they_are_all_found_in_order():
    files = sorted((ROOT / "tutorials").glob("[0-9][0-9]_*.py"))
    assert [lesson.path for lesson in LESSONS] == files
    assert [lesson.number for lesson in LESSONS][:10] == list(range(1, 11))


@pytest.mark.slow
@pytest.mark.runs_lessons
@each
def test_it_runs_and_writes_nothing(lesson, tmp_path, monkeypatch):
    """As a script, somewhere else: its assertions hold, and no file appears."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        runpy.run_path(str(lesson.path), run_name="__main__")
    assert plt.get_fignums(), "a lesson has pictures"
    assert list(tmp_path.iterdir()) == []
    beside = {p.name for p in lesson.path.parent.iterdir()} - {"__pycache__"}
    tracked = {one.path.name for one in LESSONS} | {"README.md"}
    assert beside <= tracked


@each
def test_it_has_all_parts_in_order(lesson):
    first = lesson.cells[0].source
    assert first.startswith(f"# {lesson.number}. ")
    assert 40 < len(lesson.summary) < 220
    assert "Time to run: about" in first and 0 < lesson.seconds <= 60
    assert "**You will be able to**" in first and first.count("\n- ") >= 3
    headings = [
        line[3:]
        for cell in texts(lesson)
        for line in cell.source.split("\n")
        if line.startswith("## ")
    ]
    assert headings[-3:] == ["Try this", "Exercises", "Sources"]
    assert len(headings) >= 5, "and sections of its own"


@each
def test_every_exercise_has_a_solution_that_is_checked(lesson):
    (exercises,) = [c for c in texts(lesson) if "## Exercises" in c.source]
    asked = re.findall(r"^(\d+)\. ", exercises.source.split("## Exercises")[1], re.M)
    solved = [c.heading for c in texts(lesson) if c.heading.startswith("Solution")]
    assert len(asked) >= 3
    assert solved == [f"Solution {number}" for number in asked]
    starts = [
        k for k, c in enumerate(lesson.cells) if c.heading in solved and c.heading
    ]
    for start in starts:
        code = lesson.cells[start + 1]
        assert code.kind == "code" and "assert " in code.source


@each
def test_it_asserts_and_reads_as_python(lesson):
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    for cell in code:
        ast.parse(cell.source)
        # sphinx-gallery would take a leading comment for text
        assert not cell.source.startswith("#"), f"{lesson.path.name}:{cell.line}"
    assert sum(cell.source.count("assert ") for cell in code) >= 8
    drawn = "".join(cell.source for cell in code)
    assert "plt.subplots" in drawn
    assert drawn.count("plt.subplots") + drawn.count("mg.draw(") >= 2
    # Random numbers come from seeds: a page says the same tomorrow.
    assert "np.random.rand" not in "".join(cell.source for cell in code)


@each
def test_without_solutions_nothing_is_given_away(lesson):
    handout = lesson.without_solutions()
    assert not any(cell.heading.startswith("Solution") for cell in handout.cells)
    assert any("## Exercises" in cell.source for cell in handout.cells)
    assert any(cell.heading == "Sources" for cell in handout.cells)
    assert len(handout.cells) < len(lesson.cells)


def test_together_they_tell_the_stories_of_the_study_notes():
    """REFERENCE: what users' own notes ask to see, but for the data tasks."""
    text = " ".join(
        " ".join(cell.source.split()) for one in LESSONS for cell in one.cells
    )
    for story in (
        "color of the sky is",  # a short gap
        "early days of deep",  # a long one
        "[2\\ 4\\ 6] \\ast [0\\ 2\\ 0] = [0\\ 8\\ 0]",
        "Bob is a nice person. Dan, on the other hand, is evil",
        "served the navy for 4 years",
        "I loved the movie, but the ending was disappointing",
        "0.2^{50}",
        "2^{50}",
        "Army core told: Major Tom is a great battle commander",
        "Ram, who is walking in a green park, is thirsty",
        "p.data = p.data - lr * p.grad.data",
        "clip_grad_norm_",
        'peephole="current"',
        'couple="forget"',
        "GRU / LSTM",
    ):
        assert story in text, story


def test_git_ignores_what_builds_leave_behind(tmp_path):
    if not shutil.which("git"):
        pytest.skip("needs git")
    made = [
        "docs/generated/tutorials/01.rst",
        "build/site/x.html",
        "minigrad-tutorial/x",
    ]
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    command = ["git", "check-ignore", *made, "docs/index.rst"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert found.stdout.split() == made
