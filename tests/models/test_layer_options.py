"""`batch_first` and `dropout` between layers: PyTorch's options, and its meaning."""

import numpy as np
import pytest
from variants import final

import minigrad as mg
from minigrad.engine.errors import ArgumentError, MinigradWarning, ShapeError
from minigrad.engine.graph import ancestors
from minigrad.models import GRU, LSTM, RNN

T, B, D, H = 5, 3, 2, 4
every_model = pytest.mark.parametrize("model", [RNN, LSTM, GRU])


@every_model
@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("padding", [None, "lengths", "mask"])
def test_batch_first_only_turns_the_axes(model, both_ways, padding, rng):
    options = {"bidirectional": both_ways, "rng": 1}
    time, batch = model(D, H, 2, **options), model(D, H, 2, batch_first=True, **options)
    x, lengths = rng.standard_normal((T, B, D)), [5, 2, 3]
    mask = np.arange(T)[:, None] < np.array(lengths)
    how, turned = {}, {}
    if padding == "lengths":
        how = turned = {"lengths": lengths}
    elif padding == "mask":
        how, turned = {"mask": mask}, {"mask": mask.T}
    u = rng.standard_normal((T, B, H * (1 + both_ways)))
    one, state = time(x, **how)
    other, same = batch(x.swapaxes(0, 1), **turned)
    assert other.shape == (B, T, H * (1 + both_ways))
    np.testing.assert_array_equal(other.data, one.data.swapaxes(0, 1))
    for a, b in zip(final(state), final(same), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    (one * u).sum().backward()
    (other * u.swapaxes(0, 1)).sum().backward()
    for p, q in zip(time.parameters(), batch.parameters(), strict=True):
        np.testing.assert_array_equal(p.grad.data, q.grad.data)
    trace = batch.trace(x.swapaxes(0, 1), **turned)
    assert trace.output.shape == other.shape and trace["h"].shape == (T, B, H)
    assert model(**batch.config).config == batch.config


def test_batch_first_speaks_of_its_own_layout():
    model = LSTM(D, H, batch_first=True)
    with pytest.raises(ShapeError, match=r"\(B, T, 2\)(?s:.*)the batch comes first"):
        model(np.ones(2))
    with pytest.raises(ShapeError, match=r"expand_dims\(0\).*\(1, T, D\)"):
        model(np.ones((T, D)))
    with pytest.raises(ShapeError, match=r"\(3, 5\): \(B, T\)(?s:.*)pass mask\.T"):
        model(np.ones((B, T, D)), mask=np.ones((T, B), bool))
    with pytest.raises(ShapeError, match=r"\(T, B, 2\)(?s:.*)batch_first=True"):
        LSTM(D, H)(np.ones(D))


def masks(output):
    """The dropout masks that an output was computed with, oldest first."""
    found = []
    for node in ancestors([output._edge.source]):
        for edge in node.edges:
            if getattr(edge.source, "name", None) == "dropout mask":
                found.append(edge.array)
    return found


@every_model
@pytest.mark.parametrize("both_ways", [False, True])
def test_dropout_hides_entries_from_the_next_layer(model, both_ways, rng):
    width = H * (1 + both_ways)
    net = model(D, H, 3, bidirectional=both_ways, dropout=0.4, rng=1)
    x = rng.standard_normal((T, B, D))
    output, state = net(x)
    drawn = masks(output)
    assert len(drawn) == 2 * T  # after the first layer and the second, at each step
    assert len({m.tobytes() for m in drawn}) == 2 * T
    assert {float(v) for m in drawn for v in m.reshape(-1)} == {0.0, 1 / 0.6}
    # The same, one layer at a time, with the masks drawn above.
    seen, ends = mg.tensor(x), []
    for number in range(3):
        one = model(D if number == 0 else width, H, bidirectional=both_ways, rng=0)
        one.cells = net.cells[number * (1 + both_ways) :][: 1 + both_ways]
        seen, end = one(seen)
        ends.append(final(end))
        if number < 2:
            seen = seen * np.stack(drawn[number * T :][:T])
    np.testing.assert_allclose(output.data, seen.data, rtol=1e-12)
    for part, pieces in zip(final(state), zip(*ends, strict=True), strict=True):
        np.testing.assert_allclose(
            part.data, np.concatenate([p.data for p in pieces]), rtol=1e-12
        )


@every_model
def test_dropout_is_for_training_and_repeats_with_its_seed(model, rng):
    x = rng.standard_normal((T, B, D))
    net, plain = model(D, H, 2, dropout=0.5, rng=3), model(D, H, 2, rng=3)
    same = model(**net.config, rng=3)
    np.testing.assert_array_equal(net(x)[0].data, same(x)[0].data)
    assert not np.array_equal(net(x)[0].data, plain(x)[0].data)
    np.testing.assert_array_equal(net.eval()(x)[0].data, plain(x)[0].data)
    assert net.state_dict().keys() == plain.state_dict().keys()


def test_dropout_zero_and_one_and_none():
    x = np.ones((T, B, D))
    assert np.array_equal(LSTM(D, H, 2, rng=0)(x)[0].data, LSTM(D, H, 2, rng=0)(x)[0])
    blind = LSTM(D, H, 2, dropout=1.0, rng=0)
    output, _ = blind(x)
    output.sum().backward()
    assert not blind.cells[0].W_x.grad.data.any()  # the second layer saw nothing
    for share in (-0.1, 1.1, "0.5", True, None):
        with pytest.raises(ArgumentError, match="0 <= dropout <= 1"):
            LSTM(D, H, 2, dropout=share)
    with pytest.warns(MinigradWarning, match="one layer drops nothing") as said:
        LSTM(D, H, dropout=0.5)
    assert said[0].filename == __file__


@every_model
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bias", "requires_grad = False"),
        ("nonlinearity", "activation"),
        ("return_sequences", "output has all steps"),
        ("recurrent_dropout", "HiddenDropout"),
        ("drop_out", "spelled"),
    ],
)
def test_arguments_of_other_libraries(model, name, words):
    with pytest.raises(ArgumentError, match=f"{name}=(?s:.*){words}"):
        model(D, H, **{name: "tanh"})
