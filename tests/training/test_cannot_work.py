"""A training that cannot work says so: what it says, and when it says nothing."""

import warnings
from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import GraphError, MinigradWarning, NonFiniteError
from minigrad.engine.graph import next_seq
from minigrad.flow import FlowWarning
from minigrad.models import GRU, LSTM, RNN
from minigrad.reading.earlier_graph import EarlierGraph, newest_before
from minigrad.training import Trainer
from minigrad.training.bad_numbers import first_not_finite

X = np.random.default_rng(0).standard_normal((64, 2))
Y = X @ np.array([[1.0], [2.0]])


class Two(mg.nn.Module):
    def __init__(self):
        self.a, self.b = mg.nn.Linear(2, 3, rng=0), mg.nn.Linear(3, 1, rng=1)

    def forward(self, x):
        return self.b(self.a(x))


def squared(model, batch):
    return mg.losses.mse(model(mg.tensor(batch[0])), batch[1])


def fit(loss=squared, model=None, optimizer=None, batches=None, **options):
    model = model or Two()
    optimizer = optimizer or mg.optim.SGD(model.parameters(), lr=0.01)
    batches = batches or data()
    return Trainer(model, optimizer, loss, batches, epochs=2, **options).fit()


def data(x=X, y=Y, **options):
    return mg.data.batches(x, y, batch_size=16, rng=0, **options)


# ------------------------------------------------------------- nothing is trained


@pytest.mark.parametrize(
    "loss",
    [
        lambda model, batch: mg.tensor(squared(model, batch).item()),
        lambda model, batch: mg.tensor(float(squared(model, batch))),
        lambda model, batch: squared(model, batch).detach(),
        lambda model, batch: mg.losses.mse(model(batch[0]).detach(), batch[1]),
        lambda model, batch: mg.tensor(model(batch[0]).numpy()).mean(),
    ],
    ids=["item", "float", "detach", "detached output", "numpy"],
)  # fmt: skip
def test_a_loss_that_is_cut_off(loss):
    with pytest.raises(GraphError, match="the loss is cut off") as raised:
        fit(loss)
    assert "detach()" in raised.value.hint and "no_grad()" in raised.value.hint


def test_a_loss_within_no_grad():
    def loss(model, batch):
        with mg.no_grad():
            return squared(model, batch)

    with pytest.raises(GraphError, match="the loss is cut off"):
        fit(loss)


def test_a_loss_of_something_else():
    scale = mg.tensor(2.0, requires_grad=True, name="scale")

    def loss(model, batch):
        return (model(batch[0]).detach() * scale).mean()

    with pytest.raises(GraphError, match="does not depend on the model's") as raised:
        fit(loss)
    assert "'scale' ()" in raised.value.actual
    assert "'a.weight' (2, 3)" in raised.value.expect


def test_an_optimiser_of_another_model():
    other = mg.optim.Adam(Two().parameters())
    with pytest.raises(GraphError, match="holds other parameters") as raised:
        fit(optimizer=other)
    assert "Adam(model.parameters())" in raised.value.hint


def test_an_optimiser_made_before_a_part_was_replaced():
    model = Two()
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    model.b = mg.nn.Linear(3, 1, rng=2)
    with pytest.raises(GraphError, match="holds other parameters") as raised:
        fit(model=model, optimizer=optimizer)
    assert "'b.weight' (3, 1)" in raised.value.expect
    assert "'a." not in raised.value.actual + raised.value.expect


def test_gradients_of_before_do_not_count():
    """A backward pass of the user's own, before the training, is no sign of life."""
    model, other = Two(), Two()
    squared(model, (X, Y)).backward()
    with pytest.raises(GraphError, match="holds other parameters"):
        fit(model=model, optimizer=mg.optim.SGD(other.parameters(), lr=0.1))


def test_a_part_that_gets_no_gradient_is_named():
    def loss(model, batch):
        return mg.losses.mse(model.b(model.a(batch[0]).detach()), batch[1])

    with pytest.warns(MinigradWarning, match=r"none for 'a.weight' \(2, 3\)") as told:
        fit(loss)
    assert len(told) == 1  # the first batch alone


@pytest.mark.parametrize("trained", ["a.", "b."])
def test_training_a_part_is_no_mistake(trained):
    model = Two()
    chosen = [p for name, p in model.named_parameters() if name.startswith(trained)]
    assert fit(model=model, optimizer=mg.optim.SGD(chosen, lr=0.01))


def test_more_than_the_model_may_be_trained():
    scale = mg.tensor(2.0, requires_grad=True)
    model = Two()
    both = mg.optim.SGD([*model.parameters(), scale], lr=0.01)
    assert fit(lambda m, b: squared(m, b) * scale, model, both)


