"""Engines that are missing, too old, hang, crash or answer nonsense; and the other."""

import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest
from drawn import LEVELS, example, needs_an_engine

import minigrad as mg
from minigrad.commands import doctor
from minigrad.drawing.write import graphviz_engines
from minigrad.engine.errors import ArgumentError, DrawingError

posix = pytest.mark.skipif(os.name != "posix", reason="only where scripts run")
both = pytest.mark.skipif(
    set(graphviz_engines.installed()) != set(graphviz_engines.ENGINES),
    reason="needs dot and pygraphviz",
)


@pytest.fixture
def fake_dot(tmp_path, monkeypatch):
    """Puts a program called dot first on the PATH: `fake_dot(body)`, in Python."""

    def make(body):
        path = tmp_path / "bin" / "dot"
        path.parent.mkdir()
        program = tmp_path / "program.py"
        program.write_text(f"import os, subprocess, sys, time\n{body}\n")
        # By way of a shell: the first line of a script has no room for an interpreter
        # whose path holds a space.
        command = shlex.join([sys.executable, str(program)])
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
        return path

    return make


@posix
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("time.sleep(600)", "took longer than 1 s and was stopped"),
        ("while True: print('x' * 1000)", "took longer than 1 s and was stopped"),
        ("sys.exit(3)", "gave exit code 3"),
        ("os.kill(os.getpid(), 11)", "was ended by signal 11"),
        ("sys.stdin.read()", "gave exit code 0"),
        ("sys.stdin.read(); print('{')", "is not a layout"),
        ("sys.stdin.read(); print('[' * 100000)", "is not a layout"),
        ("sys.stdin.read(); print('{\"bb\": 1}')", "is not a layout"),
        ("sys.stdin.read(); print('{\"bb\": \"a,b,c,d\", \"objects\": [1, 2]}')",
         "is not a layout"),
        ("sys.stdin.read(); print('[]' * 9)", "is not a layout"),
        ("os.write(1, bytes(range(256)))", "is not a layout"),
        ("print('boom\\x1b[31m', file=sys.stderr); sys.exit(1)", "boom�[31m"),
        ("print('version 2.26.3', file=sys.stderr); sys.exit('-V' not in sys.argv)",
         "2.26.3 is too old"),
    ],
)  # fmt: skip
def test_a_dot_that_fails_is_one_clear_error(body, said, tmp_path, fake_dot, capfd):
    fake_dot(body)
    timeout = 1 if "1 s" in said else 100  # the others end when they have said it
    with pytest.raises(DrawingError) as caught:
        mg.draw(example("rnn"), engine="dot", timeout=timeout).save(tmp_path / "x.svg")
    assert said in str(caught.value)
    assert not (tmp_path / "x.svg").exists()
    assert capfd.readouterr() == ("", "")


@posix
@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_an_answer_of_another_kind_is_named(form, fake_dot):
    fake_dot("sys.stdin.read(); os.write(1, b'\\xffhello')")
    with pytest.raises(DrawingError, match=f"a picture as {form}"):
        graphviz_engines.run("dot", form, ["digraph {}"], engine="dot")


@posix
def test_a_dot_that_cannot_be_started(fake_dot):
    fake_dot("").write_text("no program at all")
    with pytest.raises(DrawingError, match="could not be started"):
        mg.draw(example("rnn"), engine="dot").svg()


def gone(pid):
    """Does the process end, within a minute?"""
    for _ in range(1200):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True  # dead; whoever adopted it has not asked yet
        except OSError:
            return True
        time.sleep(0.05)
    return False


PARENT = """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(900)"])
with open({log!r} + ".new", "w") as file:
    print(os.getpid(), child.pid, file=file)
os.replace({log!r} + ".new", {log!r})
time.sleep(900)
"""


def pids_in(log):
    """The process ids that the fake dot wrote, once it did."""
    for _ in range(1200):
        if log.exists():
            return [int(word) for word in log.read_text().split()]
        time.sleep(0.05)
    raise AssertionError("the fake dot did not start")


@posix
def test_a_slow_dot_is_ended_with_its_children(fake_dot, tmp_path):
    log = tmp_path / "log"
    fake_dot(PARENT.format(log=str(log)))
    for timeout in (3, 30):  # on a busy machine it may not have started in three
        with pytest.raises(DrawingError, match="was stopped"):
            graphviz_engines.run("dot", "svg", ["digraph {}"], timeout, engine="dot")
        if log.exists():
            break
    assert all(gone(pid) for pid in pids_in(log))


