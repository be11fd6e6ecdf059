"""What an argument is if it is left out: pinned, since programs rely on it.

`pinned_defaults.txt` has a line for each public function, class and method. After a
change on purpose: `python tests/test_defaults.py` writes it anew.
"""

import inspect
from pathlib import Path

import pytest

import minigrad as mg
from minigrad import models
from minigrad.models import attention, cell, dropout, lstm1997

PINNED = Path(__file__).with_name("pinned_defaults.txt")
PLACES = {
    "mg": mg,
    "mg.nn": mg.nn,
    "mg.nn.init": mg.nn.init,
    "mg.optim": mg.optim,
    "mg.losses": mg.losses,
    "mg.models": models,
    "mg.Tensor": mg.Tensor,
    "models.attention": attention,
    "models.cell": cell,
    "models.dropout": dropout,
    "models.lstm1997": lstm1997,
}


def public(place):
    """The names that a place has for its users, each where it is made."""
    if hasattr(place, "__all__"):
        return sorted(place.__all__)
    names = [name for name in dir(place) if not name.startswith("_")]
    if inspect.isclass(place):
        return [name for name in names if not inspect.isclass(getattr(place, name))]
    home = place.__name__
    return [n for n in names if getattr(getattr(place, n), "__module__", "") == home]


def defaults():
    """Lines like `mg.softmax(axis=-1)`, of what has defaults."""
    found = []
    for where, place in PLACES.items():
        for name in public(place):
            one = getattr(place, name)
            if not callable(one):
                continue
            found.append(line(f"{where}.{name}", one))
            if inspect.isclass(one):
                found += [
                    line(f"{where}.{name}.{method}", getattr(one, method))
                    for method in vars(one)
                    if not method.startswith("_") and callable(getattr(one, method))
                ]
    return [text for text in found if text]


def line(name, function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C
        return ""
    given = [
        f"{p.name}={p.default!r:.60}" for p in parameters if p.default is not p.empty
    ]
    return f"{name}({', '.join(given)})" if given else ""


def test_defaults_are_as_they_were():
    assert "\n".join(defaults()) == PINNED.read_text(encoding="utf-8").rstrip()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_defaults_of_optimisers_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch", reason="needs torch")
    ours = inspect.signature(getattr(mg.optim, name)).parameters
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    shared = [n for n in ours if n in theirs and ours[n].default is not ours[n].empty]
    assert len(shared) >= 4
    for parameter in shared:
        assert ours[parameter].default == theirs[parameter].default, parameter


if __name__ == "__main__":
    PINNED.write_text("\n".join(defaults()) + "\n", encoding="utf-8")
