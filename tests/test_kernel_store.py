"""Kernels on disk: what is loaded is what was written, whatever befell the files."""

import json
import os
import shutil
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

from minigrad.engine.errors import MinigradWarning
from minigrad.engine.kernels import jit, kernel_store

pytestmark = pytest.mark.skipif(
    not jit.enabled, reason="only with numba, and with kernels switched on"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_store, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(kernel_store, "_told", [])
    return tmp_path


def kernel(factor):
    """x -> factor * x as a ufunc, and whether it had to be compiled."""
    import numba

    compilations = []

    def make(module, keep):
        dufunc = numba.vectorize(["float64(float64)"], cache=keep)(module.times)
        compilations.append(dufunc._dispatcher.cache if keep else None)
        return dufunc.ufunc

    source = f"def times(x):\n    return {factor}.0 * x\n"
    return kernel_store.compiled(source, "times", make)


def place_of(folder, factor):
    """The kernel's folder: it is made if it is not there."""
    before = set(folder.glob("minigrad_*"))
    assert kernel(factor)(2.0) == 2.0 * factor
    (made,) = set(folder.glob("minigrad_*")) - before
    return made


def objects(place):
    return sorted(place.glob("__pycache__/*.nb?"))


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


DAMAGES = {
    "a bit flipped in an object": lambda place: flip(objects(place)[0]),
    "a bit flipped in the index": lambda place: flip(objects(place)[1]),
    "an object cut short": lambda place: objects(place)[0].write_bytes(b"short"),
    "an object gone": lambda place: objects(place)[0].unlink(),
    "the digests gone": lambda place: (place / "digests.txt").unlink(),
    "the digests not text": lambda place: (place / "digests.txt").write_bytes(b"\xff"),
    "an object too many": lambda place: shutil.copy(
        objects(place)[0], objects(place)[0].with_name("other.nbc")
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_damaged_is_compiled_again_and_kept(folder, damage, proof):
    place = place_of(folder, 3)
    damage(place)
    with pytest.warns(MinigradWarning, match="was damaged") as told:
        assert kernel(3)(2.0) == 6.0
    assert len(told) == 1 and place.name in str(told[0].message)
    key = (place / "digests.txt").read_text().split("\n")[0]
    assert kernel_store.damaged(place, key) is None
    row = proof("kernels", "damaged caches: one warning, repaired, right")
    row.expect(kernel(3)(2.0) == 6.0, place.name)  # no warning: it was repaired


def test_it_is_said_once(folder):
    places = [place_of(folder, factor) for factor in (3, 5)]
    for place in places:
        flip(objects(place)[0])
    with pytest.warns(MinigradWarning) as told:
        assert [kernel(3)(2.0), kernel(5)(2.0)] == [6.0, 10.0]
    assert len(told) == 1


@pytest.mark.parametrize("with_digests", [False, True])
def test_a_kernel_exchanged_with_another_is_not_run(folder, with_digests):
    three, five = place_of(folder, 3), place_of(folder, 5)
    for mine, theirs in zip(objects(three), objects(five), strict=True):
        shutil.copy(theirs, mine)
    if with_digests:
        shutil.copy(five / "digests.txt", three)
    with pytest.warns(MinigradWarning, match="was damaged"):
        assert kernel(3)(2.0) == 6.0


def test_what_is_whole_is_loaded_and_not_written(folder):
    place = place_of(folder, 7)
    before = {p: p.stat().st_mtime_ns for p in place.rglob("*")}
    assert kernel(7)(2.0) == 14.0
    assert {p: p.stat().st_mtime_ns for p in place.rglob("*")} == before
    assert [p for p in folder.iterdir() if p != place] == []


def test_what_a_killed_process_left_is_removed_later(folder):
    fresh, old = folder / "unfinished-new", folder / "unfinished-old"
    for left in (fresh, old):
        left.mkdir()
    os.utime(old, (0, 0))
    place_of(folder, 3)
    assert fresh.exists() and not old.exists()


def test_a_full_disk_costs_the_cache_not_the_kernel(folder, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    assert kernel(3)(2.0) == 6.0
    assert list(folder.iterdir()) == []


def test_threads_that_start_together(folder):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(kernel(9)(2.0))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [18.0] * 4 and len(list(folder.iterdir())) == 1


FORKS = """
import os, threading, time
from minigrad.engine.kernels import kernel_store

held = threading.Event()

def compiles():
    with kernel_store.compiling:
        held.set()
        time.sleep(0.5)

thread = threading.Thread(target=compiles)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    os._exit(not kernel_store.compiling.acquire(timeout=5))
thread.join()
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where there is a fork")
def test_a_fork_while_a_thread_compiles():
    """The child has no lock that nobody will release."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKS],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        },
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_what_took_a_kernels_place_is_removed(folder):
    """A file, or a link to a folder: it is repaired once and for all."""
    for put in ("file", "link"):
        place = place_of(folder, 3)
        aside = folder / f"aside-{put}"
        place.rename(aside)
        if put == "file":
            place.write_text("taken")
        else:
            flip(objects(aside)[0])
            place.symlink_to(aside, target_is_directory=True)
        kernel_store._told.clear()
        with pytest.warns(MinigradWarning, match="was damaged"):
            assert kernel(3)(2.0) == 6.0
        assert kernel(3)(2.0) == 6.0 and place.is_dir() and not place.is_symlink()
        shutil.rmtree(place)


def test_numbas_own_folder_is_not_used(folder, tmp_path_factory, monkeypatch):
    import numba

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(elsewhere))
    assert objects(place_of(folder, 3))
    assert list(elsewhere.iterdir()) == []
    assert str(elsewhere) == numba.config.CACHE_DIR  # for the user's own functions


BROKEN = """
import json, sys, warnings
import numpy as np

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name == "numba" and path is None and "numba" not in sys.modules:
            frame = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_name == "_usable":
                    return None
                frame = frame.f_back
            raise ImportError("Numba needs NumPy 2.0 or less")

import minigrad as mg
sys.meta_path.insert(0, Refuse())
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    x = mg.tensor([-1.0, 0.5], requires_grad=True)
    for _ in range(2):
        (g,) = mg.grad(mg.sigmoid(x).sum() + mg.softplus(x).sum(), [x])
s = 1 / (1 + np.exp(-x.data))
np.testing.assert_allclose(g.data, s * (1 - s) + s, rtol=1e-14)
print(json.dumps([str(w.message) for w in told]))
"""


def test_numba_that_cannot_be_imported_is_as_none():
    paths = os.pathsep.join(p for p in sys.path if p)
    made = subprocess.run(
        [sys.executable, "-c", BROKEN],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (told,) = json.loads(made.stdout)
    assert "numba is installed but cannot be imported" in told
    assert "Numba needs NumPy 2.0 or less" in told


def test_a_kernel_of_two_outputs_of_the_same_text_is_one_file(folder):
    """Equal sources share one kernel."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(kernel(3)([1.0]), kernel(3)([1.0]))
    assert len(list(folder.iterdir())) == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="only where files have owners")
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, monkeypatch, proof):
    row = proof("kernels", "folders of others, open to others, or read-only: not used")
    monkeypatch.setenv("MINIGRAD_CACHE_DIR", str(tmp_path))
    usable = kernel_store.cache_folder.__wrapped__
    for mode in (0o700, 0o755, 0o500):
        tmp_path.chmod(mode)
        reading = mode == 0o500 and os.getuid() != 0  # root may write nevertheless
        row.expect(usable() == (None if reading else tmp_path), f"{mode:o}")
    for mode in (0o777, 0o775, 0o707, 0o1777):
        tmp_path.chmod(mode)
        row.expect(usable() is None, f"{mode:o}")
    tmp_path.chmod(0o700)
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    row.expect(usable() is None, "another's folder")
    monkeypatch.undo()
    monkeypatch.setenv("MINIGRAD_CACHE_DIR", str(tmp_path))

    def denied(**options):
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", denied)
    row.expect(usable() is None, "a read-only disk")


def test_without_a_usable_folder_nothing_is_kept(tmp_path, monkeypatch):
    """The place that was chosen lies within a file."""
    (tmp_path / "file").write_text("taken")
    monkeypatch.setenv("MINIGRAD_CACHE_DIR", str(tmp_path / "file" / "kernels"))
    assert kernel_store.cache_folder.__wrapped__() is None
    monkeypatch.setenv("MINIGRAD_CACHE_DIR", str(tmp_path / "kernels"))
    assert kernel_store.cache_folder.__wrapped__() == tmp_path / "kernels"
