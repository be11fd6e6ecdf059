"""Are mistakes in the code found by the tests? Mutants, and who survives.

    python -m benchmarks.bench_mutations survey WORK [off | on] [TEST ...]
    python -m benchmarks.bench_mutations try WORK FOLDER COUNT SEED [off | on | start]
    python -m benchmarks.bench_mutations figures WORK OUT SEED

`survey` copies the tree into the folder WORK and finds out which tests run which lines;
with tests, only those anew, after they were changed. `try` draws up to COUNT mutants of
one of `mutants.FOLDERS` and runs for each the tests that reach its line; a mutant that
is in WORK/mutants.jsonl already is not tried again, unless it survived and the tests
have changed since. `figures` writes rows for the page of figures.

A mutant that survives either changes nothing that anybody could see, and stands with
the reason in `docs/surviving_mutants.toml`; or a test is missing.
"""

import contextlib
import functools
import importlib
import json
import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from benchmarks import covering_tests, mutant_trials, mutants
from benchmarks.mutants import ROOT, Mutant

LIBRARIES = (
    "numpy numba mpmath pytest hypothesis hypothesis.extra.numpy sympy scipy.linalg"
)
DRAWN = 100  # mutants of a folder; the first of them are tried
QUICK, WHOLE = 8.0, 3.0  # seconds of tests for a mutant: in place; before it survives
EXPLAINED = ROOT / "docs" / "surviving_mutants.toml"


def load_libraries():
    """What is large and not ours, once for all forks."""
    for library in LIBRARIES.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(library)