# ------------------------------------------------------------- the loss is not finite


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["x", "y"])
def test_a_bad_number_in_the_data_is_found(name, bad):
    x, y = X.copy(), Y.copy()
    (x if name == "x" else y)[20, -1] = bad
    batches = data(x, y)
    with pytest.raises(NonFiniteError, match=f"{name} of this batch") as raised:
        fit(batches=batches)
    row = batches.taken.tolist().index(20)
    column = x.shape[1] - 1 if name == "x" else 0
    assert f"{name}[{row}, {column}] is {bad}: row {row} of the batch, " in str(
        raised.value
    )
    assert f"column {column}, row 20 of the data set" in raised.value.actual
    assert "batch 2)" in raised.value.what and "learning rate 0" not in str(
        raised.value
    )


def test_how_many_are_bad():
    x = X.copy()
    x[::2] = np.nan
    with pytest.raises(NonFiniteError, match="16 of 32 numbers of x"):
        fit(batches=data(x, shuffle=False))


def test_a_time_first_batch_of_a_list_claims_no_rows():
    x = np.ones((5, 3, 2))
    x[4, 1, 0] = np.nan
    model = GRU(2, 3, rng=0)
    with pytest.raises(NonFiniteError) as raised:
        fit(lambda m, b: (m(b)[0] ** 2).mean(), model, batches=[x])
    assert raised.value.actual == "x[4, 1, 0] is nan"


def test_sequences_in_a_list():
    x = [np.ones((k, 2)) for k in (3, 4, 5, 6)]
    x[2][1, 0] = np.inf

    def loss(model, batch):
        padded = mg.data.pad_sequences(batch[0], dtype=float)
        return mg.losses.mse(model(padded.swapaxes(0, 1))[1].squeeze(0)[:, 0], batch[1])

    with pytest.raises(NonFiniteError, match=r"x\[\d\]\[1, 0\] is inf.*row 2 of the d"):
        batches = mg.data.batches(x, [0.0] * 4, batch_size=2, rng=0)
        fit(loss, GRU(2, 2, rng=0), batches=batches)


def test_what_padding_holds_is_not_blamed():
    x = np.ones((4, 2, 2))
    x[3, 1] = np.nan
    model = LSTM(2, 3, rng=0)

    def fine(model, batch):
        return (model(batch, lengths=[4, 3])[0] ** 2).mean()

    assert fit(fine, model, batches=[x])
    with pytest.raises(NonFiniteError, match="it arose in log") as raised:
        fit(lambda m, b: (fine(m, b) * 0).log(), model, batches=[x])
    assert "the loss is infinite" in str(raised.value)


Batch = namedtuple("Batch", "days rain")


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (np.array([1.0, np.nan]), "x[1] is nan: row 1 of the batch"),
        (mg.tensor([[1.0], [np.inf]]), "x[1, 0] is inf: row 1 of the batch, column 0"),
        ((X, [0.0, np.nan]), "y[1] is nan: row 1 of the batch"),
        ([X, Y * np.nan], "y[0, 0] is nan: row 0 of the batch, column 0; 64 of 64"),
        (
            [X[0], X[1], abs(X[2]) * np.inf],
            "x[2][0] is inf: row 2 of the batch, column 0",
        ),
        ((X, X, X * np.nan), "array 2[0, 0]"),
        (Batch(X, np.array([np.nan])), "rain[0] is nan"),
        ({"days": X, "rain": np.array([np.nan])}, "rain[0] is nan"),
        ((Batch(X, Y * np.nan), Y), "rain[0, 0] is nan"),
        ((X, np.float64("nan")), "y is nan"),
        ((X, np.array(["a"]), [1, 2]), None),
        ((X, None, "words"), None),
    ],
)
def test_batches_of_any_form(batch, words):
    found = first_not_finite(batch)
    if words is None:
        assert found is None
    else:
        assert found.words.startswith(words)


def test_weights_that_grew_are_told_from_data():
    with pytest.raises(NonFiniteError, match="the parameters have grown") as raised:
        model = Two()
        fit(model=model, optimizer=mg.optim.SGD(model.parameters(), lr=1e150))
    assert "smaller learning rate" in raised.value.hint


def test_data_of_a_wrong_scale_are_named():
    with pytest.raises(NonFiniteError, match="the data: x has") as raised:
        fit(batches=data(X * 1e200))
    assert "scale the data" in raised.value.hint


