"""`minigrad check` on machines with a fault: it says which promise, or stays green.

Planted here are a matrix product, functions of NumPy's, a clock, a locale, a numba that
does not fit, and an output that cannot be written. In a process of its own where the
fault must be there before NumPy is imported.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

from minigrad.checking import machine_arithmetic, promises
from minigrad.checking.outcome import Effort, Outcome
from minigrad.commands.main import main


def kept(effort):
    return Outcome("another", "one that is kept", tried=1)


@pytest.fixture(autouse=True)
def two_promises(monkeypatch):
    """Of the promises only the machine's, and one that is always kept, for time."""
    chosen = (promises.PROMISES[0], promises.Promise(kept, 1, "another"))
    monkeypatch.setattr(promises, "PROMISES", chosen)


def spoiled(function, factor=1.001, smallest=0):
    """The same function, with its last entry wrong where the result is not small."""

    def wrong(*inputs, **options):
        made = function(*inputs, **options)
        if getattr(made, "ndim", 0) > 1 and min(made.shape) > smallest:
            made = np.array(made)
            made[(-1,) * made.ndim] *= factor
            made[(-1,) * made.ndim] += 1
        return made

    return wrong


@pytest.mark.parametrize(
    ("name", "smallest"), [("dot", 0), ("dot", 16), ("dot", 120), ("matmul", 1)]
)
def test_a_wrong_matrix_product(name, smallest, monkeypatch, capsys):
    monkeypatch.setattr(np, name, spoiled(getattr(np, name), smallest=smallest))
    assert main(["check", "--seconds", "0.2"]) == 1
    said = capsys.readouterr().out
    assert "BROKEN, matrix products" in said and "@" in said
    assert "1 of 2 rows" in said


# (np.multiply is what NumPy makes its own products of.)
@pytest.mark.parametrize(
    "name", sorted({*machine_arithmetic.ONE, *machine_arithmetic.TWO} - {"multiply"})
)
def test_a_wrong_function(name, monkeypatch):
    whole = getattr(np, name)
    monkeypatch.setattr(np, name, lambda *x: whole(*x) * 1.0000011 + 1e-5)
    outcome = machine_arithmetic.this_machine(Effort(0, cases=1))
    assert any(f"np.{name} " in text for text in outcome.wrong)


def test_a_promise_that_fails_in_an_unforeseen_way(monkeypatch, capsys):
    def full(effort):
        raise OSError(28, "No space left on device")

    broken = promises.Promise(full, 1, "same bits")
    monkeypatch.setattr(promises, "PROMISES", (broken, promises.PROMISES[1]))
    assert main(["check", "--seconds", "0.1"]) == 1
    said = capsys.readouterr().out
    assert "same bits" in said and "could not be tried to the end: OSError" in said
    assert "1 of 2 rows are broken" in said


def test_a_clock_that_stands_still_or_is_wrong(monkeypatch):
    for name in ("monotonic", "time", "perf_counter"):
        monkeypatch.setattr(f"time.{name}", lambda: -1.0)
    assert main(["check", "--seconds", "0.1"]) == 0


def test_a_locale_with_a_decimal_comma(monkeypatch, capsys):
    monkeypatch.setattr("locale.localeconv", lambda: {"decimal_point": ","})
    assert main(["check", "--seconds", "0.1"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "decimal point of this locale is ','" in said


def test_a_narrow_window(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "30")
    assert main(["check", "--seconds", "0.1"]) == 0
    said = capsys.readouterr().out
    assert "this machine: kept" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 30


FAULTS = {  # code that runs before anything else: (what it breaks, words of the report)
    "a ufunc": ("import numpy as np; np.log1p = np.sinh", 1, "np.log1p in float64"),
    "another numba": (
        "import sys, types; sys.modules['numba'] = types.ModuleType('numba')",
        0,
        "Every promise was kept",
    ),
}
PROGRAM = """
from minigrad.checking import promises
from minigrad.commands.main import main
promises.PROMISES = promises.PROMISES[:1]
raise SystemExit(main(["check", "--seconds", "0.2"]))
"""


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_is_there_from_the_start(name, tmp_path):
    code, expected, words = FAULTS[name]
    (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ
        | {
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.pathsep.join(sys.path)}",
            "HOME": str(tmp_path / "none"),
            "LC_ALL": "tr_TR.UTF-8",
            "PYTHONIOENCODING": "ascii",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stderr
    assert words in done.stdout and "Traceback" not in done.stderr
    assert done.stderr.count("Warning") <= 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only where there is one")
def test_an_output_that_is_full():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "minigrad", "tutorial"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "nothing more can be written" in done.stderr
