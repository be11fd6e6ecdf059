"""A small training run that saves after every batch: made to be killed (`bench_kills`).

It has all that a resumed run must restore: dropout, batches in random order, a state
carried along, AdamW, a schedule, early stopping.
"""

import hashlib
import sys

import numpy as np

import minigrad as mg
from minigrad.models import LSTM
from minigrad.training import Trainer, cosine, generators, warmup

EPOCHS, BATCHES, ROWS, HIDDEN = 6, 10, 16, 24


class Regressor(mg.nn.Module):
    """An LSTM that adds up what it reads, through dropout of both kinds."""

    def __init__(self, weights, noise):
        self.lstm = LSTM(4, HIDDEN, dtype="float32", rng=weights)
        self.over_time = mg.nn.Dropout(0.2, rng=noise, over_time=True)
        self.drop = mg.nn.Dropout(0.2, rng=noise)
        self.out = mg.nn.Linear(HIDDEN, 1, dtype="float32", rng=weights)

    def forward(self, x, state=None):
        """x (T, B, 4) -> (B,), and the state."""
        output, state = self.lstm(self.over_time(mg.tensor(x)), state)
        return self.out(self.drop(output[-1])).squeeze(-1), state


def build(path=None, callbacks=()):
    """The run, at its start."""
    data = np.random.default_rng(0).random((BATCHES * ROWS, 6, 4)).astype("float32")
    targets = data.sum((1, 2))
    weights, order, noise = generators(0, "weights", "order", "noise")
    model = Regressor(weights, noise)
    batches = mg.data.batches(data, targets, batch_size=ROWS, rng=order)

    def loss(model, batch, state):
        x, target = batch
        prediction, state = model(x.swapaxes(0, 1), state)
        return mg.losses.mse(prediction, target), state

    def validate(model):
        prediction, _ = model(data.swapaxes(0, 1))
        return {"mse": mg.losses.mse(prediction, targets).item()}

    return Trainer(
        model,
        mg.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1),
        loss,
        batches,
        epochs=EPOCHS,
        validate=validate,
        patience=3,
        clip_norm=1.0,
        carry=True,
        schedule=warmup(4, cosine(EPOCHS * BATCHES)),
        callbacks=callbacks,
        checkpoint=path,
        save_seconds=0,
        about={"bench": "kills"},
    )


def digest(arrays):
    """One word for the weights and the optimiser's arrays, bit by bit."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        if name.startswith(("model.", "optimizer.")):
            array = np.asarray(arrays[name])
            found.update(f"{name} {array.shape} {array.dtype}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def arrays_of(trainer):
    """The arrays of a run, named as in its file."""
    parts = {"model": trainer.model, "optimizer": trainer.optimizer}
    return {
        f"{part}.{name}": array
        for part, owner in parts.items()
        for name, array in owner.state_dict().items()
    }


if __name__ == "__main__":
    path, resume = sys.argv[1], sys.argv[2] == "resume"

    class Ready:
        """Says so at the first batch: what comes before is not what is tried here."""

        said = False

        def on_batch(self, report):
            if not self.said:
                print("ready", flush=True)
                self.said = True

    trainer = build(path, [Ready()])
    if resume:
        trainer.load()
    trainer.fit()
    print("done", flush=True)
