"""The training loop: epochs, validation, early stopping, and runs that can be resumed.

    trainer = Trainer(model, optimizer, loss, batches, epochs=5, checkpoint=path)
    trainer.load()                 # where there is a checkpoint: go on from there
    history = trainer.fit()

`loss(model, batch)` gives a scalar. A run that was killed and resumed gives the same
bits as one that was not (same machine, same versions): the checkpoint has everything
that the rest depends on. `trainer.py` is the loop, with its `schedules.py` and
`progress.py`; `resume.py`, `run_file.py` and `checkpoint.py` are how a run is kept. The
monitor of gradients, `mg.Monitor`, is in `minigrad/flow/`.

Read next: `trainer.py` (the loop).
"""

from minigrad.engine.foreign_names import nothing_else
from minigrad.training.interrupts import Stopped
from minigrad.training.progress import Progress
from minigrad.training.randomness import generators
from minigrad.training.reports import EpochReport, Report
from minigrad.training.run_file import Run, read_run, write_run
from minigrad.training.schedules import (
    Plateau,
    constant,
    cosine,
    exponential,
    inverse_root,
    linear,
    steps,
    warmup,
)
from minigrad.training.trainer import Trainer

__all__ = [
    "EpochReport",
    "Plateau",
    "Progress",
    "Report",
    "Run",
    "Stopped",
    "Trainer",
    "constant",
    "cosine",
    "exponential",
    "generators",
    "inverse_root",
    "linear",
    "read_run",
    "steps",
    "warmup",
    "write_run",
]

__getattr__ = nothing_else("minigrad.training", "mg.training")
