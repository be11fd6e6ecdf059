"""Commands on terminals of any encoding and width, and with no one who reads them."""

import datetime
import html
import io
import math
import os
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest
from rich.cells import cell_len

from minigrad.commands.main import main
from minigrad.reading import plain_letters
from minigrad.reading.plain_letters import is_unicode, plain, plain_streams

ROOT = Path(__file__).parents[2]
ENCODINGS = ["ascii", "cp1252", "cp437", "latin-1", "shift_jis"]


class Output(io.TextIOWrapper):
    """Standard output that takes the letters of one encoding and no others."""

    def __init__(self, encoding, errors="strict"):
        super().__init__(io.BytesIO(), encoding=encoding, errors=errors)

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def shown(monkeypatch):
    """Run a command with an output of this encoding: (exit code, output, errors)."""

    def run(encoding, *words):
        out, err = Output(encoding), Output(encoding)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            try:
                code = main(list(words))
            except SystemExit as ended:
                code = ended.code
        assert out.errors == err.errors == "strict"  # as it was before
        return code, out.text(), err.text()

    return run


# ------------------------------------------------------------- letters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.5 °C", "12.5 degC"),
        ("x ≥ 1 ± 0.5", "x >= 1 +- 0.5"),
        ("∂L/∂W_h = σ(v_41)·Δ", "dL/dW_h = sigma(v_41)*Delta"),
        ("h₀ x² ½ ‖W‖₂ Wᵀ", "h_0 x^2 1/2 ||W||_2 W^T"),
        ("Ω α π λ", "Omega alpha pi lambda"),
        ("naïve Ångström Łódź straße", "naive Angstrom Lodz strasse"),
        ("┏━┳┓┃╭─╮│├┼┤╰╯╺━╸═║", "+-++|+-+|+++++----|"),
        ("▁▂▃▄▅▆▇█", "_.:-=+*#"),
        ("“a” \u2018b\u2019 … – — →", "\"a\" 'b' ... - - ->"),
        ("мир 日本", "??? ????"),
        ("\ud800 \U0001f600", "? ??"),
        ("e\u0301", "e"),
    ],
)
def test_letters(text, expected):
    assert "".join(map(plain, text)) == expected


def test_every_sign_of_ours_has_a_plain_form():
    """All that stands in a string of the program, bars and signs of formulas too."""
    used = set()
    for path in [*ROOT.glob("minigrad/**/*.py"), *ROOT.glob("models/*.py")]:
        with open(path, "rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type in (tokenize.STRING, tokenize.COMMENT):
                    used |= set(token.string)
    lost = {char for char in used if "?" in plain(char)} - {"?", "\ufffd"}
    assert lost <= {"⤢", "й"}  # a button of a page; a letter in a comment
    assert all(plain(char).isascii() for char in used)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_an_encoding_has_stays(encoding):
    out = Output(encoding)
    text = "°é±μЖ"
    for char in text:
        try:
            wanted = char.encode(encoding).decode(encoding)
        except UnicodeEncodeError:
            wanted = plain(char)
        out.reconfigure(errors=plain_letters.HANDLER)
        out.seek(0)
        out.buffer.truncate(0)
        out.write(char)
        assert out.text() == wanted


def test_decoding_is_no_matter_of_letters():
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", plain_letters.HANDLER)


def test_streams_are_put_back(monkeypatch):
    out, err = Output("ascii"), Output("ascii", "backslashreplace")
    given = io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "stdin", given)
    with plain_streams():
        print("≥")
        print("°", file=sys.stderr)
        assert sys.stdin.readline() == "caf\ufffd\n"
    assert (out.errors, err.errors) == ("strict", "backslashreplace")
    assert out.text() == ">=\n" and err.text() == "deg\n"
    with pytest.raises(UnicodeEncodeError):
        print("≥")


def test_a_way_of_the_users_own_is_kept(monkeypatch):
    out = Output("ascii", "ignore")
    monkeypatch.setattr(sys, "stdout", out)
    with plain_streams():
        print("a ≥ b")
    assert out.text() == "a  b\n"


@pytest.mark.parametrize("kind", [io.StringIO, type("Odd", (), {"write": len})])
def test_streams_that_cannot_be_set(monkeypatch, kind):
    monkeypatch.setattr(sys, "stdout", kind())
    with plain_streams():
        sys.stdout.write("≥")


def test_no_streams_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["tutorial"]) == 0
    assert sys.stdout is None


@pytest.mark.parametrize(
    ("encoding", "known"),
    [("utf-8", True), ("UTF8", True), ("utf-16", True), ("cp1252", False),
     ("ascii", False), ("nonsense", False), (None, True)],
)  # fmt: skip
def test_which_encodings_have_every_letter(encoding, known):
    assert is_unicode(type("S", (), {"encoding": encoding})()) is known


# ------------------------------------------------------------- commands

