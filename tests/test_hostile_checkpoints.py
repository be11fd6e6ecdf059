"""Checkpoints made by others: refused before memory is taken, nothing opened or run."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hostile_checkpoints import DAMAGED, fuzzed, whole_files

import minigrad as mg
from minigrad.engine.errors import CheckpointError

PER_PART = 20_000


def load_all(row, path, seeds):
    """Each fuzzed file is loaded, or refused with the one right error."""
    mg.save(path, mg.nn.Linear(3, 2, rng=0), metadata={"epoch": "3"})
    files = whole_files(path.read_bytes())
    loaded = 0
    for seed in seeds:
        path.write_bytes(fuzzed(np.random.default_rng((seed, 7)), files))
        try:
            mg.load(path)
        except CheckpointError:
            row.expect(True, "")
        except BaseException as error:
            row.expect(False, f"seed {seed}: {type(error).__name__}: {error}")
        else:
            loaded += 1
            row.expect(True, "")
    return loaded


def test_fuzzed_files(proof, tmp_path):
    row = proof("files", "fuzzed checkpoints", seed=7)
    loaded = load_all(row, tmp_path / "x.safetensors", range(1500))
    assert 0 < loaded < 750  # most are damaged, and some only look so


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(50))
def test_a_million_fuzzed_files(proof, tmp_path, part):
    row = proof("files", "fuzzed checkpoints", seed=7)
    first = 10_000 + part * PER_PART
    load_all(row, tmp_path / "x.safetensors", range(first, first + PER_PART))


def test_hostile_files_are_refused_before_memory_is_taken(proof, tmp_path):
    row = proof("files", "hostile checkpoints, each of another kind")
    path = tmp_path / "x.safetensors"
    for name, content in DAMAGED.items():
        path.write_bytes(content)
        tracemalloc.start()
        try:
            mg.load(path)
        except CheckpointError as error:
            _, peak = tracemalloc.get_traced_memory()
            small = peak < 200_000 + 30 * len(content)
            row.expect(small and str(path) in str(error), f"{name}: {peak:,} bytes")
        else:
            row.expect(False, f"{name}: it was loaded")
        finally:
            tracemalloc.stop()
    assert row.tried >= 60


# What Python does while a file is read, as its audit hooks hear it.
PROGRAM = """
import sys
import minigrad as mg
from minigrad.engine.errors import CheckpointError

paths = sys.argv[1:]
try:
    mg.load(paths[0])  # what is imported is imported
except CheckpointError:
    pass
heard, listening = [], True
allowed = {"object.__getattr__", "sys._getframe", "import"}

def listen(event, details):
    if listening and event not in allowed:
        heard.append((event, str(details[0]) if details else ""))

sys.addaudithook(listen)
for path in paths:
    try:
        mg.load(path)
    except CheckpointError:
        pass
listening = False
other = [one for one in heard if one[0] != "open" or one[1] not in paths]
assert sum(one[0] == "open" for one in heard) >= len(paths)
assert not other, other[:5]
"""


def test_nothing_else_is_opened_and_nothing_is_run(proof, tmp_path):
    """Under an audit hook: each file is opened, and no other event is heard."""
    row = proof("files", "checkpoints loaded under an audit hook")
    saved = tmp_path / "whole.safetensors"
    mg.save(saved, mg.nn.Linear(3, 2, rng=0))
    paths = [saved]
    for number, content in enumerate(DAMAGED.values()):
        paths.append(tmp_path / f"{number}.safetensors")
        paths[-1].write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, paths)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for path in paths:
        row.expect(done.returncode == 0, f"{path}: {done.stderr[-500:]}")
