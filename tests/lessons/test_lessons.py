"""Reading cells, making notebooks, playing in the terminal."""

import json

import pytest
from matplotlib import pyplot

from minigrad.commands.main import main
from minigrad.engine.errors import ArgumentError
from minigrad.lessons import find, lessons, notebook, read
from minigrad.lessons.lesson_copies import source
from minigrad.lessons.lesson_player import Player
from minigrad.lessons.terminal_formulas import readable

SMALL = """\
# %% [markdown]
# # 7. A small lesson
#
# What it is about, in
# two lines.
#
# *Time to run: about 1 s.*

# %%
x = 1

# %%
y = x + 1
y

# %% [markdown]
# ### Solution 1
#
# It is 2.

# %%
assert y == 2

# %% [markdown]
# ## Sources
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "07_small.py"
    path.write_text(SMALL, encoding="utf-8")
    return read(path)


def test_cells_are_what_the_file_says(small):
    assert [cell.kind for cell in small.cells] == [
        *("text", "code", "code", "text", "code", "text")
    ]
    assert small.cells[0].source.startswith("# 7. A small lesson\n\nWhat it is")
    assert small.cells[2].source == "y = x + 1\ny"
    lines = SMALL.split("\n")
    for cell in small.cells:
        assert lines[cell.line - 1].endswith(cell.source.split("\n")[0])


def test_title_summary_number_and_time(small):
    assert (small.number, small.title, small.seconds) == (7, "A small lesson", 1)
    assert small.summary == "What it is about, in two lines."


def test_a_solution_goes_with_the_code_below_it(small):
    kept = small.without_solutions().cells
    assert [cell.source for cell in kept][1:] == ["x = 1", "y = x + 1\ny", "## Sources"]


def test_written_again_it_reads_the_same(small, tmp_path):
    path = tmp_path / "07_again.py"
    path.write_text(source(small), encoding="utf-8")
    again = read(path)
    assert [c[:2] for c in again.cells] == [c[:2] for c in small.cells]


@pytest.mark.parametrize(
    "text", ["", "x = 1\n", "import os\n# %% [markdown]\n# # T\n", "# %%\nx = 1\n"]
)
def test_what_is_no_tutorial_is_named(tmp_path, text):
    path = tmp_path / "01_bad.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"01_bad\.py is no tutorial"):
        read(path)


def test_they_are_found_by_number_or_name():
    first = lessons()[0]
    for wanted in ("1", "01", first.name):
        assert find(wanted).path == first.path
    for wanted in ("0", "99", "", "x" * 1000, "../01"):
        with pytest.raises(ArgumentError, match="there is no tutorial"):
            find(wanted)


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_each_opens_as_a_notebook(lesson):
    book = json.loads(json.dumps(notebook(lesson)))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len(book["cells"]) == len(lesson.cells)
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)
    for made, cell in zip(book["cells"], lesson.cells, strict=True):
        assert "".join(made["source"]) == cell.source
        if cell.kind == "code":
            assert made["cell_type"] == "code"
            assert made["outputs"] == [] and made["execution_count"] is None
        else:
            assert made["cell_type"] == "markdown" and "outputs" not in made


def test_the_notebook_is_valid(small):
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
    nbformat.validate(nbformat.from_dict(notebook(small)))


def test_a_cell_shows_its_last_value(small, tmp_path, capsys):
    pyplot.close("all")  # what other tests left open is not of this lesson
    player = Player(small, tmp_path / "out")
    for cell in small.cells:
        if cell.kind == "code":
            assert player.run(cell) == []
    assert capsys.readouterr().out == "2\n"
    assert not (tmp_path / "out").exists(), "nothing to write"


def test_figures_and_pages_are_written(tmp_path):
    path = tmp_path / "01_pictures.py"
    path.write_text(
        "# %% [markdown]\n# # 1. T\n\n# %%\nimport matplotlib.pyplot as plt\n"
        "import minigrad as mg\nplt.subplots()[1].plot([1, 2])\n\n# %%\n"
        "mg.draw(mg.tensor(2.0, requires_grad=True) * 3)\n",
        encoding="utf-8",
    )
    lesson = read(path)
    player = Player(lesson, tmp_path / "out")
    (png,) = player.run(lesson.cells[1])
    (page,) = player.run(lesson.cells[2])
    assert png.read_bytes().startswith(b"\x89PNG")
    assert page.suffix == ".html" and "<svg" in page.read_text(encoding="utf-8")


def test_an_error_names_the_line_of_the_file(small, tmp_path):
    path = tmp_path / "02_wrong.py"
    path.write_text("# %% [markdown]\n# # 2. T\n\n# %%\nx = 1\nassert x == 2\n")
    lesson = read(path)
    with pytest.raises(AssertionError) as caught:
        Player(lesson, tmp_path).run(lesson.cells[1])
    last = caught.traceback[-1]
    assert (last.path.name, last.lineno + 1) == ("02_wrong.py", 6)


# ------------------------------------------------------------------ the command


def test_the_list_has_every_title(capsys):
    assert main(["tutorial"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for lesson in lessons():
        assert f"{lesson.seconds} s" in shown
        assert lesson.title.split(",")[0].split()[0] in shown


def test_playing_runs_every_cell_and_says_so(small, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("minigrad.commands.tutorial.find", lambda wanted: small)
    assert main(["tutorial", "7", "-o", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "A small lesson" in shown and "y = x + 1" in shown
    assert "every claim was checked" in shown


@pytest.mark.parametrize(
    ("keys", "asked", "done"),
    [(["", "", ""], 3, True), (["a"], 1, True), (["q"], 1, False)],
)
def test_enter_runs_a_cell(small, monkeypatch, tmp_path, capsys, keys, asked, done):
    answers = iter(keys)
    count = []

    def answer(console, prompt=""):
        count.append(prompt)
        return next(answers)

    monkeypatch.setattr("minigrad.commands.tutorial.find", lambda wanted: small)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("rich.console.Console.input", answer)
    assert main(["tutorial", "7", "-o", str(tmp_path / "out")]) == 0
    assert len(count) == asked
    assert ("every claim was checked" in capsys.readouterr().out) == done


def test_copies_are_made_and_never_overwrite(tmp_path, capsys):
    script, book = tmp_path / "a.py", tmp_path / "b.ipynb"
    assert main(["tutorial", "1", "--copy", str(script), "--no-solutions"]) == 0
    assert main(["tutorial", "1", "--copy", str(book)]) == 0
    assert "Solution" not in script.read_text(encoding="utf-8")
    assert "Solution 1" in book.read_text(encoding="utf-8")
    assert read(script).title == lessons()[0].title
    capsys.readouterr()
    for wrong, words in (
        (str(script), "this file exists already"),
        (str(tmp_path / "x.txt"), "the ending is missing or unknown"),
        (str(tmp_path / "none" / "x.py"), "cannot be written"),
    ):
        assert main(["tutorial", "1", "--copy", wrong]) == 2
        assert words in capsys.readouterr().err


def test_an_unknown_tutorial_is_one_clear_error(capsys):
    assert main(["tutorial", "77"]) == 2
    error = capsys.readouterr().err
    assert "there is no tutorial '77'" in error and "hint" in error


# ------------------------------------------------------------------ formulas


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        (r"so $h_t = \tanh(w\, h_{t-1})$ is", "so h_t = tanh(w h_(t-1)) is"),
        (r"$\frac{\partial L}{\partial u}$", "∂L/∂u"),
        (r"$\frac{\partial h_k}{\partial h_{k-1}}$", "∂h_k/∂h_(k-1)"),
        (r"$0.2^{50}$ and $2^{50}$", "0.2^50 and 2^50"),
        ("costs $5", "costs $5"),
    ],
)
def test_formulas_are_readable_in_a_terminal(markdown, shown):
    assert readable(markdown) == shown


def test_no_formula_of_the_lessons_stays_latex():
    for lesson in lessons():
        for cell in lesson.cells:
            if cell.kind == "text":
                text = readable(cell.source)
                assert "$" not in text and "\\" not in text, (lesson.name, text)