COMMANDS = {
    "flow": ["flow", "--cells", "rnn,lstm", "--steps", "6", "--hidden", "3"],
    "ledger bars": ["flow", "--cells", "gru", "--steps", "3", "--gain", "40"],
    "draw": ["draw", "lstm", "--sentence", "мир это é"],
    "step": ["step", "lstm", "--steps", "1", "--all"],
    "until": ["step", "gru", "--steps", "1", "--until", "receives W_h", "--all"],
    "keys": ["step", "rnn", "--steps", "1", "--lines"],
    "tutorials": ["tutorial"],
    "doctor": ["doctor"],
    "help": ["--help"],
    "help of one": ["train", "weather", "--help"],
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name, encoding, shown, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n?\ng 5\nq\n"))
    code, out, err = shown(encoding, *COMMANDS[name])
    assert code == 0 and out and err == ""
    if encoding == "ascii" and name not in ("step", "until", "keys"):
        assert "?" not in out.replace("? ", "").replace("?\n", "")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_errors_quote_in_plain_letters(encoding, shown, tmp_path):
    (tmp_path / "мир").touch()  # a file, where a folder would have to be
    code, out, err = shown(encoding, "draw", "lstm", "-o", str(tmp_path / "мир/é.svg"))
    assert code == 2 and out == "" and "folder" in err
    code, out, err = shown(encoding, "tutorial", "дом")
    assert code == 2 and "hint" in err


def test_a_drawing_into_a_file_of_any_encoding_keeps_its_words(shown):
    words = ["draw", "rnn", "--sentence", "мир 日本 é & <b>"]
    _, unicode, _ = shown("utf-8", *words)
    assert "мир" in unicode
    for encoding in ENCODINGS:
        _, out, _ = shown(encoding, *words)
        assert out.isascii() and "&#1084;&#1080;&#1088;" in out
        lost = {c for c in unicode if not c.isascii()}
        for char in lost:
            out = out.replace(f"&#{ord(char)};", char)
        assert out == unicode


def test_files_are_utf_8(shown, tmp_path):
    path = tmp_path / "мир.dot"
    for words in (["-o", str(path)], ["-o", str(path.with_suffix(".svg"))]):
        code, out, _ = shown("ascii", "draw", "rnn", "--sentence", "мир", *words)
        assert code == 0 and "???.??? ".replace(".???", "") in out.replace(".", " ")
    assert "мир" in path.read_text("utf-8")
    svg = path.with_suffix(".svg").read_text("utf-8")
    assert "мир" in html.unescape(svg)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_training_and_asking(encoding, shown, tmp_path, monkeypatch):
    first = datetime.date(2020, 1, 1)
    rows = ["date,precipitation,temp_max,temp_min,wind"]
    for k in range(200):
        high = 10 + 8 * math.sin(k / 20) + 3 * math.sin(k)
        day = first + datetime.timedelta(days=k)
        rows.append(f"{day},{k % 3}.0,{high:.1f},{high - 6:.1f},3.0")
    series = tmp_path / "Tage-é.csv"
    series.write_text("\n".join(rows) + "\n")
    folder = str(tmp_path / "Wetter-é")
    options = ["--data", str(series), "--epochs", "1", "-o", folder, "--monitor"]
    code, out, err = shown(encoding, "train", "weather", *options)
    assert code == 0 and err == ""
    degrees = "degC" if encoding == "ascii" else "°C"
    assert f" {degrees}" in out and "epoch  1/1" in out
    code, out, _ = shown(encoding, "predict", "weather", "--model", folder)
    assert code == 0 and degrees in out


# ------------------------------------------------------------- narrow, dumb, no colours


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("name", ["flow", "step", "tutorials", "ledger bars"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_no_line_is_wider_than_the_terminal(name, width, encoding, shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, _ = shown(encoding, *COMMANDS[name])
    assert code == 0
    assert max(map(cell_len, out.split("\n"))) <= width


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_table_has_fewer_numbers_not_cut_ones(width, shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = shown("utf-8", "flow", "--steps", "50", "--hidden", "8")
    assert "…" not in out and "RNN" in out and "50" in out


@pytest.mark.parametrize(
    "name_and_value", [("TERM", "dumb"), ("NO_COLOR", "1"), ("TERM", "unknown")]
)
def test_other_terminals(name_and_value, shown, monkeypatch):
    monkeypatch.setenv(*name_and_value)
    code, out, _ = shown("utf-8", *COMMANDS["flow"])
    assert code == 0 and "\x1b" not in out


# ------------------------------------------------------------- no one reads


def started(*words, **more):
    command = [sys.executable, "-m", "minigrad", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(command, env=env, cwd=ROOT, **pipes)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="only where pipes break as in POSIX")
@pytest.mark.parametrize(
    "words",
    [
        ["step", "lstm", "--steps", "3", "--all"],
        ["draw", "lstm", "--steps", "30", "--max-steps", "30"],
        ["tutorial"],
        ["--help"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("lines", [0, 1])
def test_a_reader_that_has_seen_enough(words, lines):
    with started(*words) as child:
        for _ in range(lines):
            child.stdout.readline()
        child.stdout.close()
        err = child.stderr.read().decode()
        code = child.wait(timeout=120)
    assert err == "" and code in (0, 1)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="only where a shell closes streams")
def test_output_that_is_closed():
    command = f'"{sys.executable}" -m minigrad tutorial >&- 2>&- <&-'
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(["sh", "-c", command], env=env, cwd=ROOT).returncode == 0


@pytest.mark.slow
def test_a_locale_without_letters(tmp_path):
    """No encoding is said anywhere: Python takes the locale's."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "0"}
    env |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    env.pop("PYTHONIOENCODING", None)
    words = ["draw", "lstm", "--sentence", "мир é", "-o", "é.svg"]
    command = [sys.executable, "-m", "minigrad", *words]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert len(list(tmp_path.glob("*.svg"))) == 1