@posix
def test_an_interrupt_ends_dot_and_its_children(fake_dot, tmp_path):
    log = tmp_path / "log"
    fake_dot(PARENT.format(log=str(log)))
    found = []

    def press_ctrl_c():
        found.extend(pids_in(log))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press_ctrl_c)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        graphviz_engines.run("dot", "svg", ["digraph {}"], timeout=600, engine="dot")
        time.sleep(1)
    thread.join()
    assert found and all(gone(pid) for pid in found)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "3", True])
def test_a_timeout_that_is_none(timeout):
    with pytest.raises(ArgumentError, match="no time to wait"):
        mg.draw(example("rnn"), timeout=timeout)


def test_an_engine_that_there_is_not():
    with pytest.raises(ArgumentError, match="engine='neato' is not offered"):
        mg.draw(example("rnn"), engine="neato")


def test_with_neither_engine_the_text_is_still_there(monkeypatch, tmp_path):
    monkeypatch.setattr(graphviz_engines, "installed", lambda: [])
    drawing = mg.draw(example("lstm"))
    drawing.save(tmp_path / "x.dot")
    assert (tmp_path / "x.dot").read_text() == drawing.dot
    for ending in ("svg", "png", "pdf", "html"):
        with pytest.raises(DrawingError) as caught:
            drawing.save(tmp_path / f"x.{ending}")
        assert "apt install graphviz" in str(caught.value)
        assert "pip install pygraphviz" in str(caught.value)
    assert len(list(tmp_path.iterdir())) == 1


@both
@pytest.mark.parametrize("level", LEVELS)
def test_pygraphviz_draws_the_same_picture(level, capfd):
    """The same boxes and lines in the same tiles; glyphs and rounding may differ."""
    pictures = {}
    for engine in graphviz_engines.ENGINES:
        drawing = mg.draw(example("lstm"), level, engine=engine)
        assert "</svg>" in drawing.svg()
        pictures[engine] = drawing
    dot, other = pictures.values()
    assert dot.dot == other.dot
    assert dot.layout.boxes.keys() == other.layout.boxes.keys()
    assert dot.layout.tiles.keys() == other.layout.tiles.keys()
    for key, (_, _, w, h) in dot.layout.boxes.items():
        if dot.picture.boxes[key].kind != "bar":  # as wide as the picture
            assert other.layout.boxes[key][2:] == pytest.approx((w, h), abs=0.5)
    assert other.layout.width == pytest.approx(dot.layout.width, rel=0.25)
    assert capfd.readouterr() == ("", "")


def test_pygraphviz_alone_in_a_process_of_its_own(tmp_path):
    """Without dot on the PATH; nothing is imported from the current folder."""
    pytest.importorskip("pygraphviz", reason="needs pygraphviz")
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit('imported from here')")
    (tmp_path / "json.py").write_text("raise SystemExit('imported from here')")
    code = (
        "import sys; sys.path = [p for p in sys.path if p not in ('', sys.argv[1])];"
        "import numpy as np, minigrad as mg;"
        "from minigrad.models import RNN;"
        "d = mg.draw(RNN(2, 2, rng=0)(np.ones((2, 1, 2)))[0]); d.save('x.svg');"
        "d.save('x.png'); print(d.layout.boxes.keys() == d.picture.boxes.keys())"
    )
    path = os.pathsep.join(p for p in sys.path if p)
    made = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (made.stdout, made.stderr) == ("True\n", "")
    assert (tmp_path / "x.svg").exists() and (tmp_path / "x.png").exists()


# ------------------------------------------------------------- minigrad doctor


def test_the_doctor_tries_each_engine():
    needs_an_engine()
    report = "\n".join(doctor.report())
    for name in ("Python", "minigrad", "numpy", "numba", "graphviz", "kernels"):
        assert name in report
    assert f"{graphviz_engines.installed()[0]} draws them" in report


def test_the_doctor_says_how_to_get_an_engine(monkeypatch):
    monkeypatch.setattr(graphviz_engines, "installed", lambda: [])
    monkeypatch.setattr(graphviz_engines, "version", lambda: None)
    report = "\n".join(doctor.report())
    for words in ("only .dot text", "apt install", "brew install", "winget", "pip"):
        assert words in report


@posix
def test_the_doctor_sees_a_dot_that_does_not_work(fake_dot):
    fake_dot("sys.exit(3)")
    report = "\n".join(doctor.report())
    assert "dot         does not work: it gave exit code 3" in report
