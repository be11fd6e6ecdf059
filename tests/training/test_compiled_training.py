"""Trainer(compile=True): the same run, and the same errors."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import GRU
from minigrad.training import Trainer


class Net(mg.nn.Module):
    """A GRU with dropout, and a number per step."""

    def __init__(self):
        self.gru = GRU(2, 4, rng=0)
        self.drop = mg.nn.Dropout(0.2, rng=1)
        self.out = mg.nn.Linear(4, 1, rng=2)

    def forward(self, x, state=None):
        """Outputs (T, B), and the state."""
        output, state = self.gru(x, state)
        return self.out(self.drop(output)).squeeze(-1), state


def _batches(count, bad=None):
    rng = np.random.default_rng(0)
    found = [
        (rng.standard_normal((5, 3, 2)), rng.standard_normal((5, 3)))
        for _ in range(count)
    ]
    if bad is not None:
        found[bad][0][2, 1, 0] = np.nan
    return found


def _trainer(compile, batches, carry=False, **options):
    def loss(model, batch, state=None):
        x, y = batch
        prediction, state = model(x, state)
        value = mg.losses.mse(prediction, y)
        return (value, state) if carry else value

    net = Net()
    optimizer = mg.optim.AdamW(net.parameters(), lr=0.01)
    return Trainer(
        net,
        optimizer,
        loss,
        batches,
        carry=carry,
        compile=compile,
        clip_norm=0.3,
        **options,
    )


@pytest.mark.parametrize("carry", [False, True])
def test_a_compiled_run_is_the_run(carry):
    runs = []
    for compile in (False, True):
        trainer = _trainer(
            compile, _batches(7), carry, epochs=3, schedule=lambda step: 1 / (1 + step)
        )
        history = trainer.fit()
        runs.append((trainer, [line.loss for line in history]))
    (eager, a), (compiled, b) = runs
    assert b == pytest.approx(a, rel=1e-12)
    for p, q in zip(eager.model.parameters(), compiled.model.parameters(), strict=True):
        assert np.allclose(p.data, q.data, rtol=1e-9, atol=1e-12)
    assert compiled.compiled.compiled.replays > 5
    assert "ms per batch" in compiled.compiled.gain()


def test_many_lengths_are_traced_without_a_word():
    """The trainer traces what comes often: nothing is left for the user to change."""
    rng = np.random.default_rng(0)
    lengths = [*range(1, 9)] * 4
    shapes = [(rng.standard_normal((t, 1, 2)), np.zeros((t, 1))) for t in lengths]
    trainer = _trainer(True, shapes, epochs=1)
    trainer.fit()  # a warning would be an error here
    assert trainer.compiled.compiled.kinds == 8


def test_a_number_that_is_not_finite_is_named_as_in_an_eager_run():
    messages = []
    for compile in (False, True):
        trainer = _trainer(compile, _batches(9, bad=8), epochs=1)
        with pytest.raises(mg.errors.NonFiniteError) as caught:
            trainer.fit()
        messages.append(caught.value.what)
        assert all(np.isfinite(p.data).all() for p in trainer.model.parameters())
    assert messages[0] == messages[1]
    assert "batch 9" in messages[0]


def test_a_monitor_sees_the_graphs_of_the_batches_that_it_looks_at():
    monitor = mg.Monitor(every=4, tell=lambda words: None)
    trainer = _trainer(True, _batches(14), epochs=1, callbacks=[monitor])
    trainer.fit()
    assert len(monitor.seen) == 4 and all(look.readings for look in monitor.seen)


def test_a_loss_that_cannot_be_traced_is_an_error_with_its_line():
    def loss(model, batch):
        x, y = batch
        value = mg.losses.mse(model(x)[0], y)
        return value * 2.0 if value.item() > 1 else value

    net = Net()
    trainer = Trainer(
        net, mg.optim.SGD(net.parameters()), loss, _batches(6), epochs=1, compile=True
    )
    with pytest.raises(mg.errors.CompileError, match=r"test_compiled_training.py:\d+"):
        trainer.fit()
