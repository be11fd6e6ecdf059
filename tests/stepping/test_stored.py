"""A saved file plays without the model; a damaged one is refused in one clear error."""

import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import errors
from minigrad.models import LSTM
from minigrad.stepping import Steps
from minigrad.stepping.record.events import KINDS


@pytest.fixture(scope="module")
def steps():
    rng = np.random.default_rng(0)
    net = LSTM(2, 3, rng=0)
    output, _ = net(mg.tensor(rng.standard_normal((3, 2, 2))))
    return mg.steps((output * output).sum(), title="a title")


def equal(a, b):
    """Are two records of steps the same, arrays bit for bit?"""
    if hasattr(a, "__dataclass_fields__"):
        names = a.__dataclass_fields__
        return type(a) is type(b) and all(
            equal(getattr(a, name), getattr(b, name)) for name in names
        )
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def test_everything_comes_back(steps):
    again = Steps.from_json(steps.to_json())
    assert equal(again.operations, steps.operations)
    assert equal(again.values, steps.values)
    assert equal(again.events, steps.events)
    assert (again.level, again.title) == (steps.level, steps.title)
    assert again.to_json() == steps.to_json()
    assert Steps.from_json(steps.to_json().encode()).title == "a title"
    assert {e.kind for e in steps.events} == set(KINDS) - {"carried"}


def test_truncated_files(steps):
    text = steps.to_json()
    for at in (0, 1, 10, len(text) // 3, len(text) // 2, len(text) - 1):
        with pytest.raises(errors.DataError, match="damaged"):
            Steps.from_json(text[:at])


FOREIGN = [
    "[]",
    "3",
    "null",
    '"x"',
    "{}",
    "NaN",
    '{"format":"minigrad-steps"}',
    '{"format":"minigrad-steps","version":2}',
    "[" * 100_000,
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_files(text):
    with pytest.raises(errors.DataError, match="damaged") as caught:
        Steps.from_json(text)
    assert caught.value.hint


def _leaves(data, path=()):
    """Where every kind of leaf of the data is, a few of each."""
    if isinstance(data, dict):
        for name, part in data.items():
            yield from _leaves(part, (*path, name))
    elif isinstance(data, list):
        for k in {0, len(data) // 2, len(data) - 1} if data else ():
            yield from _leaves(data[k], (*path, k))
    yield path


def test_any_part_may_be_wrong():
    """Each field replaced by nonsense: read as it is, or refused; never a crash."""
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    with mg.time_step(0):
        y = mg.tanh(x * 3.0)
    data = json.loads(mg.steps(mg.matmul(y, y) + mg.matmul(y, x)).to_json())
    refused = 0
    for path in list(_leaves(data)):
        if not path:
            continue
        for nonsense in (None, -1, 10**9, "x", [], {}, 1.5, [[]], True):
            changed = dict(data)
            part = changed
            for name in path[:-1]:
                inner = part[name]
                part[name] = dict(inner) if isinstance(inner, dict) else list(inner)
                part = part[name]
            part[path[-1]] = nonsense
            try:
                again = Steps.from_json(json.dumps(changed))
                again.rebuilt()
            except errors.MinigradError:
                refused += 1
    assert refused > 300


def test_changed_bits_are_found(steps):
    text = json.loads(steps.to_json())
    event = next(e for e in text["events"] if e["kind"] == "gradient")
    first = text["arrays"][event["value"]]
    other = first["data"]
    first["data"] = ("A" if other[0] != "A" else "B") + other[1:]
    with pytest.raises(errors.GradientError, match="add up"):
        Steps.from_json(json.dumps(text)).check()


@pytest.mark.parametrize("level", ["op", "gate", "cell"])
def test_the_drawing_comes_back_too(level, rng):
    net = LSTM(2, 3, 2, bidirectional=True, rng=0)
    x = mg.tensor(rng.standard_normal((3, 2, 2)), name="x")
    output, (h, _) = net(x, lengths=[3, 2])
    h.name = "the last <h>"
    loss = (output * output).sum() + h.sum()
    again = Steps.from_json(mg.steps(loss, level=level).to_json())
    assert again.drawing().dot == mg.draw(loss, level=level, max_steps=None).dot


def test_a_recorded_backward_pass_is_stepped_through_and_drawn(rng):
    x = mg.tensor(rng.standard_normal(3), requires_grad=True, name="x")
    (g,) = mg.grad(mg.tanh(x * x).sum(), [x], create_graph=True)
    loss = (g * g).sum()
    steps = mg.steps(loss)
    loss.backward()
    assert steps.rebuilt()[0].tobytes() == x.grad.data.tobytes()
    again = Steps.from_json(steps.to_json())
    assert again.drawing().dot == mg.draw(loss, max_steps=None).dot
