"""Checked exercises: right answers pass, usual mistakes are named, files are run."""

import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.commands.main import main
from minigrad.lessons import find, lessons
from minigrad.lessons.exercises import check, template
from minigrad.lessons.exercises.checking_answers import ALL
from minigrad.lessons.exercises.exercise import difference

each = pytest.mark.parametrize(
    "exercise", ALL, ids=lambda e: f"{e.lesson}-{e.number}-{e.function}"
)


def later(x):
    """y is found before exp(y), which reads it as well."""
    y = x * 2
    return (y * mg.exp(y)).sum()


def clipped(grads, limit):
    norm = np.sqrt(sum((g**2).sum() for g in grads))
    return [g * min(1, limit / norm) for g in grads]


def bootstrap(numbers):
    rng = np.random.default_rng(0)
    means = [rng.choice(numbers, len(numbers)).mean() for _ in range(2000)]
    return np.quantile(means, [0.025, 0.975])


def counter(size):
    W_x = np.array([[0.0, 0.0, 1000.0 / size, 0.0]])
    return W_x, np.zeros((1, 4)), np.array([1000.0, 1000.0, 0.0, 1000.0])


def forgetting_counter(size):
    W_x, W_h, b = counter(size)
    return W_x, W_h, b - [0, 998.0, 0, 0]


def opened(b, block=3):
    b = np.array(b)
    b[3 * block : 3 * block + 3] = 1000
    return b


JUDGED = {  # right answers to what has more than one
    "goes_wrong": later,
    "term_of_first_use": lambda h, x, d: [h.T @ d, x.T @ d],
    "clipped": clipped,
    "counting_gates": lambda T: (1, 1, 1),
    "interval": bootstrap,
    "counter": counter,
    "biases": opened,
}
WRONG = {
    "goes_wrong": lambda x: mg.tanh(x).sum(),
    "term_of_first_use": lambda h, x, d: [h.T @ d, d.T @ x],
    "clipped": lambda grads, limit: [np.clip(g, -limit, limit) for g in grads],
    "counting_gates": lambda T: (0.5, 1, 1),
    "interval": lambda numbers: np.quantile(numbers, [0.025, 0.975]),
    "counter": forgetting_counter,
    "biases": lambda b: opened(b, 1),
}


@each
def test_the_right_answer_is_right(exercise):
    answer = exercise.wanted or JUDGED[exercise.function]
    for seed in (0, 1):
        assert exercise.fault(answer, seed) == ""


@each
def test_mistakes_are_named(exercise):
    for words, mistake in exercise.mistakes.items():
        told = [exercise.fault(mistake, seed) for seed in range(4)]
        assert any(words in one for one in told), (words, told)
        assert "" not in told
    if exercise.judge:
        assert exercise.fault(WRONG[exercise.function], 0)
    assert "return" in exercise.fault(lambda *_: None, 0) or exercise.judge
    assert "other arguments" in exercise.fault(lambda: 1, 0)
    assert "ZeroDivisionError" in exercise.fault(lambda *_: 1 / 0, 0)
    assert "no function" in exercise.fault(3, 0)


def test_what_is_said_of_weights():
    by_name = {e.function: e for e in ALL if e.judge}
    for answer, said in (
        (forgetting_counter, "the forget gate is 0.88"),
        (lambda size: counter(size)[:2], "three arrays"),
        (lambda size: ("a", "b", "c"), "does not return numbers"),
        (lambda size: (np.zeros((4, 1)), *counter(size)[1:]), "W_x has shape (4, 1)"),
        (lambda size: (*counter(size)[:2], np.full(4, 1000.0)), "is not 0 where"),
        (lambda size: (*counter(size)[:2], np.full(4, np.inf)), "not finite"),
    ):
        assert said in by_name["counter"].fault(answer, 0)
    for answer, said in (
        (lambda b: opened(b, 1), "the block of f is changed"),
        (lambda b: b, "the output gate is"),
        (lambda b: b[:3], "its shape is (3,)"),
    ):
        assert said in by_name["biases"].fault(answer, 0)


def test_every_exercise_has_a_checker():
    for lesson in lessons():
        text = "\n".join(cell.source for cell in lesson.cells)
        asked = re.findall(r"^(\d+)\. ", text.split("## Exercises")[1], re.M)
        checked = [e.number for e in ALL if e.lesson == lesson.number]
        assert checked == list(map(int, asked)), lesson.number


@each
def test_it_belongs_to_an_exercise_of_its_lesson(exercise):
    text = "\n".join(cell.source for cell in find(str(exercise.lesson)).cells)
    asked = re.findall(r"^(\d+)\. ", text.split("## Exercises")[1], re.M)
    assert str(exercise.number) in asked


