"""Same inputs, same bits: again, on several threads, in another process.

Read next: `long_graphs.py`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.checking.outcome import Effort, Outcome

KINDS = {"RNN": models.RNN, "LSTM": models.LSTM, "GRU": models.GRU}


def graph_of(kind: str, batch: int, hidden: int) -> tuple[mg.Tensor, list[mg.Tensor]]:
    """A recorded loss of six steps of a network from a seed, and its parameters."""
    rng = np.random.default_rng((batch, hidden))
    model = KINDS[kind](5, hidden, dtype="float32", rng=rng)
    x = rng.standard_normal((6, batch, 5)).astype(np.float32)
    output = model(x)[0]
    return (output * output).mean(), list(model.parameters())


def digest(kind: str, batch: int, hidden: int) -> str:
    """A fingerprint of the loss and of all its gradients."""
    return _fingerprint(*graph_of(kind, batch, hidden))


def _fingerprint(loss: mg.Tensor, parameters: list[mg.Tensor]) -> str:
    found = hashlib.sha256(loss.data.tobytes())
    for gradient in mg.grad(loss, parameters):
        found.update(gradient.data.tobytes())
    return found.hexdigest()


def same_bits(effort: Effort) -> Outcome:
    """Backward twice on one graph; the same program again; on eight threads at once."""
    outcome = Outcome("same bits", "a graph's gradient again, and on eight threads")
    sizes = [
        (kind, B, H) for kind in KINDS for B in (1, 3, 16) for H in (4, 33, 64, 128)
    ]
    for number in effort.rounds(3):
        kind, batch, hidden = sizes[(number * 7) % len(sizes)]
        name = f"{kind}, batch of {batch}, {hidden} units"
        loss, parameters = graph_of(kind, batch, hidden)
        first = _fingerprint(loss, parameters)
        again = _fingerprint(loss, parameters)
        outcome.expect(first == again, f"{name}: a second backward on one graph")
        anew = digest(kind, batch, hidden)
        outcome.expect(first == anew, f"{name}: the same program again")
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(digest, [kind] * 8, [batch] * 8, [hidden] * 8))
        outcome.expect(found == {first}, f"{name}: eight threads at once")
        if number + 1 >= len(sizes):
            break
    return outcome


PROGRAM = (
    "from minigrad.checking.same_bits import KINDS, digest\n"
    "for kind in KINDS: print(digest(kind, 4, 16))"
)


def other_processes(effort: Effort) -> Outcome:
    """The same in processes with other hash seeds, which read the cached kernels."""
    outcome = Outcome("same bits", "processes with other hash seeds")
    here = [digest(kind, 4, 16) for kind in KINDS]
    for number in effort.rounds(2):
        environment = os.environ | {"PYTHONHASHSEED": str(number)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout.split()
        cause = "other bits" if done.returncode == 0 else done.stderr[-300:]
        outcome.expect(said == here, f"hash seed {number}: {cause}")
        if number == 4:
            break
    return outcome
