"""`minigrad draw`: every option, and what is refused."""

import re
import shlex

import pytest
from drawn import needs_an_engine

from minigrad.commands import draw as command
from minigrad.commands import main


@pytest.fixture
def draw(capsys):
    """`draw("lstm --steps 3")`: (exit code, what is printed, errors)."""

    def run(line, *more):
        try:
            code = main.main(["draw", *line.split(), *more])
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.parametrize(
    ("line", "shown", "missing"),
    [
        ("rnn", '"step 4"', '"step 5"'),
        ("rnn --steps 3", '"step 2"', '"step 3"'),
        ("lstm --level gate", '"forget gate', "sigmoid"),
        ("lstm --level op", "sigmoid", "W_x h"),
        ("gru --level cell", 'class="cell"', '"forget gate'),
        ("rnn --layers 2", '"layer 1, RNN"', "reverse"),
        ("rnn --bidirectional", '"layer 0 reverse, RNN"', '"layer 1'),
        ("lstm --hidden 7 --inputs 2 --batch 3", "W_x  2×28", "3×16"),
        ("rnn --activation relu --level op", "relu", "tanh"),
        ("lstm --peephole current --level op", "p_o", "nothing"),
        ("lstm --peephole previous --level op", "p_o", "nothing"),
        ("lstm --couple forget", "input gate", "p_i"),
        ("lstm --couple input", "forget gate", "p_i"),
        ("gru --reset before", "reset gate", "b_h"),
        ("gru --update take", "update gate", "forget"),
        ("rnn --values", "mean", "gradient of"),
        ("rnn --gradients", "gradient of", "backward:"),
        ("rnn --backward", "backward:", "gradient of"),
        ("rnn --theme dark", 'bgcolor="#14171B"', 'bgcolor="#FFFFFF"'),
        ("rnn --steps 20 --max-steps 4", '"16\\nsteps', '"step 10"'),
        ("rnn --timeout 3 --seed 5", '"step 4"', '"step 5"'),
    ],
)  # fmt: skip
def test_options_show_in_the_text(draw, line, shown, missing):
    code, text, error = draw(line)
    assert (code, error) == (0, "") and text.startswith("digraph")
    assert shown in text.replace("⋯\\n", "") and missing not in text


def test_a_sentence_gives_the_steps(draw):
    code, text, _ = draw("lstm --sentence", "the film was <b>bad</b>")
    assert code == 0 and "0: the" in text and "3: <b>bad</b>" in text
    code, _, error = draw("lstm --steps 2 --sentence", "the film was")
    assert code == 2 and "one step per word" in error


def test_the_same_seed_gives_the_same_text(draw):
    first, again = draw("rnn --values --seed 3"), draw("rnn --values --seed 3")
    assert first == again != draw("rnn --values --seed 4")


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "html", "dot"])
def test_a_file_is_written_and_told_of(draw, ending, tmp_path):
    if ending != "dot":
        needs_an_engine()
    path = tmp_path / f"x.{ending}"
    code, said, error = draw("gru --steps 2 --level cell -o", str(path))
    assert (code, error) == (0, "") and path.stat().st_size > 500
    assert re.search(r"x\.\w+: \d+ operations in \d+ boxes, \d+ lines, \d+ kB$", said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("transformer", "invalid choice: 'transformer'"),
        ("", "required: model"),
        ("lstm --level atom", "invalid choice: 'atom'"),
        ("lstm --theme pink", "invalid choice: 'pink'"),
        ("lstm --steps many", "invalid int value"),
        ("lstm --steps 0", "--steps and --batch of 1 or more"),
        ("lstm --steps -3", "--steps and --batch of 1 or more"),
        ("lstm --batch 0", "--steps and --batch of 1 or more"),
        ("lstm --layers 0", "num_layers"),
        ("lstm --hidden 0", "hidden_size"),
        ("lstm --max-steps 0", "max_steps=0"),
        ("lstm --timeout 0", "timeout=0"),
        ("lstm --reset after", "--reset is no variant of lstm"),
        ("rnn --peephole current", "--peephole is no variant of rnn"),
        ("gru --couple input", "--couple is no variant of gru"),
        ("lstm -o x.tiff", "ending='tiff' is not offered"),
        ("lstm --wrap 0", "wrap=0"),
        ("lstm --wrap 2 --fold", "do not go together"),
        ("lstm --steps 99999 --max-steps 99999 -o x.svg", "too many for one picture"),
        ("lstm --sentence", "expected one argument"),
    ],
)
def test_what_is_refused_is_one_clear_error(draw, line, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, error = draw(line)
    assert (code, out) == (2, "") and said in error
    assert "Traceback" not in error and list(tmp_path.iterdir()) == []


def test_help_shows_an_example(draw):
    code, out, _ = draw("--help")
    assert code == 0 and command.EXAMPLE in " ".join(out.split())


def test_the_example_of_the_help_works(draw, tmp_path, monkeypatch):
    needs_an_engine()
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.EXAMPLE)
    code, _, error = draw("", *words[2:])
    assert (code, error) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [words[-1]]


def test_frames_are_written_into_a_folder(draw, tmp_path):
    needs_an_engine()
    line = f"rnn --steps 2 --level cell --gradients --frames {tmp_path}"
    code, out, error = draw(line)
    assert (code, error) == (0, "") and out.endswith(": 6 frames\n")
    assert len(list(tmp_path.iterdir())) == 6
