"""Names of other libraries: the error says what to write here, and that runs."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import GraphError, UnknownNameError
from minigrad.engine.foreign_names import MODULE, TENSOR


def names():
    x = mg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    return {"mg": mg, "np": np, "x": x, "y": mg.zeros((3, 2))}


@pytest.mark.parametrize("name", TENSOR)
def test_of_a_tensor(name):
    there = names()
    with pytest.raises(UnknownNameError) as caught:
        getattr(there["x"], name)
    assert isinstance(caught.value, AttributeError)
    text = str(caught.value)
    assert f"no {name!r}" in text and f"write {TENSOR[name]}" in text
    exec(TENSOR[name], there)


@pytest.mark.parametrize("name", MODULE)
def test_of_the_module(name):
    with pytest.raises(UnknownNameError) as caught:
        getattr(mg, name)
    assert f"write {MODULE[name]}" in str(caught.value)
    exec(MODULE[name], names())


@pytest.mark.parametrize("name", ["tile", "vstack", "diff", "inner", "log2"])
def test_numpys_functions_are_offered(name):
    for owner in (mg, names()["x"]):
        with pytest.raises(AttributeError, match=rf"np\.{name}\(.*\) is recorded"):
            getattr(owner, name)


def test_any_other_name_is_missing_as_ever():
    x = names()["x"]
    for owner in (mg, x):
        assert not hasattr(owner, "nonsense") and not hasattr(owner, "_nonsense")
        assert not hasattr(owner, "__nonsense__")
    with pytest.raises(ImportError):
        from minigrad import nonsense  # noqa: F401


def test_copies_for_plots():
    """matplotlib copies what it plots."""
    x = names()["x"]
    constant = copy.copy(x.detach())
    np.testing.assert_array_equal(constant.data, x.data)
    with pytest.raises(GraphError, match=r"a copy of a tensor[^@]*\.detach\(\)"):
        copy.copy(x)
