"""Whole training steps: sequences per second through `Trainer` (forward, backward,
clipping, AdamW), what the loop costs beside the bare step, and what a save costs."""

from benchmarks.timing import best_of, machine  # isort: skip (sets the threads)

import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN
from minigrad.training import Trainer

SIZES = {
    "weather (30, 32, 6, 16)": (30, 32, 6, 16),
    "sentence (25, 32, 64, 64)": (25, 32, 64, 64),
    "text (50, 32, 128, 128)": (50, 32, 128, 128),
}
CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
BATCHES = 16


class Regressor(mg.nn.Module):
    """A recurrent layer and a linear output of its last step."""

    def __init__(self, cell, inputs, hidden):
        self.recurrent = cell(inputs, hidden, dtype="float32", rng=0)
        self.out = mg.nn.Linear(hidden, 1, dtype="float32", rng=0)

    def forward(self, x):
        """x (T, B, D) -> (B,)."""
        return self.out(self.recurrent(mg.tensor(x))[0][-1]).squeeze(-1)


def build(cell, shape, **options):
    """(trainer, a function for one bare step, sequences in an epoch)."""
    steps, rows, inputs, hidden = shape
    rng = np.random.default_rng(0)
    x = rng.random((BATCHES * rows, steps, inputs)).astype("float32")
    y = rng.random(BATCHES * rows).astype("float32")
    model = Regressor(cell, inputs, hidden)
    optimizer = mg.optim.AdamW(model.parameters(), lr=1e-4)
    batches = mg.data.batches(x, y, batch_size=rows, rng=0)

    def loss(model, batch):
        return mg.losses.mse(model(batch[0].swapaxes(0, 1)), batch[1])

    def bare():
        for batch in batches:
            optimizer.zero_grad()
            loss(model, batch).backward()
            mg.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    trainer = Trainer(
        model, optimizer, loss, batches, epochs=10**9, clip_norm=1.0, **options
    )

    def epoch():
        trainer.epochs = trainer.epoch + 1
        trainer.fit()

    return trainer, {"loop": epoch, "bare": bare}, BATCHES * rows


def main():
    """Print the table."""
    table = Table(title="Training: sequences per second")
    for name in ("cell", "T, B, D, H", "per second", "loop / bare step", "a save, ms"):
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        for kind, cell in CELLS.items():
            for name, shape in SIZES.items():
                trainer, calls, count = build(cell, shape)
                times = best_of(calls, seconds=3.0)
                trainer.checkpoint = Path(folder) / "run.safetensors"
                saves = []
                for _ in range(7):
                    started = time.perf_counter()
                    trainer.save()
                    saves.append(time.perf_counter() - started)
                ratio = f"{times['loop'] / times['bare']:.2f}"
                rate = f"{count / times['loop']:,.0f}"
                table.add_row(kind, name, rate, ratio, f"{1e3 * min(saves):.1f}")
    console = Console(width=100)
    console.print(table)
    console.print(machine(), highlight=False)


if __name__ == "__main__":
    main()
