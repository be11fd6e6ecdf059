"""Do the tests notice a mutant? Two ways to run them: in place, and from the start.

In place: one process has imported everything and collected all tests. For each mutant
it forks; the child gives the functions that the change touches their new code, and runs
the chosen tests until one fails. From the start: a fork of a process that has only the
large libraries imports the changed file. That takes seconds instead of a tenth, and is
for what runs while a file is imported, for compiled kernels,
and for all that the first way did not notice.
"""

import contextlib
import functools
import gc
import importlib
import linecache
import os
import resource
import sys
import time
import types
import warnings
from collections import Counter
from importlib.machinery import SourceFileLoader

from benchmarks.covering_tests import OPTIONS

MEMORY = 6 << 30  # bytes that a mutant may take more than the tests
FIRST_FILES = 1
LONGEST_TEST = 20  # seconds of the processor
LONGEST = 900  # seconds by the clock, for all tests of a mutant


class FirstFailure:
    """A plugin of pytest: ends the process at the first test that fails, or takes much
    longer than any does on the code as it is."""

    def pytest_runtest_logstart(self):
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        limit = int(used.ru_utime + used.ru_stime) + LONGEST_TEST
        resource.setrlimit(resource.RLIMIT_CPU, (limit, most))

    def pytest_runtest_logreport(self, report):
        if report.failed:
            sys.stdout.write(f"\nnoticed by {report.nodeid}\n")
            sys.stdout.flush()
            os._exit(1)


def fork(action, log, longest=LONGEST):
    """Run `action` in a child, what it says goes into `log`; 0 if it ended well.

    A child that takes too long has been noticed, too.
    """
    sys.stdout.flush()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            os.setsid()
            _limit_memory()
            sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            action()
            os._exit(0)
        os._exit(3)
    began = time.monotonic()
    while time.monotonic() - began < longest:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, 9)
    os.waitpid(child, 0)
    return -9


def _limit_memory():
    with open("/proc/self/statm", encoding="ascii") as pages:
        now = int(pages.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, most))


def who(log, code):
    """What noticed: the test, or how the process ended."""
    with open(log, encoding="utf-8", errors="replace") as text:
        lines = [line for line in text if line.startswith("noticed by ")]
    return lines[-1][11:].strip() if lines else f"the process ended with {code}"


# ------------------------------------------------------------------------- in place


def pairs(old, new):
    """Code objects that differ, of two compiled files; None if the files themselves do
    (what runs at import), or have other functions."""
    mine, theirs = _parts(old), _parts(new)
    if _shell(old) != _shell(new) or len(mine) != len(theirs):
        return None
    found, todo = [], list(zip(mine, theirs, strict=True))
    while todo:
        one, other = todo.pop()
        if one == other:
            continue
        mine, theirs = _parts(one), _parts(other)
        if len(mine) != len(theirs) or one.co_freevars != other.co_freevars:
            return None
        if not one.co_flags & 0x2 and _shell(one) != _shell(other):  # a class body
            return None
        found.append((one, other))
        todo += zip(mine, theirs, strict=True)
    return found


def _parts(code):
    return [c for c in code.co_consts if isinstance(c, types.CodeType)]


def _shell(code):
    """A code object without those within it."""
    rest = [repr(c) for c in code.co_consts if not isinstance(c, types.CodeType)]
    return code.co_code, rest, code.co_names, code.co_varnames


def functions_of(tree):
    """Every function of the tree that there is, by its code object."""
    found = {}
    for one in gc.get_objects():
        if type(one) is types.FunctionType:  # isinstance would ask the object itself
            if one.__code__.co_filename.startswith(str(tree)):
                found.setdefault(one.__code__, []).append(one)
    return found


class InPlace:
    """A plugin of pytest whose run is the trial of all mutants, one after the other.

    trials    (mutant, names of tests) for each
    report    called with the mutant, who noticed it (None: nobody), how many tests
    """

    def __init__(self, tree, trials, report, log):
        self.tree, self.trials, self.report, self.log = tree, trials, report, log

    def pytest_runtestloop(self, session):
        items = {item.nodeid: item for item in session.items}
        for file in sorted({mutant.file for mutant, _ in self.trials}):
            if file.startswith("minigrad/"):  # some are imported late
                importlib.import_module(file.removesuffix(".py").replace("/", "."))
        functions, kills = functions_of(self.tree), Counter()
        gc.collect()
        gc.freeze()  # children do not touch what they share
        for mutant, names in self.trials:
            mine = [items[name] for name in names if name in items]
            mine.sort(key=lambda item: -kills[item.nodeid])  # who noticed much, first
            new = [
                (function, code)
                for old, code in self.changes(mutant) or ()
                for function in functions.get(old, ())
            ]
            if not new or not mine:
                self.report(mutant, None, 0)
                continue
            code = fork(functools.partial(run, new, mine), self.log)
            noticed = who(self.log, code) if code else None
            kills[noticed] += 1
            self.report(mutant, noticed, len(mine))
        return True

    def changes(self, mutant):
        path = str(self.tree / mutant.file)
        with open(path, encoding="utf-8") as text:
            source = text.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pairs(
                compile(source, path, "exec", dont_inherit=True),
                compile(mutant.apply(source), path, "exec", dont_inherit=True),
            )


def run(new, items):
    """The tests, with other code in the functions of `new`; ends at the first that
    fails."""
    for function, code in new:
        function.__code__ = code
    config = items[0].config
    config.pluginmanager.register(FirstFailure())
    for item, after in zip(items, [*items[1:], None], strict=True):
        config.hook.pytest_runtest_protocol(item=item, nextitem=after)


def collected(plugin, files):
    """Collect the files, and run the plugin's loop; in this process."""
    import pytest

    return pytest.main([*OPTIONS, "-s", *files], plugins=[plugin])


# ------------------------------------------------------------------ from the start


def from_the_start(names):
    """Run the tests, those of the first file before the others are imported; in
    this process, which has not imported minigrad."""
    import pytest

    assert "minigrad" not in sys.modules
    files = list(dict.fromkeys(name.split("::")[0] for name in names))
    for some in (files[:FIRST_FILES], files[FIRST_FILES:]):
        mine = [name for name in names if name.split("::")[0] in some]
        if mine and pytest.main([*OPTIONS, "-s", *mine], plugins=[FirstFailure()]):
            os._exit(1)
    os._exit(0)


def import_as(path, text):
    """This process will import the file at a path as if this text were in it."""
    given = SourceFileLoader.get_code

    def get_code(self, name):
        if self.path != str(path):
            return given(self, name)
        return compile(text, str(path), "exec", dont_inherit=True)

    SourceFileLoader.get_code = get_code
    lines = text.splitlines(keepends=True)
    linecache.cache[str(path)] = len(text), None, lines, str(path)


def settle(tree, root, kernels, cache):
    """This process imports from the copy of the tree, with or without kernels."""
    os.chdir(tree)
    sys.dont_write_bytecode = True
    sys.path[:] = [str(tree), *[p for p in sys.path if p not in ("", str(root))]]
    more = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    others = [p for p in more if p != str(root)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(tree), *others])
    os.environ["MINIGRAD_KERNELS"] = kernels
    os.environ["MINIGRAD_CACHE_DIR"] = str(cache)
