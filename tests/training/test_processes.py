"""Several processes train one network: the same steps as one, and one message."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from minigrad.errors import ArgumentError, DataError

import minigrad as mg
from minigrad.models import LSTM
from minigrad.nn import Linear, Module
from minigrad.training import Trainer
from minigrad.training.processes import FailedElsewhere

PAGE = Path(__file__).parents[2] / "docs" / "moving.rst"


class Shared:
    """A communicator for threads: what mpi4py's does between processes."""

    def __init__(self, size):
        self.size, self.barrier = size, threading.Barrier(size, timeout=60)
        self.slots = [None] * size


class Comm:
    def __init__(self, shared, rank):
        self.shared, self.rank = shared, rank

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.shared.size

    def Allgather(self, sent, received):
        self.shared.slots[self.rank] = sent.copy()
        self.shared.barrier.wait()
        received[...] = self.shared.slots
        self.shared.barrier.wait()

    def Bcast(self, values, root):
        if self.rank == root:
            self.shared.slots[0] = values.copy()
        self.shared.barrier.wait()
        values[...] = self.shared.slots[0]
        self.shared.barrier.wait()


class Reader(Module):
    def __init__(self, seed=0, dtype="float64"):
        self.lstm = LSTM(2, 4, rng=seed, dtype=dtype)
        self.out = Linear(4, 1, rng=seed, dtype=dtype)

    def forward(self, x):
        return self.out(self.lstm(x)[0][-1])


def loss(model, batch):
    return mg.losses.mse(model(batch[0]), batch[1])


def data(dtype="float64"):
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(5, 24, 2)).astype(dtype),
        rng.normal(size=(24, 1)).astype(dtype),
    )


def part(k, size, dtype="float64"):
    """Batches of 12 rows, of which part k of `size` is taken."""
    x, y = data(dtype)
    return [
        (x[:, n : n + 12][:, k::size], y[n : n + 12][k::size]) for n in range(0, 24, 12)
    ]


def trained(parts, make=Reader, told=None, **options):
    """One training for each part, in a thread; what each ended with."""
    shared = Shared(len(parts))
    ended = [None] * len(parts)

    def one(rank):
        model = make(rank) if make is not Reader else Reader()
        comm = Comm(shared, rank) if len(parts) > 1 else None
        more = options if told is None or rank else {**options, "callbacks": [told]}
        trainer = Trainer(
            model,
            mg.optim.Adam(model.parameters(), lr=0.02),
            loss,
            parts[rank],
            epochs=4,
            clip_norm=0.5,
            comm=comm,
            **more,
        )
        try:
            ended[rank] = (trainer.fit(), model.state_dict())
        except BaseException as error:
            ended[rank] = error

    threads = [threading.Thread(target=one, args=(k,)) for k in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_steps_are_those_of_one_process(size):
    ((alone, weights),) = trained([part(0, 1)])
    ended = trained([part(k, size) for k in range(size)])
    for history, state in ended:
        for line, wanted in zip(history, alone, strict=True):
            assert line.loss == pytest.approx(wanted.loss, rel=1e-12)
            assert line.norm == pytest.approx(wanted.norm, rel=1e-12)
        for name, value in weights.items():
            np.testing.assert_allclose(state[name], value, rtol=1e-11, atol=1e-12)
            assert np.array_equal(state[name], ended[0][1][name])  # the same bits


def test_the_bits_do_not_depend_on_who_has_which_part():
    parts = [part(k, 4) for k in range(4)]
    first = trained(parts)[0]
    for order in ([3, 1, 0, 2], [1, 2, 3, 0]):
        again = trained([parts[k] for k in order])[0]
        assert [line.loss for line in again[0]] == [line.loss for line in first[0]]
        for name, value in first[1].items():
            assert np.array_equal(again[1][name], value), name


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_one_that_fails_ends_all_with_one_message(bad):
    parts = [part(k, 3) for k in range(3)]
    x, y = parts[bad][1]
    parts[bad][1] = (x, np.full_like(y, np.nan))
    ended = trained(parts)
    for rank, error in enumerate(ended):
        wanted = mg.errors.NonFiniteError if rank == bad else FailedElsewhere
        assert type(error) is wanted, ended


def test_an_error_between_steps_and_at_the_end():
    def failing(model):
        raise RuntimeError("the disk is full")

    shared = [part(k, 2) for k in range(2)]
    ended = trained(shared, validate=failing)
    assert {type(error) for error in ended} == {RuntimeError}  # each its own

    class Heard:
        def on_epoch(self, report):
            if report.epoch == 3:
                raise RuntimeError("only process 0 hears this")

    first, second = trained(shared, told=Heard())
    assert isinstance(first, RuntimeError) and isinstance(second, FailedElsewhere)


def test_parts_of_other_lengths_and_other_weights():
    longer = [part(0, 2), part(1, 2)[:1]]
    first, second = trained(longer)
    assert isinstance(first, DataError) and isinstance(second, FailedElsewhere)
    assert "not equally many batches" in str(first)
    first, second = trained([part(k, 2) for k in range(2)], make=lambda k: Reader(k))
    assert isinstance(first, ArgumentError) and "2 models" in str(first)
    assert isinstance(second, FailedElsewhere)
    model = Reader()
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ArgumentError, match="not a communicator"):
        Trainer(model, optimizer, loss, part(0, 1), epochs=1, comm=3)
    comm = Comm(Shared(1), 0)
    with pytest.raises(ArgumentError, match="a compiled step"):
        Trainer(model, optimizer, loss, part(0, 1), epochs=1, comm=comm, compile=True)


def test_process_0_writes_the_checkpoint(tmp_path):
    ended = trained([part(k, 2) for k in range(2)], checkpoint=tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert len(ended[1][0]) == 4


def mpiexec():
    """The MPI launcher of this environment or of the system."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None or find_spec("mpi4py") is None:
        pytest.skip("only where mpi4py and mpiexec are installed")
    return found


def test_the_page_s_program_through_mpi(tmp_path):
    launcher = mpiexec()
    text = PAGE.read_text(encoding="utf-8")
    code = re.search(r"    # train\.py.*?(?=\n\nAll processes)", text, re.S)[0]
    (tmp_path / "train.py").write_text(textwrap.dedent(code))
    said = {}
    for count in (1, 2):
        made = subprocess.run(
            [launcher, "-n", str(count), sys.executable, "train.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PAGE.parents[1])},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert made.returncode == 0, made.stderr
        said[count] = np.array(eval(made.stdout.strip().splitlines()[-1]))
    np.testing.assert_allclose(said[2], said[1], rtol=1e-12)