def test_answers_are_those_of_the_engine():
    """Where the right answer is a formula, the engine says the same."""
    right = {e.function: e.wanted for e in ALL if e.lesson not in (8,)}
    x = mg.tensor(1.7, requires_grad=True)
    (g,) = mg.grad((x * x) * x, [x])
    assert sum(right["contributions"](1.7)) == pytest.approx(g.item(), rel=1e-12)
    w = mg.tensor(0.8, requires_grad=True)
    h, total = mg.tensor(1.0), mg.tensor(0.0)
    for _ in range(5):
        h = h * w
        total = total + h
    (g,) = mg.grad(total, [w])
    assert sum(right["terms"](0.8, 5)) == pytest.approx(g.item(), rel=1e-12)
    cell = models.GRU(2, 3, rng=0)
    trace = cell.trace(np.ones((4, 1, 2)))
    path = mg.jacobian_products(trace).paths().alone
    kept = right["gru_path"](trace["z"][:, 0], "keep")
    np.testing.assert_allclose(path[0], kept, rtol=1e-12)
    most = sum(p.size for p in models.LSTM(5, 8, rng=0).parameters())
    width = right["widest_gru"](5, 8)
    sizes = [
        sum(p.size for p in models.GRU(5, w, rng=0).parameters())
        for w in (width, width + 1)
    ]
    assert sizes[0] <= most < sizes[1]


def test_what_differs_is_told_without_the_answer():
    a = np.arange(1.0, 7).reshape(2, 3)
    assert difference(a, a) == "" and difference(mg.tensor(a), a) == ""
    assert difference(-a, a) == "the sign is the wrong way round"
    assert difference(a.T, a) == "the result is transposed"
    assert difference(2 * a, a) == "all numbers are 2 times what they should be"
    assert difference(a + 3, a) == "all numbers are off by 3"
    assert "shape is (6,)" in difference(a.ravel(), a)
    b = a.copy()
    b[1, 2] = 0
    assert difference(b, a) == "1 of 6 numbers are wrong: at (1, 2)"
    assert "NaN" in difference(a * np.nan, a)
    assert difference("six", 6.0) == "it returns str, not numbers"


ANSWERS = """
import numpy as np
print("this is mine")
def growth(w, h_0):
    return w * (1 - h_0 ** 2)
def clipped(grads, limit):
    return [np.clip(g, -limit, limit) for g in grads]
"""


def test_a_file_is_checked_in_a_process_of_its_own(tmp_path, capfd):
    path = tmp_path / "answer.py"
    path.write_text(ANSWERS)
    assert main(["tutorial", "5", "--check", str(path)]) == 1
    said = capfd.readouterr().out
    assert "this is mine" in said
    assert "Exercise 1, growth(w, h_0): right" in said
    assert "clipping by value: the direction changes" in said
    assert "not in the file yet: def farthest(lr, limit, steps)" in said
    assert "1 of 3 are right" in said
    path.write_text("def farthest(lr, limit, steps):\n    return lr * limit * steps\n"
                    + ANSWERS.replace("np.clip(g, -limit, limit)", "g * min(1, limit / "
                    "np.sqrt(sum((k ** 2).sum() for k in grads)))"))  # fmt: skip
    assert main(["tutorial", "5", "--check", str(path)]) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1 / 0", "line 1: ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("import os; os._exit(0)", "ended before its answers"),
    ],
)
def test_files_that_do_not_run(text, said, tmp_path):
    path = tmp_path / "answer.py"
    path.write_text(text)
    with pytest.raises(mg.errors.DataError, match=re.escape(said)):
        check(1, path)


def test_what_there_is_not(tmp_path, capsys):
    assert main(["tutorial", "1", "--check", str(tmp_path / "none.py")]) == 2
    assert "--exercises > answer.py" in capsys.readouterr().err
    assert main(["tutorial", "7", "--exercises"]) == 0
    text = capsys.readouterr().out
    assert text == template(7)
    compile(text, "answer.py", "exec")
    assert "def gru_path(z, update):" in text


HOSTILE = """
import os
print("x" * 3_000_000)

def growth(w, h_0):
    raise SystemExit(7)

def clipped(grads, limit):
    while True:
        pass

def farthest(lr, limit, steps):
    os._exit(3)
"""


def stopped_at_the_second(command, timeout, **options):
    """`subprocess.run`, for which the time is over when the second function runs."""
    child = subprocess.Popen(command, env=options["env"])
    told = Path(command[-1])
    while child.poll() is None:
        if told.exists() and '"trying": "clipped"' in told.read_text():
            child.kill()
            child.wait()
            raise subprocess.TimeoutExpired(command, timeout)
        time.sleep(0.05)


def test_answers_that_end_the_program_or_never_end(tmp_path, capfd, monkeypatch):
    """Each has its own fault, what was found before counts, and the rest of what a
    file prints is left out."""
    path = tmp_path / "answer.py"
    path.write_text(HOSTILE)
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", stopped_at_the_second)
        first, second, third = check(5, path)
    assert first.fault == "it ends the program (SystemExit)"
    assert second.fault == "it took longer than 60 s and was stopped"
    assert "not looked at" in third.fault
    printed, _ = capfd.readouterr()
    assert len(printed) < 20_000 and "left out" in printed
    path.write_text(HOSTILE.replace("while True:", "if True:"))
    *_, third = check(5, path)
    assert third.fault == "it ended before its answers could be looked at"
