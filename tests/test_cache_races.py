"""Processes that start on one empty cache of kernels, some of them killed (nightly).

What they compute is right in every process that lives, and in the next one; the cache
that is left is whole, so that nobody is warned.
"""

import os
import random
import subprocess
import sys
import time

import pytest

from minigrad.engine.kernels import jit

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not jit.enabled, reason="only with numba"),
]
PROGRAM = """
import hashlib, warnings
import numpy as np
import minigrad as mg

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    x = mg.tensor(np.linspace(-3, 3, 50), requires_grad=True)
    y = mg.sigmoid(x) * mg.tanh(x)
    (g,) = mg.grad(y.sum(), [x])
print(hashlib.sha256(y.data.tobytes() + g.data.tobytes()).hexdigest(), len(told))
"""


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "MINIGRAD_CACHE_DIR": str(folder),
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process):
    """Its digest and its number of warnings; or how it failed."""
    out, error = process.communicate(timeout=300)
    return tuple(out.split()) if process.returncode == 0 else error[-300:]


@pytest.mark.parametrize("part", range(25))
def test_eight_processes_on_an_empty_cache(part, proof, tmp_path):
    row = proof("kernels", "processes on an empty cache, three of eight killed")
    pick = random.Random(part)
    expected = said(start(tmp_path / "alone"))
    assert expected[1] == "0"
    began = time.monotonic()
    again = said(start(tmp_path / "alone"))
    typical = 4 * (time.monotonic() - began)  # with an empty cache it takes longer
    row.expect(again == expected, f"part {part}: from the cache: {again}")
    shared = tmp_path / "shared"
    processes = [start(shared) for _ in range(8)]
    moments = sorted((pick.uniform(0, typical), k) for k in pick.sample(range(8), 3))
    began = time.monotonic()
    for moment, number in moments:
        time.sleep(max(0.0, moment - (time.monotonic() - began)))
        processes[number].kill()
    doomed = {number for _, number in moments}
    for number, process in enumerate(processes):
        found = said(process)
        if number not in doomed or process.returncode == 0:
            row.expect(found == expected, f"part {part}, process {number}: {found}")
    found = said(start(shared))
    row.expect(found == expected, f"part {part}, afterwards: {found}")
    for place in shared.glob("minigrad_*"):
        row.expect(
            (place / "digests.txt").exists(), f"part {part}: {place} is not whole"
        )
