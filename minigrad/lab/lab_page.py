"""The lab book: what was found beside what was published, as a page and in words.

Read next: `minigrad/tour/` (three small networks, looked at).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.lab.lab_book import Book
from minigrad.lab.lab_nets import CELLS
from minigrad.lab.long_lag_task import LongLagTask
from minigrad.lab.published_figures import PUBLISHED
from minigrad.pages.page import document, house_style
from minigrad.pages.plots import BLUE, GREEN, ORANGE, PURPLE, blank_figure, plain_axes
from minigrad.tasks.task import Section, Table
from minigrad.tasks.task_page import STYLE, html_of
from minigrad.training.checkpoint import write_whole

Result = dict[str, Any]
COLOURS = (
    *(BLUE, ORANGE, GREEN, PURPLE),
    *("#E69F00", "#56B4E9", "#333333", "#999999", "#8C510A"),
)


def sections(book: Book) -> list[Section]:
    """The lab book in parts: results, the papers, curves, why, the rules."""
    parts = [Section("Results", _outcome(book), [_results(book)])]
    published = PUBLISHED.get(book.task.name, ())
    if published:
        rows = [list(row) for row in published]
        table = Table("", ["net", "lag", "result", "source"], rows)
        parts.append(Section("What the papers published", tables=[table]))
    if book.results:
        parts.append(_curves(book))
        parts.append(_why(book))
    parts.append(_rules(book.task))
    return parts


def groups(results: Sequence[Result]) -> dict[tuple[str, int], list[Result]]:
    """The results by cell and lag."""
    found: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        setting = result["setting"]
        found.setdefault((setting["cell"], setting["lag"]), []).append(result)
    return found


def _outcome(book: Book) -> list[str]:
    lines = []
    for (cell, lag), runs in groups(book.results).items():
        ended = [run for run in runs if run["finished"] or run["solved_at"] is not None]
        solved = sorted(r["solved_at"] for r in ended if r["solved_at"] is not None)
        where = f" at lag {lag}" if lag else ""
        if not ended:
            continue
        line = f"{cell}{where}: {len(solved)} of {len(ended)} seeds solved it"
        if solved:
            what = "stretches" if book.task.carry else "sequences"
            line += f", after {spread_of(solved)} {what}"
        lines.append(line + ".")
    paused = [r for r in book.results if not r["finished"]]
    if paused:
        lines.append(
            f"{_runs(len(paused))} not at the end when the time was over. The same "
            "command goes on from there."
        )
    if book.left_out:
        names = ", ".join(f"{s.cell} seed {s.seed}" for s in book.left_out[:12])
        more = ", ..." * (len(book.left_out) > 12)
        lines.append(f"{_runs(len(book.left_out))} not begun: {names}{more}.")
    return lines


def spread_of(counts: Sequence[int]) -> str:
    """A number, or the least, the largest and the median of several in a row."""
    if len(counts) == 1:
        return f"{counts[0]:,}"
    middle = int(np.median(counts))
    return f"{counts[0]:,} to {counts[-1]:,} (median {middle:,})"


def _runs(count: int) -> str:
    return "One run was" if count == 1 else f"{count} runs were"


def _results(book: Book) -> Table:
    if book.task.carry:
        return _streams(book)
    rows = []
    for result in book.results:
        setting, test = result["setting"], result["test"]
        rows.append(
            [
                setting["cell"],
                setting["lag"] or "-",
                setting["seed"],
                f"{result['weights']:,}",
                _when(result),
                f"{test['wrong']:.0f} of {test['of']:,}",
                f"{test['loss']:.2g}",
            ]
        )
    constant = {r["setting"]["lag"] for r in book.results}
    for lag in sorted(constant):
        value = f"{book.task.baseline(lag):.2g}"
        rows.append(["a constant answer", lag or "-", "", "", "", "", value])
    header = ["cell", "lag", "seed", "weights", "sequences", "test: wrong", "loss"]
    return Table(f"The loss is the {book.task.units}, on new sequences", header, rows)


def _streams(book: Book) -> Table:
    rows = []
    for result in book.results:
        setting, test = result["setting"], result["test"]
        rows.append(
            [
                setting["cell"],
                setting["seed"],
                f"{result['weights']:,}",
                _when(result),
                f"{test['perfect']:.0f} of {test['of']:.0f}",
                f"{test['symbols']:,.0f}",
                f"{test['read']:,}",
                f"{test['state early']:,.0f} to {test['state at the end']:,.0f}",
            ]
        )
    header = [
        *("cell", "seed", "weights", "stretches", "perfect", "first mistake"),
        *("read", "state"),
    ]
    title = (
        "Ten new streams; symbols until the first mistake; the state: its mean size at "
        "symbol 100 and at the last"
    )
    return Table(title, header, rows)


def _when(result: Result) -> str:
    if result["solved_at"] is not None:
        return f"{result['solved_at']:,}"
    if result["finished"]:
        return f"not within {result['sequences']:,}"
    return f"stopped at {result['sequences']:,}"


def _curves(book: Book) -> Section:
    title = "Learning curves"
    if not any(result["curve"] for result in book.results):
        return Section(title, ["No run has come to its first test yet."])
    figure = blank_figure(6.6, 3.6)
    axes = plain_axes(figure)
    names = list(dict.fromkeys(r["setting"]["cell"] for r in book.results))
    for result in book.results:
        cell = result["setting"]["cell"]
        curve = np.array(result["curve"] or [[0, np.nan]])
        first = result is next(r for r in book.results if r["setting"]["cell"] == cell)
        axes.plot(
            *curve.T,
            color=COLOURS[list(CELLS).index(cell) % len(COLOURS)],
            linewidth=1.1,
            label=cell if first else None,
        )
        if result["solved_at"] is not None:
            at = result["solved_at"]
            axes.plot(
                *(at, np.interp(at, *curve.T)),
                "o",
                color=COLOURS[list(CELLS).index(cell) % len(COLOURS)],
                ms=4,
            )
    for lag in sorted({r["setting"]["lag"] for r in book.results}):
        axes.axhline(book.task.baseline(lag), color="#666666", linestyle=":")
    axes.set_yscale("log")
    axes.set_xlabel("training sequences")
    axes.set_ylabel(book.task.units)
    if names:
        axes.legend(frameon=False, ncols=2)
    caption = (
        "One line per run. A dot: there the criterion was met. Dotted: the best "
        "constant answer."
    )
    return Section(title, figures=[(figure, caption)])


def _why(book: Book) -> Section:
    before, after = [], []
    for (cell, lag), runs in groups(book.results).items():
        name = f"{cell}, lag {lag}" if lag else cell
        solved = sum(run["solved_at"] is not None for run in runs)
        learned = f"{solved} of {len(runs)}"
        before.append([name, *_evidence(runs, "at_start"), learned])
        after.append([name, *_evidence(runs, "at_end"), learned])
    header = ["cell", "gradient", "ledger", "chance", "gate", "learned"]
    lines = [
        "The gradient is that of the last error for the state after "
        "the first step, divided by that for the state at the end: what is left of the "
        "error when it has gone all the way back. Geometric mean over the runs.",
        "The ledger says which share of the gradient of W_x comes from the first tenth "
        "of the steps. The chance is the one that mg.diagnose gives for this lag, "
        "d.chance(lag): whether what lies that far back can be learned as the net "
        "stands. It knows nothing of the task itself.",
        "The gate is the one that keeps, f of an LSTM and z of a GRU: its mean over "
        "all units, steps and runs. Learned: the runs that met the criterion.",
    ]
    tables = [
        Table("Before any training", header, before),
        Table("At the end", header, after),
    ]
    return Section("Why", lines, tables)


def _evidence(runs: Sequence[Result], when: str) -> list[str]:
    """The figures of `evidence`, means over the runs."""
    return [
        _mean(runs, when, "back", "{:.1e}"),
        _mean(runs, when, "early", "{:.1%}"),
        _mean(runs, when, "chance", "{:.2f}"),
        _mean(runs, when, "keeps", "{:.3f}"),
    ]


def _mean(runs: Sequence[Result], when: str, name: str, form: str) -> str:
    values = [run[when][name] for run in runs if name in run[when]]
    if not values:
        return "-"
    if name == "back" and not all(values):
        return "0"
    if name == "back":
        return form.format(float(np.exp(np.mean(np.log(values)))))
    return form.format(float(np.mean(values)))


def _rules(task: LongLagTask) -> Section:
    lines = [f"Source: {task.source}.", *task.rules]
    lines += [f"Different here: {text}" for text in task.deviations]
    return Section("The rules", lines)


def write_page(book: Book, found: Sequence[Section]) -> Path:
    """Write the sections as the page of the folder; returns its path."""
    title = f"The lab book: {book.task.help}"
    body = f"<h1>{escape(title)}</h1>\n" + "\n".join(map(html_of, found))
    page = document(f"minigrad lab {book.task.name}", body, style=house_style() + STYLE)
    path = book.folder / "index.html"
    write_whole(path, page.encode())
    return path
