"""The phrasebook's two sides say the same: each pair is run, and compared by value."""

import importlib
import tomllib
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

BOOK = Path(__file__).parent.parent / "docs" / "phrasebook.toml"
if not BOOK.exists():
    pytest.skip("only in the repository", allow_module_level=True)
PHRASES = tomllib.loads(BOOK.read_text(encoding="utf-8"))["phrase"]
PAIRS = [(p, other) for p in PHRASES for other in ("torch", "micrograd") if other in p]


def run(code, **names):
    """What a piece of code leaves behind: its variables."""
    names["np"] = np
    exec(compile(code, "phrasebook", "exec"), names)
    return names


def array(value):
    """A value of either side as an array; None if it is nothing to compare."""
    if isinstance(value, list | tuple):
        parts = [array(one) for one in value]
        return None if any(p is None for p in parts) else np.array(parts)
    if isinstance(value, str):
        return np.array(value)
    value = getattr(value, "detach", lambda: value)()
    try:
        found = np.asarray(value.data if hasattr(value, "_op") else value)
    except Exception:
        return None
    return found if found.dtype.kind in "fiubU" else None


@pytest.mark.parametrize(
    ("phrase", "other"), PAIRS, ids=[f"{o}: {p['title']}" for p, o in PAIRS]
)
def test_both_sides_agree(phrase, other):
    module = pytest.importorskip(other, reason=f"needs {other}")
    theirs = run(phrase[other], **{other: module})
    ours = run(phrase["minigrad"], mg=mg)
    compared = 0
    for name in theirs.keys() & ours.keys() - {"np", "__builtins__"}:
        a, b = array(theirs[name]), array(ours[name])
        if a is None or b is None:
            continue
        compared += 1
        assert a.shape == b.shape, name
        if a.dtype.kind == "U":
            assert a == b, name
        else:
            np.testing.assert_allclose(b, a, rtol=1e-7, atol=0, err_msg=name)
    assert compared, "no variable in common: nothing was compared"


def test_a_second_backward_of_micrograd_is_wrong_as_the_note_says():
    engine = pytest.importorskip("micrograd.engine", reason="needs micrograd")
    Value = engine.Value
    a = Value(1.0)
    y = (a * a) * 2.0
    y.backward()
    y.backward()
    note = next(p["note"] for p in PHRASES if p["title"] == "A second backward")
    assert f"it gives {a.grad:g}, but 8 is right" in note


def test_the_page_has_every_phrase(monkeypatch):
    monkeypatch.syspath_prepend(str(BOOK.parent / "_ext"))
    text = importlib.import_module("phrases").text(BOOK)
    for phrase in PHRASES:
        assert phrase["title"] in text


# ------------------------------------------------------------- idioms

IDIOMS = tomllib.loads((BOOK.parent / "idioms.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "idiom",
    IDIOMS["idiom"],
    ids=[f"{i['from']}: {' '.join(i['write'].split())[:50]}" for i in IDIOMS["idiom"]],
)
def test_what_happens_to_an_idiom(idiom):
    names = run(IDIOMS["before"], mg=mg)
    kinds = {"error", "warning", "check"} & idiom.keys()
    assert len(kinds) == 1, "an error, a warning, or a check"
    if "error" in idiom:
        with pytest.raises(getattr(mg.errors, idiom["error"])) as caught:
            exec(idiom["write"], names)
        said = str(caught.value)
    elif "warning" in idiom:
        with pytest.warns(getattr(mg.errors, idiom["warning"])) as warned:
            exec(idiom["write"], names)
        said = "\n".join(str(w.message) for w in warned)
    else:
        exec(idiom["write"], names)
        assert eval(idiom["check"], names)
        return
    assert all(words in said for words in idiom["words"]), said


def test_the_page_has_every_idiom(monkeypatch):
    monkeypatch.syspath_prepend(str(BOOK.parent / "_ext"))
    text = importlib.import_module("phrases").idioms(BOOK.parent / "idioms.toml")
    for idiom in IDIOMS["idiom"]:
        assert idiom["from"] in IDIOMS["order"]
        assert all(line.strip() in text for line in idiom["write"].splitlines())
