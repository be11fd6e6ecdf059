"""Same inputs, same bits: again, on eight threads, in processes of other kinds."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from minigrad.checking.same_bits import KINDS, PROGRAM, digest, graph_of
from minigrad.checking.same_bits import _fingerprint as fingerprint
from minigrad.engine.kernels import jit

BATCHES, WIDTHS = (1, 2, 3, 8, 16, 32), (4, 33, 64, 100, 128, 300)
SIZES = [(B, H) for B in BATCHES for H in WIDTHS]


def compare(row, sizes):
    for kind in KINDS:
        for batch, hidden in sizes:
            loss, parameters = graph_of(kind, batch, hidden)
            first = fingerprint(loss, parameters)
            where = f"{kind}, batch of {batch}, {hidden} units"
            row.expect(fingerprint(loss, parameters) == first, f"{where}: again")
            row.expect(digest(kind, batch, hidden) == first, f"{where}: anew")
            with ThreadPoolExecutor(8) as pool:
                found = pool.map(digest, [kind] * 8, [batch] * 8, [hidden] * 8)
                for number, one in enumerate(found):
                    row.expect(one == first, f"{where}: thread {number}")


def test_again_and_on_eight_threads(proof):
    compare(proof("same bits", "gradients again, anew, on eight threads"), SIZES[:1])


@pytest.mark.nightly
def test_again_and_on_eight_threads_at_every_size(proof):
    compare(proof("same bits", "gradients again, anew, on eight threads"), SIZES)


OTHERS = {
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed 77": {"PYTHONHASHSEED": "77"},
    "one thread of BLAS": {"OPENBLAS_NUM_THREADS": "1"},
    "two threads of BLAS": {"OPENBLAS_NUM_THREADS": "2"},
    "no docstrings, no asserts": {"PYTHONOPTIMIZE": "2"},
    "an empty cache of kernels": {"MINIGRAD_CACHE_DIR": "cold"},
    "the cache just filled": {"MINIGRAD_CACHE_DIR": "cold"},
}


@pytest.mark.nightly
@pytest.mark.skipif(not jit.enabled, reason="only with numba")
def test_other_processes(proof, tmp_path):
    row = proof("same bits", "processes: hash seeds, BLAS threads, cold and warm cache")
    here = [digest(kind, 4, 16) for kind in KINDS]
    for name, settings in OTHERS.items():
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in sys.path),
                **settings,
            },
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        row.expect(done.stdout.split() == here, f"{name}: {done.stderr[-300:]}")
