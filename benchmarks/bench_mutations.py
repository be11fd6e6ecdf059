"""Are mistakes in the code found by the tests? A sample of mutants, and who survives.

    python -m benchmarks.bench_mutations SEED COUNT FILE [PART [FOLDER]]
    python -m benchmarks.bench_mutations figures OUT FILE ...

The second line writes rows for the page of figures.

A mutant is the code with one small change: a sign, a number, a comparison. They are
made by cosmic-ray (`pip install cosmic-ray`), which knows the changes; its own runner
starts a new Python for each, so the tests are run here in forks of a process that has
imported the large libraries once. Places in the code are drawn at random, then one
change for each. Types, texts and docstrings are left out: they do nothing.

The tests of a file are those in `TESTS`. FILE gets one row per mutant, as JSON lines;
a mutant that is in it already is not tried again, so a run can be continued. PART as
"0/2" takes every second one, FOLDER only those of one entry of `TESTS`. Compiled
kernels are off, except for their own files. First the tests must pass on the code as it
is.
"""

import ast
import contextlib
import importlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST = 900  # seconds; a mutant that runs longer has been noticed
FIRST = (
    "tests/test_graph.py tests/test_gradient_graphs.py tests/test_tensor.py "
    "tests/primitives/test_proofs.py tests/primitives/test_table.py "
    "tests/primitives/test_kinks.py "
)
# What is mutated, and what is to notice it, quick files first.
TESTS = {
    "minigrad/engine/primitives": FIRST + "tests/primitives/test_generated.py "
    "tests/test_numpy_protocol.py tests/test_wrong_uses.py tests/test_functions.py "
    "tests/test_awkward_numbers.py tests/primitives/test_explain.py "
    "tests/test_silent_changes.py tests/test_pinned_errors.py "
    "tests/checking/test_random_graphs.py",
    "minigrad/engine/kernels": "tests/test_kernels.py tests/test_kernel_store.py "
    "tests/test_vectormath.py tests/primitives/test_table.py",
    "minigrad/engine": FIRST + "tests/test_creation.py tests/test_functions.py "
    "tests/test_in_place.py tests/test_numpy_protocol.py tests/test_wrong_uses.py "
    "tests/test_errors_lines.py tests/test_awkward_numbers.py tests/test_replay.py "
    "tests/test_foreign_names.py tests/test_random.py tests/test_silent_changes.py "
    "tests/test_pinned_errors.py tests/compiler/test_passes.py "
    "tests/primitives/test_generated.py tests/test_public_names.py "
    "tests/checking/test_random_graphs.py tests/models/test_cells.py",
    "models": "tests/models/test_cells.py tests/models/test_unroll.py "
    "tests/models/test_variants.py tests/models",
    "minigrad/nn/optim": "tests/test_optim.py tests/test_nn.py",
    "minigrad/nn": "tests/test_losses.py tests/test_nn.py tests/test_clip.py "
    "tests/test_awkward_numbers.py tests/test_optim.py tests/models/test_cells.py "
    "tests/test_brought_along.py",
    "minigrad/flow": "tests/flow/test_ledger.py tests/flow/test_products.py "
    "tests/flow/test_diagnose.py tests/flow/test_monitor.py "
    "tests/flow/test_several_loops_flow.py tests/test_clip.py",
}
NAMES = {  # files of those folders that are not drawn from
    # Words and pictures, which other tests look at.
    "messages.py", "errors.py", "foreign_names.py", "notebook_pictures.py",
    "gradient_plots.py", "plot_style.py", "page_sections.py", "monitor_page.py",
    "framed_views.py", "figure_page.py", "terminal_tables.py",
    # Networks of the tasks, which are tested by training them.
    "forecaster.py", "language_model.py", "sentiment_reader.py", "taggers.py",
    "translator.py", "word_models.py",
}  # fmt: skip
LIBRARIES = "numpy pytest hypothesis hypothesis.extra.numpy sympy scipy.linalg torch"


def area_of(path):
    """The entry of TESTS that a file belongs to: the longest that fits."""
    return max((a for a in TESTS if path.startswith(f"{a}/")), key=len)


def tests_of(path):
    """The test files for a file, those that are there."""
    return [name for name in TESTS[area_of(path)].split() if (ROOT / name).exists()]


