"""The terminal player: views, keys, a real pseudo-terminal, pipes."""

import io
import os
import re
import select
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from rich.console import Console
from variants import every_variant

import minigrad as mg
from minigrad.commands.main import main
from minigrad.engine import errors
from minigrad.models import LSTM, RNN
from minigrad.stepping.play import (
    event_keys,
    event_view,
    heat_bars,
    keyboard,
    terminal_player,
)
from minigrad.stepping.play.keyboard import Lines
from minigrad.stepping.record.events import Array, Contribution

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


def lstm_steps(steps=3, hidden=4, **how):
    model = LSTM(3, hidden, rng=0)
    x = np.random.default_rng(0).standard_normal((steps, 1, 3))
    output = model(mg.tensor(x, name="x"))[0]
    return mg.steps((output * output).mean(), **how)


@pytest.fixture(scope="module")
def steps():
    return lstm_steps()


def printed(steps, event, width=80, height=0):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(event_view.view(steps, event, width, height), width=width)
    return console.file.getvalue()


# ------------------------------------------------------------- views


@pytest.mark.parametrize("width", [80, 140])
def test_every_event_fits_the_width(steps, width):
    for event in steps.events:
        lines = printed(steps, event, width, 24).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) <= 23  # and a terminal of 24 lines, with the line of keys


@every_variant
def test_every_variant_and_level_is_shown(model, variant):
    x = np.random.default_rng(0).standard_normal((2, 2, 2))
    for level in ("op", "gate", "cell"):
        output = model(2, 2, 2, bidirectional=True, rng=0, **variant)(x)[0]
        found = mg.steps((output * output).mean(), level=level)
        for event in found.events[:: 17 if level == "op" else 5]:
            text = printed(found, event)
            assert f"event {event.number} of" in text
            assert steps_place(found, event) in text


def steps_place(found, event):
    return found.place(event) or "outside any scope"


def test_a_contribution_tells_rule_numbers_sum_and_line(steps):
    [W_h] = [v for v in steps.parameters if str(v.symbol) == "W_h"]
    second = next(
        e
        for e in steps.events
        if isinstance(e, Contribution) and (e.target, e.index) == (W_h.number, 2)
    )
    text = printed(steps, second)
    assert "backward: layer 0 / lstm / step 1" in text
    assert steps.formula(second) in text
    assert steps.worked(second) in text
    assert "contribution 2 of 3 to W_h  ●●○" in text
    assert "sum so far" in text
    line = next(k for k in text.splitlines() if k.startswith("lstm.py:"))
    caret = text.splitlines()[text.splitlines().index(line) + 1]
    at = caret.index("^")
    assert line[at : at + caret.count("^")] == (
        "mg.affine(x, self.W_x, h, self.W_h, self.b)"
    )


def test_small_arrays_are_shown_in_full_and_sums_are_right(steps):
    for event in steps.events:
        if isinstance(event, Contribution) and event.value.shape == (1, 4):
            text = printed(steps, event)
            row = next(k for k in text.splitlines() if "this adds" in k)
            found = [float(w) for w in row.replace("│", " ").split()[-4:]]
            np.testing.assert_allclose(found, event.value.array[0], rtol=6e-3)
            break
    else:
        raise AssertionError("no such event")


def test_large_arrays_are_bars_with_what_they_stand_for():
    values = np.linspace(-1, 3, 5000).reshape(50, 100)
    values[3, 7] = np.nan
    values[4, 4] = -np.inf
    text = heat_bars.shown(Array.of(values, 10**6), 40, 3).plain
    bars, facts = text.split("\n")
    assert len(bars) == 40
    assert bars[0] == "▁" and bars[-1] == "█"
    assert "-1 to 3" in facts and "1 NaN" in facts and "1 infinite" in facts
    assert "40 of 5,000 entries" in facts
    sampled = heat_bars.shown(Array.of(values, 100), 40, 3).plain
    assert "-1 to 3" in sampled


def test_bars_show_what_is_not_finite_and_what_is_constant():
    row = np.array([0.0, 1.0, np.nan, np.inf, 0.5] * 4)
    text = heat_bars.shown(Array.of(row, 100), 30, 3).plain.split("\n")[0]
    assert text.startswith("▁█?!▅")
    same = heat_bars.shown(Array.of(np.full(20, 2.0), 100), 30, 3).plain
    assert len(set(same.split("\n")[0])) == 1
    assert heat_bars.shown(Array.of(np.zeros((0, 3)), 9), 30, 3).plain == "no entries"


