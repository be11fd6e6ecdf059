"""minigrad's own files, opened like those of others."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN
from minigrad.training import Trainer


@pytest.mark.parametrize(
    "model",
    [
        RNN(2, 3, rng=0),
        LSTM(2, 3, 2, bidirectional=True, dtype="float32", rng=0),
        LSTM(2, 3, peephole="current", rng=0),
        GRU(3, 3, 3, rng=0),
        GRU(2, 3, bidirectional=True, rng=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_saved_model_opens_with_the_same_numbers(model, tmp_path, rng):
    x = rng.normal(size=(4, 2, model.input_size)).astype(model.cells[0].dtype)
    mg.save(tmp_path / "a.safetensors", {"model": model})
    opened = mg.interop.open(tmp_path / "a.safetensors")
    found = opened.layers["model"]
    assert found.config == model.config
    assert np.array_equal(found(x)[0].data, model(x)[0].data)
    assert any("own weights" in note for note in opened.notes) and "radius" in str(
        opened
    )


def test_a_run_of_the_trainer_opens(tmp_path):
    model = GRU(2, 3, rng=0)
    path = tmp_path / "run.safetensors"
    Trainer(
        model,
        mg.optim.Adam(model.parameters()),
        lambda network, batch: (network(batch)[0] ** 2).mean(),
        [np.ones((4, 1, 2))],
        epochs=1,
        checkpoint=path,
    ).fit()
    (found,) = mg.interop.open(path).layers.values()
    assert np.array_equal(found.cells[0].W_h.data, model.cells[0].W_h.data)


def test_what_could_be_two_cells_is_not_guessed(tmp_path):
    for model in (GRU(2, 3, reset="before", rng=0), LSTM(2, 3, couple="input", rng=0)):
        mg.save(tmp_path / "a.safetensors", model)
        opened = mg.interop.open(tmp_path / "a.safetensors")
        assert not opened.layers and "three gates" in opened.refused["weights"]
    mg.save(tmp_path / "a.safetensors", {"W_x": np.ones((2, 4)), "W_h": np.ones(3)})
    opened = mg.interop.open(tmp_path / "a.safetensors")
    assert "do not fit together" in opened.refused["weights"]
