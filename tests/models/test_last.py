"""The last real output of each sequence; and a word where `output[-1]` is not it."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    MinigradWarning,
    ShapeError,
)

T, B, D, H = 5, 3, 2, 4
LENGTHS = [5, 2, 3]
KINDS = [models.RNN, models.LSTM, models.GRU]


def outputs(kind=models.LSTM, lengths=LENGTHS, mask=None, **options):
    model = kind(D, H, rng=0, **options)
    x = np.random.default_rng(0).standard_normal((T, B, D))
    return model(x, lengths=lengths, mask=mask)


def plain(tensor):
    return mg.Tensor.of(tensor._edge)


# ------------------------------------------------------------- models.last


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [LENGTHS, np.array([1, 1, 5]), [5, 5, 5]])
def test_it_is_the_final_state(kind, lengths):
    output, state = outputs(kind, lengths)
    h = state[0] if isinstance(state, tuple) else state
    assert (models.last(output, lengths).data == h.data[0]).all()


def test_batch_first_and_more_axes():
    values = np.random.default_rng(0).standard_normal((B, T, H, 2))
    found = models.last(mg.tensor(values), mg.tensor(LENGTHS), batch_first=True)
    expected = [row[n - 1] for row, n in zip(values, LENGTHS, strict=True)]
    assert (found.data == np.array(expected)).all()
    assert (models.last(values.swapaxes(0, 1), LENGTHS).data == found.data).all()


def test_its_gradient_goes_to_each_sequences_own_end():
    x = mg.tensor(np.ones((T, B, H)), requires_grad=True)
    models.last(x, LENGTHS).sum().backward()
    expected = np.zeros((T, B, H))
    expected[np.array(LENGTHS) - 1, np.arange(B)] = 1
    assert (x.grad.data == expected).all()


@pytest.mark.parametrize(
    ("output", "lengths", "error"),
    [
        (np.ones(T), LENGTHS, ShapeError),
        (np.ones((T, B, H)), [5, 2], ShapeError),
        (np.ones((T, B, H)), [5, 0, 1], ArgumentError),
        (np.ones((T, B, H)), [5, 6, 1], ArgumentError),
        (np.ones((T, B, H)), [5.0, 2.0, 1.0], DTypeError),
    ],
)
def test_what_does_not_fit(output, lengths, error):
    with pytest.raises(error):
        models.last(output, lengths)


# ------------------------------------------------------------- output[-1]

LAST = [-1, np.int64(-1), (-1,), (-1, ..., 0), (-1, slice(None), slice(0, 2)),
        (..., -1, slice(None), slice(None)), (None, -1)]  # fmt: skip
NOT_LAST = [0, T - 1, -2, slice(-1, None), (slice(None), -1), (..., -1), ..., None,
            True, [-1], np.array([4, 1, 2]), (-2, ..., 0)]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}])
def test_the_last_step_of_a_padded_output(kind, options):
    output, _ = outputs(kind, **options)
    with pytest.warns(MinigradWarning, match=r"output\[-1\] of padded") as told:
        ends = output[-1]
    assert "models.last(output, lengths)" in str(told[0].message)
    assert told[0].filename == __file__
    assert (ends.data[1:] == 0).all() and (ends.data[0] != 0).all()


@pytest.mark.parametrize("index", LAST, ids=str)
def test_however_it_is_written(index):
    output, _ = outputs()
    with pytest.warns(MinigradWarning, match="of padded"):
        found = output[index]
    assert (found.data == plain(output)[index].data).all()


@pytest.mark.parametrize("index", NOT_LAST, ids=str)
def test_other_steps_are_read_without_a_word(index):
    output, _ = outputs()
    assert (output[index].data == plain(output)[index].data).all()


@pytest.mark.parametrize(
    ("lengths", "mask"),
    [
        (None, None),
        ([5, 5, 5], None),
        (None, np.ones((T, B), bool)),
        (None, np.arange(T)[:, None] >= [0, 2, 3]),  # padded in front
    ],
    ids=["no padding", "equal lengths", "a full mask", "left"],
)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}])
def test_no_alarm_where_it_is_right(lengths, mask, options):
    output, _ = outputs(lengths=lengths, mask=mask, **options)
    assert type(output) is mg.Tensor
    assert (output[-1].data != 0).all()


def test_a_mask_with_padding_at_the_end():
    output, _ = outputs(lengths=None, mask=np.arange(T)[:, None] < LENGTHS)
    with pytest.warns(MinigradWarning, match="of padded"):
        output[-1]


def test_what_is_computed_of_it_is_plain():
    output, _ = outputs()
    for made in (output * 2, output.sum(), output[0], output.detach(), mg.tanh(output)):
        assert type(made) is mg.Tensor


def test_the_loop_alone_and_traces():
    x = np.ones((T, B, D))
    cell = models.GRUCell(D, H, rng=0)
    loop = models.unroll(cell, x, mg.zeros((B, H)), lengths=LENGTHS)
    trace = models.LSTM(D, H, rng=0).trace(x, lengths=LENGTHS)
    for output in (loop.output, trace.output, trace.layer(0).output):
        with pytest.warns(MinigradWarning, match="of padded"):
            output[-1]


def test_without_a_graph_too():
    with mg.no_grad():
        output, _ = outputs()
    with pytest.warns(MinigradWarning, match="of padded"):
        output[-1]


def test_once_per_line():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for lengths in ([5, 2, 3], [5, 1, 1], [4, 5, 2]):
            outputs(lengths=lengths)[0][-1]
    assert len(told) == 1


def test_it_trains_and_is_drawn_as_any_tensor():
    output, _ = outputs()
    loss = (output**2).mean()
    loss.backward()
    assert mg.draw(output, "cell").counts and len(mg.steps(loss))


# ------------------------------------------------------------- states of another batch


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}])
@pytest.mark.parametrize(("have", "want"), [(8, 5), (5, 8), (1, 2)])
def test_a_state_of_another_batch(kind, options, have, want):
    model = kind(D, H, rng=0, **options)
    _, state = model(np.ones((T, have, D)))
    with pytest.raises(ShapeError) as raised:
        model(np.ones((T, want, D)), state)
    assert f"state is of {have} sequences, and x of {want}" in raised.value.what
    assert "drop_last=True" in raised.value.hint
    assert (f"h[:, :{want}]" in raised.value.hint) == (have > want)


@pytest.mark.parametrize("kind", [models.RNNCell, models.LSTMCell, models.GRUCell])
def test_a_cells_state_of_another_batch(kind):
    cell = kind(D, H, rng=0)
    with pytest.raises(ShapeError, match="the state is of 8 sequences, and x of 5"):
        cell(mg.ones((5, D)), cell.zero_state(8))
    with pytest.raises(ShapeError, match="the state is of 8 sequences, and x of 5"):
        models.unroll(cell, mg.ones((T, 5, D)), cell.zero_state(8))


def test_a_trainer_that_carries_the_state_over_a_short_batch():
    model = models.GRU(D, H, rng=0)
    x = np.ones((13, T, D))
    batches = mg.data.batches(x, batch_size=8, shuffle=False)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)

    def loss(model, batch, state):
        output, state = model(batch.swapaxes(0, 1), state)
        return output.mean(), state

    trainer = mg.training.Trainer(model, optimizer, loss, batches, epochs=1, carry=True)
    with pytest.raises(ShapeError, match=r"(?s)8 sequences, and x of 5.*drop_last"):
        trainer.fit()


def test_another_width_is_another_error():
    model = models.GRU(D, H, rng=0)
    with pytest.raises(ShapeError, match="h0 has another shape than the state"):
        model(np.ones((T, B, D)), np.ones((1, B, H + 1)))