def test_hostile_names_cannot_steer_the_terminal():
    w = mg.tensor(2.0, requires_grad=True, name="[red]\x1b[2Jw\u202e")
    found = mg.steps((w * w).sum())
    for event in found.events:
        text = printed(found, event)
        assert "\x1b" not in text and "\u202e" not in text
    assert "[red]" in printed(found, found.events[0])  # as text, not as markup


# ------------------------------------------------------------- keys, without a terminal


def pressed(steps, *keys, number=0, answer=""):
    player = event_keys.Player(steps, number)
    for key in keys:
        assert player.press(key, lambda prompt: answer)
    return player


def test_moving(steps):
    last = len(steps.events) - 1
    assert pressed(steps, "n", "right", "space", "p").number == 2
    assert pressed(steps, "end").number == last
    assert pressed(steps, "end", "home").number == 0
    assert pressed(steps, "p").message == "there is no previous event"
    assert pressed(steps, "end", "n").message == "there is no next event"
    assert pressed(steps, "#", answer="57").number == 57
    assert pressed(steps, "#", answer="9999").message == "there is no event 9999"
    assert pressed(steps, "z").message.startswith("unknown key 'z'")
    for key in ("q", "esc", ""):
        assert not event_keys.Player(steps).press(key, None)


def test_escape_closes_the_help_and_no_more(steps):
    player = pressed(steps, "n", "?")
    assert player.help
    assert player.press("esc", None) and not player.help and player.number == 1
    assert not player.press("esc", None)
    assert pressed(steps, "?", "resize").help, "a resize draws the same again"


def test_g_does_what_it_does_on_the_page(steps):
    first = pressed(steps, "g").number
    assert first == steps.seek(0, "gate")
    second = pressed(steps, "g", "g").number
    assert second == steps.seek(first, "gate") > first
    assert pressed(steps, "g", "g", "G").number == first


def test_moving_by_units(steps):
    event = pressed(steps, "t").event
    assert steps.operations[event.operation].step == 0
    event = pressed(steps, "t", "t").event
    assert steps.operations[event.operation].step == 1
    event = pressed(steps, "t", "t", "T").event
    assert steps.operations[event.operation].step == 0
    gate = pressed(steps, "x").event
    assert steps.operations[gate.operation].gate.name == "input gate"
    assert not pressed(steps, "b").event.forward
    assert pressed(steps, "b", "B").event.forward


def test_following_the_contributions_to_one_parameter(steps):
    W_h = steps.find("W_h").number
    player = pressed(steps, "w", answer="W_h")
    places = [player.event]
    while player.message == "":
        player.press("c", None)
        places.append(player.event)
    given = [e for e in places[:-1] if isinstance(e, Contribution)]
    assert [e.target for e in given] == [W_h] * 3
    assert [e.index for e in given] == [1, 2, 3]
    assert "W_h" in player.message
    player.press("C", None)
    assert player.event.target == W_h
    assert "no value has the name" in pressed(steps, "w", answer="W_y").message


def test_until(steps):
    player = pressed(steps, "u", answer="receives b")
    assert player.event.target == steps.find("b").number
    first = player.number
    player.press("u", lambda prompt: "")  # the same once more
    assert player.number > first
    player.press("U", lambda prompt: "")
    assert player.number == first
    assert "not a condition" in pressed(steps, "u", answer="soon").message
    assert "never after" in pressed(steps, "u", answer="nan").message


# ------------------------------------------------------------- a real terminal


