"""Several processes train one network: the gradients of their parts, averaged.

The gradient of a batch is a sum over its parts. Each process takes a part, computes its
gradients, and all of them make the same step with the mean. Through MPI, as mpi4py has
it; arrays are sent as they are, nothing is pickled.

Read next: `trainer_checks.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, DataError
from minigrad.engine.tensor import Tensor
from minigrad.training.interrupts import Stopped

STEP, EPOCH, END, FAILED = 1.0, 2.0, 3.0, 4.0  # what a process has come to


class FailedElsewhere(SystemExit):
    """Another process failed and says why: this one ends without a word."""


class Processes:
    """The processes of a training: `Trainer(..., comm=MPI.COMM_WORLD)`.

    comm  a communicator as mpi4py has it: Get_rank, Get_size, Allgather, Bcast
    rank, size   which process this is, of how many
    asked        was any process asked to stop? Known to all since the last step

    All processes meet once in each step and at the end of each epoch. One that fails
    says so at the next meeting; then the others end, so that there is one message.
    """

    def __init__(self, comm: Any, compile: bool = False) -> None:
        if compile:
            raise ArgumentError(
                "Trainer(comm=..., compile=True): a compiled step does not wait",
                expect="one of the two",
                actual="both",
                hint="gradients are averaged in the middle of a step: compile=False",
            )
        for name in ("Get_rank", "Get_size", "Allgather", "Bcast"):
            if not callable(getattr(comm, name, None)):
                raise ArgumentError(
                    "Trainer(comm=...): not a communicator",
                    expect="one of mpi4py: MPI.COMM_WORLD",
                    actual=f"{type(comm).__name__} without {name}",
                    hint="from mpi4py import MPI;  mpiexec -n 4 python train.py",
                )
        self.comm = comm
        self.rank, self.size = int(comm.Get_rank()), int(comm.Get_size())
        self.asked = False
        self._known = False  # do all processes know how this ends?

    @contextmanager
    def together(self, model: Any) -> Iterator[None]:
        """Within it they train. Raises ArgumentError if their weights differ.

        An error within it ends all processes.
        """
        try:
            self._same_start(model)
            yield
            self._meet(END)
        except FailedElsewhere:
            raise
        except BaseException as error:
            agreed = isinstance(error, Stopped) and self.asked
            if not agreed and not self._known:
                self._gather(np.array([FAILED, 0.0, 0.0]))
            raise

    def average(self, loss: float, parameters: Sequence[Any], asked: bool) -> float:
        """Put the mean of all processes' gradients into `.grad`; the mean loss.

        At each entry the numbers of all processes are sorted, then added: the bits of
        the sum do not depend on which process has which part.
        """
        told = self._meet(STEP, float(asked), loss)
        self.asked = bool(told[:, 1].any())
        given = np.array([p.grad is not None for p in parameters], np.uint8)
        anywhere: np.ndarray = self._gather(given).max(axis=0)
        for dtype in sorted({p.dtype for p in parameters}, key=str):
            mine = [
                p
                for p, there in zip(parameters, anywhere, strict=True)
                if there and p.dtype == dtype
            ]
            if not mine:
                continue
            flat = [np.zeros(p.size) if p.grad is None else p.grad.data for p in mine]
            sent = np.concatenate([np.ravel(a) for a in flat]).astype(dtype)
            mean = np.sort(self._gather(sent), axis=0).sum(axis=0) / self.size
            ends = np.cumsum([p.size for p in mine])[:-1]
            for p, part in zip(mine, np.split(mean, ends), strict=True):
                p.grad = Tensor(part.reshape(p.shape).astype(dtype))
        return float(np.sort(told[:, 2]).sum() / self.size)

    def figures(self, metrics: dict[str, float]) -> dict[str, float]:
        """The validation figures of process 0, for all: so they stop together."""
        self._meet(EPOCH)
        values = np.array(list(metrics.values()), np.float64)
        self.comm.Bcast(values, root=0)
        return dict(zip(metrics, map(float, values), strict=True))

    def _meet(self, kind: float, asked: float = 0.0, loss: float = 0.0) -> np.ndarray:
        """What every process has come to, (size, 3), if it is the same."""
        told = self._gather(np.array([kind, asked, loss]))
        kinds = set(told[:, 0])
        if FAILED in kinds:
            raise FailedElsewhere(1)
        if len(kinds) > 1:
            self._known = True
            if self.rank:
                raise FailedElsewhere(1)
            raise DataError(
                "Trainer(comm=...): the processes have not equally many batches",
                expect="the same number of batches in every process",
                actual=f"{np.count_nonzero(told[:, 0] == STEP)} of {self.size} have "
                "another one, the others are at the end of their epoch",
                hint="give each process every size-th row, and drop what is left over",
            )
        return told

    def _gather(self, sent: np.ndarray) -> np.ndarray:
        """The arrays of all processes, by rank: (size, *shape)."""
        sent = np.ascontiguousarray(sent)
        received = np.empty((self.size, *sent.shape), sent.dtype)
        self.comm.Allgather(sent, received)
        return received

    def _same_start(self, model: Any) -> None:
        digest = hashlib.sha256()
        for name, parameter in model.named_parameters():
            digest.update(f"{name} {parameter.shape} {parameter.dtype}".encode())
            digest.update(np.ascontiguousarray(parameter.data).tobytes())
        told = self._gather(np.frombuffer(digest.digest(), np.uint8))
        if (told != told[0]).any():
            self._known = True
            if self.rank:
                raise FailedElsewhere(1)
            raise ArgumentError(
                "Trainer(comm=...): the processes start with different weights",
                expect="the same model, from the same seed, in every process",
                actual=f"{len({row.tobytes() for row in told})} models in {self.size} "
                "processes",
                hint="LSTM(..., rng=0), or mg.manual_seed(0) before the model is made",
            )