def test_weights_that_are_not_finite_are_named():
    model = Two()
    model.b.weight.data = model.b.weight.data * np.nan
    with pytest.raises(NonFiniteError, match=r"'weight' \(3, 1\) float64 has nan"):
        fit(model=model)


def test_a_constant_of_the_loss_function_is_named():
    def loss(model, batch):
        return squared(model, batch) * mg.tensor(np.inf, name="weighting")

    with pytest.raises(NonFiniteError, match=r"infinite.*computed from") as raised:
        fit(loss)
    assert "'weighting' () float64, used in multiply" in raised.value.actual


def test_a_gradient_of_bad_data_names_the_data():
    """`where` hides the NaN from the loss, and not from its gradient."""
    x = X.copy()
    x[5, 0] = np.nan

    def loss(model, batch):
        hidden = (model(batch[0]) * np.isnan(batch[0])[:, :1]).exp()
        return mg.where(np.isnan(batch[0])[:, :1], 0.0, hidden).mean()

    with pytest.raises(NonFiniteError, match=r"gradient.*x of this batch") as raised:
        fit(loss, batches=data(x, shuffle=False))
    assert "x[5, 0] is nan" in raised.value.actual


# ------------------------------------------------------------- carried states


def carrying(cut):
    """A loss function that keeps the state of the batch before."""
    kept = [None]

    def loss(model, batch):
        output, kept[0] = model(batch, kept[0])
        if cut:
            parts = kept[0] if isinstance(kept[0], tuple) else (kept[0],)
            done = tuple(part.detach() for part in parts)
            kept[0] = done if len(done) > 1 else done[0]
        return (output**2).mean()

    return loss


def sequences(count, kind=LSTM, **options):
    rng = np.random.default_rng(0)
    return kind(2, 3, rng=0, **options), [
        rng.standard_normal((4, 2, 2)) for _ in range(count)
    ]


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}])
def test_a_state_that_is_not_detached(kind, options):
    model, batches = sequences(3, kind, **options)
    with pytest.warns(MinigradWarning, match="reaches back into earlier") as told:
        fit(carrying(False), model, batches=batches)
    assert len(told) == 1 and "detach()" in str(told[0].message)
    fit(carrying(True), model, batches=batches)  # says nothing


def test_carrying_as_the_trainer_does_it():
    def loss(model, batch, state):
        output, state = model(batch, state)
        return (output**2).mean(), state

    model, batches = sequences(3)
    assert fit(loss, model, batches=batches, carry=True)


def test_a_running_mean_of_losses():
    total = [0.0]

    def loss(model, batch):
        total[0] = squared(model, batch) + 0.9 * total[0]
        return total[0]

    with pytest.warns(MinigradWarning, match="reaches back into earlier"):
        fit(loss)


def told_by_monitor(step, batches=6, every=50):
    said = []
    monitor = mg.Monitor(every=every, tell=said.append)
    for number in range(batches):
        monitor.watch(step(number))
    return [words for words in said if "earlier batches" in words]


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_the_monitor_says_it_once(kind):
    model, batches = sequences(6, kind)
    loss = carrying(False)
    (words,) = told_by_monitor(lambda k: loss(model, batches[k]))
    assert "detach()" in words
    loss = carrying(True)
    assert told_by_monitor(lambda k: loss(model, batches[k])) == []


def test_the_monitor_as_python_warns():
    model, batches = sequences(3, RNN)
    loss, monitor = carrying(False), mg.Monitor()
    with pytest.warns(FlowWarning, match="earlier batches") as told:
        for batch in batches:
            monitor.watch(loss(model, batch))
    assert all(one.filename == __file__ for one in told)


def test_constants_made_before_are_no_earlier_batch():
    model, batches = sequences(4)
    weights = mg.exp(mg.arange(4, dtype="float64")).reshape(4, 1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(lambda m, b: (m(b)[0] ** 2 * weights).mean(), model, batches=batches)


def test_a_state_that_is_carried_from_some_batch_on():
    """It is seen at the next batch whose number is a power of two."""
    model, batches = sequences(9)
    kept, earlier, seen = None, EarlierGraph(), []
    for number, batch in enumerate(batches, 1):
        output, state = model(batch, kept)
        kept = state if number >= 5 else None
        seen.append(earlier.reached(output.sum()._edge) is not None)
    assert seen == [False] * 7 + [True, False]


def test_the_walk_stops_at_the_batch_before():
    x = mg.tensor(1.0, requires_grad=True)
    for _ in range(1000):
        x = x * 1.001
    before = next_seq()
    newest = x.node
    y = mg.exp(x) + x
    assert newest_before(y._edge, before) is newest
    assert newest_before(mg.exp(x.detach())._edge, before) is None
