"""Which tests run which lines, and how long they take: found by running them once.

The tests of `TESTS` are run under coverage, which notes for each line the tests that
reach it: "off" without compiled kernels, since with them a rule is traced once and
never run again; "on" with kernels, those tests that need them. Each run of `survey`
writes files of its own, so that two can go on at once.
"""

import ast
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

TESTS = """
tests/primitives tests/models tests/reading tests/compiler tests/flow tests/checking
tests/test_accuracy.py tests/test_awkward_numbers.py tests/test_brought_along.py
tests/test_checkpoint.py tests/test_clip.py tests/test_creation.py
tests/test_defaults.py tests/test_rare_words.py
tests/test_errors_lines.py tests/test_foreign_names.py tests/test_functions.py
tests/test_gradient_graphs.py tests/test_graph.py tests/test_in_place.py
tests/test_kernels.py tests/test_kernel_store.py tests/test_losses.py tests/test_nn.py
tests/test_numbers.py tests/test_numpy_protocol.py tests/test_optim.py
tests/test_pinned_errors.py tests/test_public_names.py tests/test_random.py
tests/test_replay.py tests/test_silent_changes.py tests/test_tensor.py
tests/test_testing.py tests/test_vectormath.py tests/test_wrong_uses.py
tests/test_repeating.py tests/test_rare_ways.py tests/test_argument_counts.py
tests/lab tests/tasks/test_translation.py
""".split()
WITH_KERNELS = """
tests/test_kernels.py tests/test_kernel_store.py tests/test_vectormath.py
tests/primitives/test_folded.py tests/primitives/test_affine.py tests/test_optim.py
tests/test_nn.py tests/test_clip.py tests/test_graph.py tests/test_gradient_graphs.py
tests/models/test_cells.py tests/compiler tests/test_repeating.py
tests/models/test_cells.py tests/test_repeating.py
""".split()
AT_IMPORT = "tests/test_defaults.py"
# Compiled code leaves no trace for coverage: the tests of its own.
COMPILED = {"minigrad/engine/kernels/vectormath.py": "tests/test_vectormath.py::"}
LONGEST = 15.0  # seconds: tests that take longer are not used
KNOWN_LONGEST = 2.0  # of tests whose seconds are known from a survey before
OPTIONS = [
    "-q", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-profile=ci",
    "-m", "not nightly and not browser",
]  # fmt: skip


class Seconds:
    """A plugin of pytest: the seconds of each test that passed."""

    def __init__(self):
        self.passed, self.failed = {}, set()

    def pytest_runtest_logreport(self, report):
        name = report.nodeid
        self.passed[name] = self.passed.get(name, 0.0) + report.duration
        if not report.passed:
            self.failed.add(name)


class NotSlow:
    """A plugin of pytest: leaves out the tests that took long in an earlier survey."""

    def __init__(self, seconds):
        self.seconds = seconds

    def pytest_collection_modifyitems(self, items):
        items[:] = [i for i in items if self.seconds.get(i.nodeid, 0) < KNOWN_LONGEST]


def survey(folder, kernels, tests=(), folders=("minigrad", "models")):
    """Run the tests, or some of them, in the copy of the tree; in this process.

    folders   whose lines are noted: the fewer, the faster
    """
    import pytest

    known, seconds = known_seconds(folder, kernels), Seconds()
    report = ["--cov-report=", "--cov-config=/dev/null", "--cov-context=test"]
    these = tests or (TESTS if kernels == "off" else WITH_KERNELS)
    part = f"{kernels}-{os.getpid()}"
    os.environ["COVERAGE_FILE"] = str(folder / f"coverage-{part}")
    pytest.main(
        [*OPTIONS, *(f"--cov={name}" for name in folders), *report, *these],
        plugins=[seconds, NotSlow(known)],
    )
    found = {k: v for k, v in seconds.passed.items() if k not in seconds.failed}
    path = folder / f"seconds-{part}.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    print(f"{len(found)} tests, {len(seconds.failed)} not passed", file=sys.stderr)


