"""Attributes that are set, deleted or asked for and cannot be: one error each, in the
usual form, that says what to write instead."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DTypeError,
    IndexingError,
    UnknownNameError,
)
from minigrad.engine.foreign_names import MODEL
from minigrad.engine.known_names import KEPT, TOLD
from minigrad.models import LSTM
from minigrad.nn.optim.settings import OPTIMIZER

LEAF, COMPUTED, PARAMETER = range(3)


def tensor(kind=LEAF):
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="x")
    if kind == COMPUTED:
        return 2.0 * x
    return mg.nn.Parameter(np.ones((2, 2))) if kind == PARAMETER else x


def said(error, action):
    """The text of the error that the action raises."""
    with pytest.raises(error) as caught:
        action()
    text = str(caught.value)
    assert "test_known_names.py:" in text and "hint" in text
    return text


SETTINGS = {
    "foo": "keep it in a variable or a dict of your own",
    "gard": "did you mean 'grad'?",
    "nmae": "did you mean 'name'?",
    "device": "keep it in a variable",
    "grad_fn": "write x.node",
    "sum": "sum_of_x = ...",
    **TOLD,
}


@pytest.mark.parametrize("kind", [LEAF, COMPUTED, PARAMETER])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_name_of_a_tensor_that_cannot_be_set(name, kind):
    x = tensor(kind)
    before = repr(x)
    text = said(UnknownNameError, lambda: setattr(x, name, 3))
    assert text.startswith(f"x.{name} = ...: a tensor") and SETTINGS[name] in text
    assert repr(x) == before and isinstance(x, mg.Tensor)


@pytest.mark.parametrize("kind", [LEAF, COMPUTED, PARAMETER])
@pytest.mark.parametrize("name", [*KEPT, "shape", "sum", "foo"])
def test_a_name_of_a_tensor_that_is_deleted(name, kind):
    x = tensor(kind)
    text = said(UnknownNameError, lambda: delattr(x, name))
    assert text.startswith(f"del x.{name}: a tensor")
    assert KEPT.get(name, "del x lets go of the whole tensor") in text
    np.testing.assert_array_equal(x.shape, (2, 2))


def test_what_can_be_set_of_a_tensor_is_set():
    x = tensor()
    x.data, x.name, x.grad = np.ones((2, 2)), "w", mg.zeros((2, 2))
    x.requires_grad = False
    assert (x.data.sum(), x.name, x.grad.shape) == (4.0, "w", (2, 2))
    assert not x.requires_grad
    for name in ("_nonsense", "__nonsense__"):  # what Python looks for: as it is
        with pytest.raises(AttributeError) as caught:
            setattr(x, name, 1)
        assert not isinstance(caught.value, mg.errors.MinigradError)
        with pytest.raises(AttributeError):
            delattr(x, name)


def test_an_error_of_what_a_tensor_is_given_stays_what_it_is():
    class Broken:
        def __array__(self, *_, **__):
            raise AttributeError("of its own")

    x = tensor()
    with pytest.raises(AttributeError, match="of its own"):
        x.data = Broken()


def test_a_kind_of_tensor_of_your_own_may_have_more_names():
    class Noted(mg.Tensor):
        pass

    x = Noted([1.0])
    x.note = "mine"
    assert x.note == "mine" and type(2.0 * x) is mg.Tensor


# ------------------------------------------------------------------ modules


def test_a_parameter_is_not_lost():
    layer = mg.nn.Linear(2, 3)
    for value in (3, np.ones((2, 3)), mg.ones((2, 3)), "weights"):
        text = said(DTypeError, lambda value=value: setattr(layer, "weight", value))
        assert "the parameter would be lost" in text
        assert "self.weight.data = array" in text
    other = mg.nn.Parameter(np.ones((2, 3)))
    layer.weight, layer.bias = other, None  # as in PyTorch
    assert layer.parameters() == [other]


def test_a_method_of_a_module_is_not_lost():
    layer = mg.nn.Linear(2, 3)
    text = said(DTypeError, lambda: setattr(layer, "parameters", [1]))
    assert "the method would be lost" in text and "parameters_of_mine" in text
    layer.forward = lambda x: x + 1.0  # another function may stand there
    assert layer(mg.zeros(1)).item() == 1.0


def test_training_is_a_flag():
    layer = mg.nn.Linear(2, 3)
    with pytest.raises(ArgumentError, match="neither True nor False"):
        layer.training = "no"
    layer.training = np.bool_(False)
    assert layer.training is False


def test_what_follows_from_other_things_is_not_set():
    model = LSTM(2, 3)
    text = said(UnknownNameError, lambda: setattr(model, "gates", 3))
    assert text.startswith("LSTM.gates = ...: it cannot be set")


def test_names_of_a_module_that_are_deleted():
    layer = mg.nn.Linear(2, 3)
    text = said(UnknownNameError, lambda: delattr(layer, "wieght"))
    assert "a Linear has no 'wieght'" in text and "did you mean 'weight'?" in text
    text = said(UnknownNameError, lambda: delattr(layer, "forward"))
    assert "it belongs to every Linear" in text
    layer.note = 1
    del layer.note, layer.bias
    assert not hasattr(layer, "note") and len(layer.parameters()) == 1


def test_lists_of_modules_take_modules():
    first = mg.nn.Linear(2, 3)
    rows = mg.nn.ModuleList([first, mg.tanh])
    for action in (
        lambda: mg.nn.ModuleList(3),
        lambda: mg.nn.ModuleList([first, 3]),
        lambda: mg.nn.Sequential(first, None),
        lambda: rows.append(mg.ones(3)),
    ):
        said(DTypeError, action)
    assert list(rows) == [first, mg.tanh] and rows[-1] is mg.tanh and len(rows) == 2
    assert rows[:1] == [first]
    assert "-2..1" in said(IndexingError, lambda: rows[2])
    assert "a whole number" in said(IndexingError, lambda: rows["first"])
    assert "it is empty" in said(IndexingError, lambda: mg.nn.ModuleList()[0])


@pytest.mark.parametrize("name", MODEL)
def test_other_libraries_names_of_a_model(name):
    model = LSTM(2, 3)
    text = said(UnknownNameError, lambda: getattr(model, name))
    assert f"an LSTM has no {name!r}" in text and f"write {MODEL[name]}" in text
    exec(MODEL[name], {"mg": mg, "np": np, "LSTM": LSTM, "model": model})


# ------------------------------------------------------------------ optimisers


@pytest.mark.parametrize("name", OPTIMIZER)
def test_other_libraries_names_of_an_optimiser(name):
    p = mg.nn.Parameter(np.ones(2))
    opt = mg.optim.Adam([p])
    p.grad = mg.ones(2)
    for action in (lambda: getattr(opt, name), lambda: setattr(opt, name, 0.1)):
        text = said(UnknownNameError, action)
        assert f"an Adam has no {name!r}" in text and f"write {OPTIMIZER[name]}" in text
    exec(OPTIMIZER[name], {"mg": mg, "opt": opt, "p": p})


def test_an_optimiser_of_your_own_may_note_what_it_likes():
    class Signs(mg.optim.Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, lr=0.1)
            self.moves = 0

        def update(self, p, g, kept, step):
            self.moves += 1
            return p - self.lr * np.sign(g)

    p = mg.nn.Parameter(np.ones(2))
    p.grad = mg.tensor([3.0, -3.0])
    opt = Signs([p])
    opt.step()
    opt.seen = True
    assert opt.moves == 1 and p.data.tolist() == [0.9, 1.1]


WRONG = [
    ("SGD", {"momentum": 0.9}, "momentum", "much"),
    ("SGD", {"momentum": 0.9}, "momentum", -1.0),
    ("SGD", {}, "nesterov", True),
    ("SGD", {"momentum": 0.9, "nesterov": True}, "dampening", 0.5),
    ("SGD", {}, "weight_decay", float("nan")),
    ("RMSprop", {}, "alpha", 1.0),
    ("RMSprop", {}, "centered", "yes"),
    ("Adam", {}, "betas", 0.9),
    ("Adam", {}, "betas", (0.9, 1.0)),
    ("Adam", {}, "eps", None),
    ("Adam", {}, "amsgrad", 3),
    ("AdamW", {}, "lr", -0.1),
]


@pytest.mark.parametrize("kind, options, name, value", WRONG)
def test_a_setting_is_checked_when_it_is_changed(kind, options, name, value):
    opt = getattr(mg.optim, kind)([mg.nn.Parameter(np.ones(2))], **options)
    before = getattr(opt, name)
    with pytest.raises(ArgumentError):
        setattr(opt, name, value)
    assert getattr(opt, name) == before


LATER = [
    ("SGD", "momentum", 0.9),
    ("RMSprop", "momentum", 0.9),
    ("RMSprop", "centered", True),
    ("Adam", "amsgrad", True),
]


@pytest.mark.parametrize("kind, name, value", LATER)
def test_a_setting_that_keeps_other_arrays_is_for_another_optimiser(kind, name, value):
    """It was taken and changed nothing (momentum), or failed later (centered)."""
    opt = getattr(mg.optim, kind)([mg.nn.Parameter(np.ones(2))])
    text = said(ArgumentError, lambda: setattr(opt, name, value))
    assert f"{kind}(parameters, {name}={value!r})" in text
    other = getattr(mg.optim, kind)(opt.parameters, **{name: value})
    state, before = other.state_dict(), opt.state_dict()
    with pytest.raises(CheckpointError, match="nothing was loaded"):
        opt.load_state_dict(state | {"lr": np.array(0.5)})
    assert str(opt.state_dict()) == str(before)


def test_settings_that_are_changed_count():
    p = mg.nn.Parameter(np.ones(2))
    opt = mg.optim.SGD([p], lr=1.0, momentum=0.5)
    opt.momentum, opt.weight_decay = np.float32(0.25), 0.5
    p.grad = mg.ones(2)
    opt.step()
    opt.step()
    # v = 1.5, p = -0.5;  v = 0.25 * 1.5 + 0.75, p = -0.5 - v
    assert p.data.tolist() == [-1.625, -1.625] and type(opt.momentum) is float


def test_names_of_an_optimiser_that_are_deleted():
    opt = mg.optim.SGD([mg.nn.Parameter(np.ones(2))])
    text = said(UnknownNameError, lambda: delattr(opt, "lr"))
    assert "it belongs to every SGD" in text
    assert "a method" in said(DTypeError, lambda: setattr(opt, "step", 3))


# ------------------------------------------------------------------ other objects


def test_names_that_other_objects_do_not_have():
    x = tensor()
    loss = (x * x).sum()
    compiled = mg.compile(LSTM(2, 3))
    objects = [
        (mg.draw(loss), "dto", "did you mean 'dot'?"),
        (mg.steps(loss), "evnets", "did you mean 'events'?"),
        (LSTM(2, 3).trace(mg.zeros((3, 1, 2))), "outptu", "did you mean 'output'?"),
        (mg.data.Vocabulary(["a b"]), "encdoe", "did you mean 'encode'?"),
        (compiled, "expalin", "did you mean 'explain'?"),
        (compiled, "parameters", "fn.parameters"),
        (loss.node, "primitve", "did you mean 'primitive'?"),
        (loss.node, "nonsense", "the record of the operation"),
    ]
    for owner, name, hint in objects:
        text = said(
            UnknownNameError, lambda owner=owner, name=name: getattr(owner, name)
        )
        assert f"no {name!r}" in text and hint in text
        assert not hasattr(owner, "_nonsense") and not hasattr(owner, "__nonsense__")
    said(UnknownNameError, lambda: delattr(compiled, "nonsense"))


def test_the_property_that_fails_says_why():
    class Half(mg.nn.Module):
        @property
        def scale(self):
            return self.nothing

    with pytest.raises(UnknownNameError, match="a Half has no 'nothing'"):
        _ = Half().scale
    steps = mg.steps((tensor() * 2.0).sum())
    assert copy.copy(steps).events == steps.events


class WithDeleter(mg.nn.Module):
    """A model with a property that can be set and deleted, and what is callable."""

    act = staticmethod(mg.tanh)
    kind = mg.nn.Linear

    @property
    def part(self):
        return self._part

    @part.setter
    def part(self, value):
        self._part = value

    @part.deleter
    def part(self):
        del self._part


def test_a_property_of_ones_own_is_deleted_as_it_says():
    model = WithDeleter()
    model.part = mg.nn.Linear(2, 3)
    assert [name for name, _ in model.named_parameters()] == [
        "_part.weight",
        "_part.bias",
    ]
    del model.part
    assert not list(model.named_parameters())


def test_what_a_class_has_callable_can_be_switched_off():
    model = WithDeleter()
    model.act, model.kind = None, "linear"
    assert (model.act, model.kind) == (None, "linear")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_entries_picked_often_are_added_up_in_double_precision(dtype):
    x = mg.tensor(np.ones(200, "float32"), requires_grad=True)
    places = np.arange(600) % 100
    if dtype.startswith("i"):
        places = -places - 1
    g = np.random.default_rng(0).normal(size=600).astype("float32")
    (x[places.astype(dtype)] * g).sum().backward()
    wanted = np.zeros(200)
    np.add.at(wanted, places, g.astype(float))
    np.testing.assert_array_equal(x.grad.data, wanted.astype("float32"))