def idle(source):
    """Lines of annotations, docstrings and texts: pairs of (line, column) from, to."""
    found = []
    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.JoinedStr):
            parts.append(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            parts.append(node)
        if isinstance(node, ast.Assign) and "Callable[" in ast.unparse(node.value):
            parts.append(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "cast":
            parts.append(node.args[0])
        for part in parts:
            if part is not None:
                end = (part.end_lineno, part.end_col_offset)
                found.append(((part.lineno, part.col_offset), end))
    return found


def mutants(path):
    """The changes that can be made in a file, by place: {place: [(operator, n)]}."""
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    source = path.read_text(encoding="utf-8")
    tree, skipped = get_ast(source), idle(source)
    places = {}
    for name in sorted(plugins.operator_names()):
        kind = plugins.get_operator(name)
        if kind.arguments() or name.endswith("NoOp"):
            continue
        operator = kind()
        spots = (
            spot
            for node in ast_nodes(tree)
            for spot in operator.mutation_positions(node)
        )
        for number, (start, end) in enumerate(spots):
            if not any(a <= start and end <= b for a, b in skipped):
                places.setdefault((start, end), []).append((name, number))
    return places


def sample(seed, count):
    """(file, operator, number, line): places drawn from all files, one change each."""
    drawn = random.Random(seed)
    everything = []
    for area in TESTS:
        for path in sorted((ROOT / area).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if area_of(name) == area and path.name not in NAMES:
                everything += [(name, *item) for item in sorted(mutants(path).items())]
    chosen = drawn.sample(everything, count)
    total = len(everything)
    return total, [
        (name, *drawn.choice(changes), place[0][0]) for name, place, changes in chosen
    ]


def killed(tree, name):
    """Do the tests fail in the copy of the tree? In a fork, within LONGEST seconds."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            run_tests(tree, name)
        os._exit(1)
    began = time.monotonic()
    while time.monotonic() - began < LONGEST:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.05)
    os.killpg(child, 9)
    os.waitpid(child, 0)
    return True


def main(seed, count, file, part="0/1", folder=""):
    """Try the sample, or a part of it, and append a row for each mutant."""
    from cosmic_ray import mutating, plugins

    which, parts = map(int, part.split("/"))
    total, chosen = sample(int(seed), int(count))
    print(f"{len(chosen)} of {total} places", flush=True)
    done = {(row["file"], row["operator"], row["number"]) for row in rows_of(file)}
    chosen = [one for one in chosen[which::parts] if one[:3] not in done]
    chosen = [one for one in chosen if folder in ("", area_of(one[0]))]
    for library in LIBRARIES.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    assert "minigrad" not in sys.modules  # a fork would not read the mutant
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        shutil.copytree(
            ROOT, tree, ignore=shutil.ignore_patterns(".git", "__pycache__")
        )
        sys.dont_write_bytecode = True
        for name, operator, number, line in chosen:
            check_tests(tree, name, file)
            place, began = tree / name, time.monotonic()
            whole = place.read_text(encoding="utf-8")
            changed = mutating.mutate_code(
                whole, plugins.get_operator(operator)(), number
            )
            place.write_text(changed, encoding="utf-8")
            noticed = killed(tree, name)
            place.write_text(whole, encoding="utf-8")
            before, after = difference(whole, changed)
            add(file, {
                "file": name, "line": line, "operator": operator, "number": number,
                "killed": noticed, "before": before, "after": after,
                "seconds": round(time.monotonic() - began, 1),
            })  # fmt: skip


def check_tests(tree, name, file):
    """They pass where nothing was changed, or they would "notice" anything."""
    area = area_of(name)
    if not any(row["file"] == area for row in rows_of(file)):
        began = time.monotonic()
        failed = killed(tree, name)
        assert not failed, (tree / "said").read_text("utf-8")[-3000:]
        seconds = round(time.monotonic() - began, 1)
        row = {"file": area, "operator": None, "number": 0, "killed": False}
        add(file, row | {"seconds": seconds})


def write_figures(seed, out, files):
    """A row for each folder: how many mutants, and the share that survived."""
    sys.path.insert(0, str(ROOT / "tests"))
    proof_rows = importlib.import_module("proof_rows")
    found = {}
    for row in [row for file in files for row in rows_of(file) if row["operator"]]:
        found.setdefault(area_of(row["file"]), []).append(row)
    rows = []
    for area, mine in found.items():
        left = [row for row in mine if not row["killed"]]
        share = len(left) / len(mine)
        wrong = [f"{row['file']}:{row['line']}: {row['after']}" for row in left]
        rows.append({
            "promise": "the tests", "what": f"mutants of {area}", "tried": len(mine),
            "worst": share, "limit": 0.05, "unit": "survive",
            "wrong": wrong if share > 0.05 else [], "seed": seed,
            "seconds": sum(row["seconds"] for row in mine),
            "test": f"benchmarks/bench_mutations.py::{area}",
        })  # fmt: skip
    proof_rows.write(out, rows)


def rows_of(file):
    """What is in the file already."""
    path = Path(file)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def add(file, row):
    """One more line."""
    with open(file, "a", encoding="utf-8") as rows:
        rows.write(json.dumps(row) + "\n")


def run_tests(tree, name):
    """Only in a fork: the tests of a file, in the copy; ends the process."""
    os.setsid()
    os.chdir(tree)
    sink = os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    sys.path[:] = [str(tree), *[p for p in sys.path if p not in ("", str(ROOT))]]
    os.environ["PYTHONPATH"] = str(tree)
    kernels = area_of(name).endswith("kernels")
    os.environ["MINIGRAD_KERNELS"] = "on" if kernels else "off"
    os.environ["MINIGRAD_CACHE_DIR"] = str(tree / "kernels")
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
    only = ["-m", "not nightly and not browser"]
    code = pytest.main([*options, *only, *tests_of(name)])
    sys.stdout.flush()
    os._exit(int(code != 0))


def difference(whole, changed):
    """The first line that differs, as it was and as it is."""
    pairs = zip(whole.splitlines(), changed.splitlines(), strict=False)
    pair = next((p for p in pairs if p[0] != p[1]), ("", ""))
    return pair[0].strip(), pair[1].strip()


if __name__ == "__main__":
    if sys.argv[1:2] == ["figures"]:
        write_figures(18, sys.argv[2], sys.argv[3:])
    else:
        main(*sys.argv[1:])