def known_seconds(folder, kernels):
    """{test: its seconds in the last survey that ran it}."""
    paths = folder.glob(f"seconds-{kernels}-*.json")
    known = {}
    for path in sorted(paths, key=lambda path: path.stat().st_mtime):
        known |= json.loads(path.read_text("utf-8"))
    return known


class Covering:
    """What a survey found."""

    def __init__(self, folder, kernels):
        import coverage

        self.tree = folder / "tree"
        self.seconds = known_seconds(folder, kernels)
        paths = sorted(folder.glob(f"coverage-{kernels}-*"))
        self.data = [coverage.CoverageData(str(path)) for path in paths]
        for data in self.data:
            data.read()
        self.known = {}

    def lines(self, file):
        """{line: the tests that run it}."""
        if file not in self.known:
            found = defaultdict(set)
            for data in self.data:
                lines = data.contexts_by_lineno(str(self.tree / file))
                for line, names in lines.items():
                    mine = {name.split("|")[0] for name in names}
                    found[line] |= mine & self.seconds.keys()
            self.known[file] = dict(found)
        return self.known[file]

    def tests(self, file, line, budget):
        """Tests that reach the statement at a line; then others that reach the file,
        since what is remembered from one test to the next is reached by the first only,
        and what runs during the import by none. Those named after the file or its
        folder first, for `budget` seconds; the others for a part of it."""
        if file in COMPILED:
            return self.of_compiled(file, line)
        lines = self.lines(file)
        first, last = statement(self.tree / file, line)
        here = set().union(*(lines.get(n, set()) for n in range(first, last + 1)))
        there = set().union(*lines.values()) - here
        found = []
        if not here:  # a default, say: looked at without being called
            found = [name for name in self.seconds if name.startswith(AT_IMPORT)]
        for names, longest in ((here, budget), (there, budget / 4)):
            near = {name for name in names if mirrors(name, file)}
            found += self.chosen(near, longest) + self.chosen(names - near, longest / 2)
        return found

    def of_compiled(self, file, line):
        """All tests of a compiled file. First those of the function at the line, found
        by their parameters; and one function after the other, as each is compiled when
        a test first asks for it."""
        name = f"[{function_at(self.tree / file, line)}-"
        mine = [n for n in self.seconds if n.startswith(COMPILED[file])]
        mine = [n for n in mine if self.seconds[n] < LONGEST]
        return sorted(mine, key=lambda n: (name not in n, n.partition("[")[::-1]))

    def chosen(self, names, budget):
        """Quick ones first, from all test files in turn, while the budget lasts."""
        by_file = defaultdict(list)
        for name in sorted(names, key=self.seconds.get):
            by_file[name.split("::")[0]].append(name)
        turns = [
            (turn, self.seconds[name], name)
            for mine in by_file.values()
            for turn, name in enumerate(mine)
        ]
        chosen, spent = [], 0.0
        for _, seconds, name in sorted(turns):
            if seconds < LONGEST and spent + seconds < budget:
                chosen.append(name)
                spent += seconds + 0.002
        return chosen


def mirrors(test, file):
    """Does the test's path name the file's folder, or the file? As tests do here."""
    parts = set(Path(file).with_suffix("").parts) - {"minigrad"}
    return any(part in test.split("::")[0] for part in parts)


def statement(path, line):
    """The first and the last line of the smallest statement there; of one with a body,
    its head."""
    best = (line, line)
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            last = node.end_lineno
            if getattr(node, "body", None):
                last = max(node.body[0].lineno - 1, node.lineno)
            if line <= last:
                best = (node.lineno, last)
    return best


def function_at(path, line):
    """The name of the innermost function around a line; "" outside of all."""
    found = ""
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= node.end_lineno:
            found = node.name  # ast.walk comes to the inner ones later
    return found
