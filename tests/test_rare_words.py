"""What is said in rare cases: a node in one line, a warning's advice, a lost line."""

import math

import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradWarning
from minigrad.engine.user_code import line


@pytest.mark.parametrize("count, ending", [(3, ""), (4, ""), (5, ", and 1 more")])
def test_a_node_in_one_line(count, ending):
    parts = [mg.ones(2, requires_grad=True) for _ in range(count)]
    said = repr(mg.stack(parts).node)
    assert said.startswith(f"<stack({', '.join(['(2,)'] * min(count, 4))}{ending}) #")


def test_a_function_of_pythons_names_ours_if_there_is_one():
    x = mg.tensor(2.0, requires_grad=True)
    with pytest.warns(MinigradWarning, match=r"np\.exp\(t\), which stays in the graph"):
        math.exp(x)
    with pytest.warns(MinigradWarning, match="expect  a function of minigrad's, which"):
        math.gamma(x)


def test_a_place_that_has_no_line():
    """Python may run without positions: then the first line of the function."""
    code = test_a_place_that_has_no_line.__code__
    assert line((code, 0))[0] == __file__
    assert line((code, 10**6)) == (__file__, code.co_firstlineno, 0, 0)
    assert line((code.replace(co_linetable=b""), 0))[1] == code.co_firstlineno
    assert line(None) is None