class Terminal:
    """The program on a pseudo-terminal: keys go in, what is on the screen comes out."""

    def __init__(self, *words, columns=80, lines=30, **environment):
        import fcntl
        import pty
        import struct
        import termios

        self.master, slave = pty.openpty()
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        env |= {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"} | environment
        program = "from minigrad.commands.main import main; raise SystemExit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            close_fds=True,
            start_new_session=True,
        )
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.raw = ""

    def wait(self, *wanted, seconds=180):
        """Read until all of it is on the screen; or fail."""
        end = time.monotonic() + seconds
        while not all(word in self.screen for word in wanted):
            assert time.monotonic() < end, f"waited for {wanted}:\n{self.screen}"
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.raw += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            elif self.process.poll() is not None:
                break
        assert all(word in self.screen for word in wanted), self.screen
        return self.screen

    @property
    def screen(self):
        """What stands there since the screen was last cleared."""
        return ANSI.sub("", self.raw.rpartition("\x1b[2J")[2])

    def press(self, keys):
        self.raw = ""
        os.write(self.master, keys.encode())

    def resize(self, columns, lines):
        import fcntl
        import struct
        import termios

        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)

    def close(self):
        import termios

        assert termios.tcgetattr(self.slave)[3] == self.before[3]  # as it was
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def open_terminal():
    pytest.importorskip("pty", reason="only on POSIX systems")
    opened = []

    def start(*words, **how):
        opened.append(Terminal(*words, **how))
        return opened[-1]

    yield start
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_keys_on_a_real_terminal(open_terminal):
    t = open_terminal("step", "lstm", "--steps", "2")
    t.wait("event 0 of", "n next", "q quit")
    assert "\x1b[" in t.raw  # in colour
    t.press("n")
    t.wait("event 1 of", "a_0^x = x_0 W_x", "lstm.py:", "q quit")
    t.press(" ")
    t.wait("event 2 of", "q quit")
    t.press("\x1b[D")  # the arrow to the left
    t.wait("event 1 of", "q quit")
    t.press("t")
    t.wait("step 1", "q quit")
    t.press("w")
    t.wait("parameter that c follows")
    t.press("W_h\n")
    t.wait("gives to W_h (1 of 2)", "contribution 1 of 2", "sum so far", "q quit")
    t.press("c")
    t.wait("contribution 2 of 2 to W_h", "q quit")
    t.press("#")
    t.wait("go to event (0 to ")
    t.press("5\n")
    t.wait("event 5 of", "q quit")
    t.press("u")
    t.wait("until:")
    t.press("norm of h < 1\n")
    t.wait("∂L/∂h_2", "norm of h < 1: here", "q quit")
    t.press("?")
    t.wait("previous time step", "quit")
    t.press("\x1b[H")
    t.wait("event 0 of", "q quit")
    t.press("?")
    t.wait("previous time step")
    t.press("\x1b")
    t.wait("event 0 of", "q quit")
    t.raw = ""
    t.resize(50, 30)
    t.wait("event 0 of", "q")
    assert max(map(len, t.screen.splitlines())) <= 51
    t.press("q")
    assert t.process.wait(20) == 0
    t.close()


def test_a_window_that_changes_while_a_key_is_answered(open_terminal):
    t = open_terminal("step", "rnn", "--steps", "1")
    t.wait("event 0 of", "q quit")
    slave = os.fdopen(os.dup(t.slave))
    with slave, keyboard.Posix(slave) as keys:
        t.process.kill()  # from now on the terminal is ours alone
        t.process.wait(20)
        t.press("n")
        assert keys.read() == "n"
        t.resize(50, 30)
        later = threading.Timer(5, t.press, ["p"])
        later.start()
        assert keys.read() == "resize"
        assert keys.read() == "p"


def test_without_colour_and_ended_by_escape(open_terminal):
    t = open_terminal("step", "rnn", "--until", "receives W_h", NO_COLOR="1")
    t.wait("gives to W_h (1 of 3)", "receives W_h: here", "q quit")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9][0-9;]*m", t.raw)  # no colour is set
    t.press("\x1b")
    assert t.process.wait(20) == 0
    t.close()


def test_end_of_input_and_interruption_leave_the_terminal_as_it_was(open_terminal):
    t = open_terminal("step", "gru", "--steps", "1", "--level", "gate")
    t.wait("event 0 of", "q quit")
    t.press("\x04")
    assert t.process.wait(20) == 0
    t.close()
    t = open_terminal("step", "rnn", "--steps", "1")
    t.wait("event 0 of", "q quit")
    t.process.send_signal(2)
    assert t.process.wait(20) == 130
    t.close()


# ------------------------------------------------------------- pipes and lines


