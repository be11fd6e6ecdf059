"""Too few, too many and unknown arguments of every public function and method."""

import inspect
import types
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.engine.errors import MinigradError

MODULES = {
    "mg": mg, "mg.nn": mg.nn, "mg.optim": mg.optim, "mg.data": mg.data,
    "mg.training": mg.training, "mg.interop": mg.interop, "models": models,
}  # fmt: skip
# Made by functions of ours, not by users; a tuple with names has Python's own words.
MADE = {
    "Batches", "Diagnosis", "Drawing", "EnglishGerman", "EpochReport", "Explanation",
    "Exploration", "FirstNames", "JacobianProducts", "Ledger", "Module", "MovieReviews",
    "Opened", "Optimizer", "Parts", "ProgramTags", "Report", "Run", "SeattleWeather",
    "Steps", "StockPrices", "Stopped", "Trace", "Unrolled", "WeeklyCO2",
}  # fmt: skip


def objects():
    """One of each kind that has methods."""
    x = mg.tensor(np.ones((3, 4)), requires_grad=True)
    lstm = models.LSTM(4, 3, rng=0)
    trace = lstm.trace(np.ones((5, 2, 4)))
    loss = (trace.output * trace.output).mean()
    W_h = lstm.cells[0].W_h
    return {
        "tensor": x, "lstm": lstm, "cell": lstm.cells[0], "trace": trace,
        "linear": mg.nn.Linear(2, 2), "modules": mg.nn.ModuleList([]),
        "sgd": mg.optim.SGD([x], lr=0.1), "compiled": mg.compile(lambda a: a * 2),
        "drawing": mg.draw(loss), "steps": mg.steps(loss),
        "diagnosis": mg.diagnose(loss),
        "ledger": mg.ledger(loss, W_h), "products": mg.jacobian_products(trace),
        "explanation": mg.explain(W_h, (0, 0), loss), "monitor": mg.Monitor(),
        "vocabulary": mg.data.Vocabulary(["a b"]),
    }  # fmt: skip


def public():
    """(name, what can be called) of all that a user reaches."""
    for short, module in MODULES.items():
        for name in module.__all__:
            found = getattr(module, name)
            if callable(found) and not isinstance(found, types.ModuleType):
                if name not in MADE:
                    yield f"{short}.{name}", found
    for short, one in objects().items():
        for name in dir(type(one)):
            if name[:1] != "_" and name not in ("of", "result_type", "forward"):
                if callable(getattr(type(one), name)):
                    yield f"{short}.{name}", getattr(one, name)


INSIDE = {  # of cells and optimisers: for those who write one, not for those who use it
    "linear.extra_repr", "cell.input_and_forget", "cell.peep", "sgd.formula",
    "sgd.numbers", "sgd.checked", "sgd.kept_with",
}  # fmt: skip


def test_every_call_that_does_not_fit_is_an_error_of_ours():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls = [(name, call) for name, call in public() if name not in INSIDE]
        assert len(calls) > 300
        raw = []
        for name, call in calls:
            wrong = [([object()] * 15, {}), ([], {"nonsense_": 1})]
            if _needs_some(call):
                wrong.append(([], {}))
            for given, named in wrong:
                try:
                    call(*given, **named)
                except MinigradError as error:
                    assert error.hint and error.expect and error.actual
                except TypeError as error:
                    raw.append(f"{name}: {error}")
        assert raw == []


def _needs_some(call):
    try:
        known = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # of a function without Python text
        return False
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(one.default is one.empty and one.kind in plain for one in known)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("mg.nn.Lineer", "Linear"), ("mg.optim.Adm", "Adam"), ("mg.losses.mes", "mse"),
        ("mg.errors.ShapeEror", "ShapeError"), ("models.LSTMM", "LSTM"),
        ("mg.soft_max", "softmax"), ("mg.tensor([1.0]).summ", "sum"),
        ("mg.nn.Linear(2, 3).weigth", "weight"), ("mg.data.Vocabulry", "Vocabulary"),
    ],
)  # fmt: skip
def test_a_name_that_was_mistyped(wrong, meant):
    with pytest.raises(AttributeError, match=f"did you mean '{meant}'") as caught:
        eval(wrong, {"mg": mg, "models": models})
    assert isinstance(caught.value, MinigradError)


def test_what_a_property_raises_is_not_hidden():
    class Broken(mg.nn.Module):
        @property
        def size(self):
            return self.nothing_here

    with pytest.raises(AttributeError, match="nothing_here"):
        _ = Broken().size


def test_numbers_without_a_tensor_are_computed_without_a_warning():
    """As in the engine: infinity and NaN are values, and anomaly mode finds them."""
    assert mg.exp(1000) == np.inf and mg.log(0) == -np.inf and np.isnan(mg.log(-1.0))
    assert mg.exp(np.array([1000.0]))[0] == np.inf