def survey(work, *tests):
    """Which tests run which lines: `off` without kernels, `on` with them, or both."""
    asked = [word for word in tests if word in ("off", "on")] or ["off", "on"]
    tests = [word for word in tests if word not in asked]
    work = Path(work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    tree = work / "tree"
    ignored = shutil.ignore_patterns(".git", "__pycache__")
    if tests and tree.exists():  # the code stays as it was when mutants were drawn
        shutil.copytree(ROOT / "tests", tree / "tests", dirs_exist_ok=True)
    else:
        shutil.copytree(ROOT, tree, ignore=ignored, dirs_exist_ok=True)
    load_libraries()
    for kernels in asked:

        def action(kernels=kernels):
            mutant_trials.settle(tree, ROOT, kernels, work / "kernels")
            covering_tests.survey(work, kernels, tests, mutants.FOLDERS)

        log = work / f"survey-{kernels}-{os.getpid()}.txt"
        code = mutant_trials.fork(action, log, 3600)
        print(f"kernels {kernels}: {'done' if code == 0 else f'ended with {code}'}")


def attempt(work, folder, count, seed="18", *ways):
    """Draw mutants and try them, in all ways: in place with kernels "off" and "on", and
    the others from the "start"; or only in some ways."""
    ways = ways or ("off", "on", "start")
    work = Path(work).resolve()
    total, drawn = drawn_before(work, folder, int(count), int(seed))
    kept = explained()
    done = {m for m, row in rows_of(work).items() if row["noticed"] or why(row, kept)}
    todo = [mutant for mutant in drawn if mutant not in done]
    print(f"{folder}: {total} places, {len(drawn)} mutants, {len(todo)} to try")
    load_libraries()
    log = work / f"said-{os.getpid()}.txt"
    for kernels in [way for way in ways if way != "start"]:
        before = tried(work, kernels)
        left = [m for m in unnoticed(work, todo) if in_functions(m) and m not in before]
        action = functools.partial(in_place, work, left, kernels, log)
        mutant_trials.fork(action, work / f"tried-{os.getpid()}.txt", 4 * 3600)
    in_their_place = tried(work, "off", "on")
    for mutant in unnoticed(work, todo) if "start" in ways else ():
        if mutant in in_their_place:  # with all tests that reach it
            add(work, mutant, None, in_their_place[mutant], "last")
        else:
            add(work, mutant, *from_the_start(work, mutant, log), "last")


def in_functions(mutant):
    """Can it be tried in place? Not what is compiled at once, or fills the cache."""
    return not mutant.file.endswith(("vectormath.py", "kernel_store.py"))


def tried(work, *ways):
    """{mutant: how many tests looked at it}, those tried in one of these ways."""
    rows = [(mutant, row) for mutant, row in lines_of(work) if row["way"] in ways]
    return {mutant: row["tests"] for mutant, row in rows if row["tests"]}


def unnoticed(work, todo):
    """The mutants that no test has noticed so far."""
    rows = rows_of(work)
    return [one for one in todo if not rows.get(one, {"noticed": None})["noticed"]]


def in_place(work, todo, kernels, log):
    """Try mutants in one process, which is this one."""
    found = covering_tests.Covering(work, kernels)
    trials = [(one, found.tests(one.file, one.line, QUICK)) for one in todo]
    files = sorted({name.split("::")[0] for _, names in trials for name in names})
    mutant_trials.settle(work / "tree", ROOT, kernels, work / "kernels")
    report = functools.partial(add, work, way=kernels)
    plugin = mutant_trials.InPlace(work / "tree", trials, report, log)
    if files:
        mutant_trials.collected(plugin, files)


def drawn_before(work, folder, count, seed):
    """As `mutants.draw`, which takes a minute; kept for the next time."""
    path = work / f"drawn-{folder.replace('/', '-')}-{DRAWN}-{seed}.json"
    if not path.exists():
        path.write_text(json.dumps(mutants.draw(folder, DRAWN, seed)), "utf-8")
    total, drawn = json.loads(path.read_text("utf-8"))
    return total, [Mutant(*one) for one in drawn[:count]]


def from_the_start(work, mutant, log):
    """Try a mutant in processes of its own: who noticed it, how many tests were run."""
    count = 0
    for kernels in ("off", "on"):
        found = covering_tests.Covering(work, kernels)
        names = found.tests(mutant.file, mutant.line, WHOLE)
        count += len(names)
        if not names:
            continue
        with changed_tree(work, mutant) as (tree, cache):

            def action(tree=tree, cache=cache, kernels=kernels, names=names):
                mutant_trials.settle(tree, ROOT, kernels, cache)
                place = tree / mutant.file
                if place.is_relative_to(work):
                    text = mutant.apply(place.read_text("utf-8"))
                    mutant_trials.import_as(place, text)
                mutant_trials.from_the_start(names)

            code = mutant_trials.fork(action, log)
        if code:
            return mutant_trials.who(log, code), count
    return None, count


@contextlib.contextmanager
def changed_tree(work, mutant):
    """The tree and the cache of kernels for a mutant: copies, if it is one of the files
    that say what is in the cache; their text is read by other processes, too."""
    if mutants.folder_of(mutant.file) != "minigrad/engine/kernels":
        yield work / "tree", work / "kernels"
        return
    with tempfile.TemporaryDirectory() as scratch:
        tree, cache = Path(scratch) / "tree", Path(scratch) / "kernels"
        shutil.copytree(work / "tree", tree, copy_function=os.link)
        shutil.copytree(work / "kernels", cache, copy_function=os.link)
        place = tree / mutant.file
        changed = mutant.apply(place.read_text("utf-8"))
        place.unlink()  # it is the same file as in the whole tree
        place.write_text(changed, "utf-8")
        yield tree, cache


def explained():
    """The reasons of mutants that change nothing that can be seen, by their lines."""
    with open(EXPLAINED, "rb") as text:
        rows = tomllib.load(text).get("mutant", [])
    return {(row["file"], row["before"], row["after"]): row["why"] for row in rows}


def why(row, kept):
    """The reason why it may survive, or None."""
    return kept.get((row["file"], row["before"], row["after"]))


def is_there(row):
    """Is the line that was changed still in the file?"""
    file = ROOT / row["file"]
    return file.exists() and row["before"] in file.read_text("utf-8")


def lines_of(work):
    """All rows in the order in which they were written, with their mutants."""
    path = Path(work) / "mutants.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return [(Mutant(*(row[name] for name in Mutant._fields)), row) for row in rows]


def rows_of(work):
    """{mutant: its last row}."""
    return dict(lines_of(work))


def add(work, mutant, noticed, tests, way):
    """One more row; `noticed` by whom, None: by nobody; way "last": no test is left."""
    whole = (work / "tree" / mutant.file).read_text(encoding="utf-8")
    before, after = mutants.difference(whole, mutant.apply(whole))
    row = mutant._asdict() | {"before": before, "after": after}
    row |= {"noticed": noticed, "tests": tests, "way": way}
    with open(work / "mutants.jsonl", "a", encoding="utf-8") as rows:
        rows.write(json.dumps(row) + "\n")


def write_figures(work, out, seed="18"):
    """A row for each folder: how many mutants, and the share that survived without a
    reason. Of the others: killed now, at_first (before tests were added), explained, or
    rewritten, which are those whose line is no longer there."""
    sys.path.insert(0, str(ROOT / "tests"))
    proof_rows = importlib.import_module("proof_rows")
    found, kept, rows, every = {}, explained(), [], lines_of(work)
    survived = {
        mutant for mutant, row in every if row["way"] == "last" and not row["noticed"]
    }
    for mutant, row in dict(every).items():
        if (
            row["noticed"] or row["way"] == "last"
        ):  # the others are not tried to the end yet
            found.setdefault(mutants.folder_of(mutant.file), {})[mutant] = row
    for folder, mine in found.items():
        left = [row for row in mine.values() if not row["noticed"]]
        alone = [row for row in left if not why(row, kept)]
        open_ones = [row for row in alone if is_there(row)]
        share = len(open_ones) / len(mine)
        wrong = [f"{row['file']}:{row['line']}: {row['after']}" for row in open_ones]
        rows.append({
            "promise": "the tests", "what": f"mutants of {folder}", "tried": len(mine),
            "worst": share, "limit": 0.05, "unit": "survive",
            "wrong": wrong if share > 0.05 else [], "seed": int(seed),
            "at_first": len(mine) - len(survived & mine.keys()),
            "killed": len(mine) - len(left), "explained": len(left) - len(alone),
            "rewritten": len(alone) - len(open_ones),
            "seconds": 0, "test": f"benchmarks/bench_mutations.py::{folder}",
        })  # fmt: skip
    proof_rows.write(out, rows)


if __name__ == "__main__":
    words = {"survey": survey, "try": attempt, "figures": write_figures}
    words[sys.argv[1]](*sys.argv[2:])