def test_piped_output_is_every_event(capsys):
    assert main(["step", "rnn", "--steps", "2", "--hidden", "2"]) == 0
    text = capsys.readouterr().out
    numbers = [int(n) for n in re.findall(r"^event (\d+) of", text, re.M)]
    last = int(re.search(r"of 0\.\.(\d+)", text)[1])
    assert numbers == list(range(last + 1))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_range_and_a_breakpoint(capsys):
    assert main(["step", "lstm", "--all", "--from", "40", "--to", "44"]) == 0
    text = capsys.readouterr().out
    assert re.findall(r"^event (\d+)", text, re.M) == ["40", "41", "42", "43", "44"]
    assert main(["step", "lstm", "--all", "--from", "80", "--until", "receives b"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[-1].endswith("receives b")
    assert "gives to b (" in text


def test_variants_and_saved_files(tmp_path, capsys, steps):
    words = "step lstm --peephole current --couple forget --steps 1 --to 60".split()
    assert main(words) == 0
    assert "p_o" in capsys.readouterr().out
    path = tmp_path / "steps.json"
    path.write_text(steps.to_json())
    assert main(["step", "--load", str(path), "--to", "2"]) == 0
    direct = io.StringIO()
    terminal_player.print_all(steps, 0, 2, console=Console(width=80, file=direct))
    assert capsys.readouterr().out == direct.getvalue()


def test_lines_instead_of_keys(steps):
    out = io.StringIO()
    source = io.StringIO("n\n\ng 30\nu receives W_x\nnonsense\nq\nn\n")
    terminal_player.play(steps, console=Console(width=80, file=out), keys=Lines(source))
    found = [int(n) for n in re.findall(r"^event (\d+) of", out.getvalue(), re.M)]
    target = steps.until("receives W_x", 30).number
    assert found == [0, 1, 2, 30, target, target]
    assert "unknown key 'nonsense'" in out.getvalue()
    assert source.read() == "n\n"  # nothing is read after the end


def test_play_begins_at_a_breakpoint(steps, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("q\n"))
    steps.play(until=["receives W_h"])
    assert "gives to W_h (1 of 3)" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    steps.play(until=["nan"])
    assert "nan: never after this event" in capsys.readouterr().out


def test_an_old_encoding_is_no_failure():
    program = "from minigrad.commands.main import main; raise SystemExit(main())"
    words = [sys.executable, "-c", program, *"step rnn --steps 1 --to 8".split()]
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("ascii")
    assert "event 8 of" in text and "forward #" in text


@pytest.mark.parametrize(
    "words, wanted",
    [
        ([], "give either a network or a file"),
        (["lstm", "--load", "x.json"], "give either a network or a file"),
        (["--load", "no-such-file.json"], "cannot be read"),
        (["lstm", "--steps", "0"], "there are no steps to run"),
        (["lstm", "--from", "9999"], "there is no such event"),
        (["lstm", "--to", "-1"], "there is no such event"),
        (["rnn", "--peephole", "current"], "no variant of rnn"),
        (["rnn", "--until", "tomorrow"], "not a condition"),
        (["rnn", "--until", "receives W_q"], "no value has the name"),
        (["lstm", "--steps", "2000"], "too large to step through"),
    ],
)
def test_bad_input_is_one_clear_error(words, wanted, capsys):
    assert main(["step", *words]) == 2
    text = capsys.readouterr()
    assert wanted in text.err and "hint" in text.err
    assert text.out == ""


def test_a_foreign_file_is_refused(tmp_path, capsys):
    path = tmp_path / "foreign.json"
    path.write_text('{"format": "minigrad-steps", "version": 1')
    assert main(["step", "--load", str(path)]) == 2
    assert "hint" in capsys.readouterr().err


def test_no_event_is_an_error(steps):
    class Empty:
        events = []  # noqa: RUF012

    with pytest.raises(errors.ArgumentError, match="no event"):
        event_keys.Player(Empty())


def test_nan_is_found_and_shown():
    rnn = RNN(1, 1, rng=0)
    x = mg.tensor(np.array([1.0, np.nan]).reshape(2, 1, 1), name="x")
    found = mg.steps((rnn(x)[0]).sum())
    player = pressed(found, "u", answer="nan")
    assert "nan: here" in player.message
    assert "NaN" in printed(found, player.event)
