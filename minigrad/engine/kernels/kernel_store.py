"""Compiled kernels kept on disk, so that the next start of Python need not compile.

A kernel has a folder of its own: its source, the files that numba makes of it, and
`digests.txt`, which says what these files must be. numba runs whatever machine code it
finds, and a damaged or exchanged file would crash the process or give wrong numbers: so
the digests are compared first. A folder that does not agree with them is compiled
anew, and a warning says so once.

A folder is filled under another name and then renamed. Processes that start together,
or are killed half-way, leave a whole folder or none.

Read next: `vectormath.py`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from minigrad.engine.errors import warn

Make = Callable[[ModuleType, bool], Any]  # (the source's module, cache?) -> a kernel

compiling = threading.RLock()
if hasattr(os, "register_at_fork"):
    # A fork waits until no thread imports numba or compiles: the child would have their
    # locks as they are, and nobody there to release them.
    os.register_at_fork(
        before=compiling.acquire,
        after_in_parent=compiling.release,
        after_in_child=compiling.release,
    )
_DIGESTS = "digests.txt"
_UNFINISHED = "unfinished-"


def compiled(source: str, name: str, make: Make) -> Any:
    """What `make` compiles from the functions of `source`, from disk if it can be.

    make  called with the module of the source, and whether numba is to cache: it
          passes that on as `cache=`. How it compiles must be told by the source too, in
          a comment if need be: equal sources share one kernel.
    """
    folder = cache_folder()
    key = hashlib.sha256(f"{source}{_where_it_runs()}".encode()).hexdigest()
    title = f"minigrad_{name}_{key[:16]}"
    if folder is None:
        return make(_module(source, title, None), False)
    place, damage = folder / title, None
    with compiling, _numbas_own_cache_beside_the_source():
        if place.exists():
            damage = damaged(place, key)
            if damage is None:
                return make(_module(source, title, place / f"{title}.py"), True)
            _remove(place)
        made = _compiled_into(folder, place, key, source, make)
    if damage is not None:
        _tell(place, damage)
    return made


def _compiled_into(folder: Path, place: Path, key: str, source: str, make: Make) -> Any:
    """Compile a kernel, and keep it at `place` if the disk lets us."""
    unfinished: Path | None = None
    made = None
    try:
        _remove_old(folder)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
        path = unfinished / f"{place.name}.py"
        path.write_text(source, encoding="utf-8")
        made = make(_module(source, place.name, path), True)
        files = {p: p.read_bytes() for p in _numbas_files(unfinished)}
        if files:
            lines = [key, *(f"{_digest(b)}  {p.name}" for p, b in files.items())]
            (unfinished / _DIGESTS).write_text("\n".join(lines), encoding="utf-8")
            unfinished.rename(place)
    except (OSError, RuntimeError):  # a full disk; or another process was first
        pass
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
    return make(_module(source, place.name, None), False) if made is None else made


def damaged(place: Path, key: str) -> str | None:
    """What is wrong with a kernel's folder, in words; None if nothing is."""
    try:
        said = (place / _DIGESTS).read_text(encoding="utf-8").split("\n")
        lines = [f"{_digest(p.read_bytes())}  {p.name}" for p in _numbas_files(place)]
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {_DIGESTS}"
    if said[0] != key:
        return "the files of another kernel"
    changed = set(said[1:]) ^ set(lines)
    return " ".join(min(changed).split()[1:]) if changed else None


def _numbas_files(place: Path) -> list[Path]:
    return sorted(place.glob("__pycache__/*.nb?"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_told: list[Path] = []  # once in a process is enough


def _tell(place: Path, damage: str) -> None:
    if _told:
        return
    _told.append(place)
    warn(
        "the cache of compiled kernels was damaged; what was, is compiled again",
        expect="files as they were written",
        actual=f"{place.name}: {damage}",
        hint=f"if it comes back, look at the disk; {place.parent} can be deleted",
    )


def _module(source: str, title: str, path: Path | None) -> ModuleType:
    """The source, run: numba looks a cached kernel's module up by its name."""
    module = ModuleType(title)
    sys.modules[title] = module
    exec(compile(source, str(path or f"<{title}>"), "exec"), module.__dict__)
    return module


def _remove(place: Path) -> None:
    """Remove a damaged kernel: its folder, or a file or link that took its place."""
    try:
        if place.is_symlink() or not place.is_dir():
            place.unlink()
        else:
            shutil.rmtree(place)
    except OSError:  # then it stays, and the kernel is compiled at each start
        pass


def _remove_old(folder: Path) -> None:
    """Remove what killed processes left, an hour ago or earlier."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        if time.time() - path.stat().st_mtime > 3600:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _numbas_own_cache_beside_the_source() -> Iterator[None]:
    """NUMBA_CACHE_DIR would lead numba past the folder that we know to be private."""
    import numba

    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, ""  # type: ignore
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


@lru_cache(maxsize=1)
def _where_it_runs() -> str:
    """The compiler and the processor: other ones make other machine code."""
    import llvmlite.binding as llvm
    import numba

    parts = [sys.implementation.cache_tag, numba.__version__]
    parts += [llvm.get_process_triple(), llvm.get_host_cpu_name()]
    parts += [llvm.get_host_cpu_features().flatten()]
    parts += [f"{k}={v}" for k, v in os.environ.items() if k.startswith("NUMBA_CPU")]
    return "\n".join(map(str, parts))


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """The folder of compiled kernels: private to the user, or None if there is none.

    MINIGRAD_CACHE_DIR sets it; else it is the system's usual place for caches. Machine
    code is loaded from it, so a folder that others may write to is not used.
    """
    from platformdirs import user_cache_path

    chosen = os.environ.get("MINIGRAD_CACHE_DIR")
    try:
        folder = Path(chosen) if chosen else user_cache_path("minigrad") / "kernels"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            status = folder.stat()
            if status.st_uid != os.getuid() or status.st_mode & 0o022:
                return None
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):
        return None
