"""Writes the page of a training, one file: figures, baselines, curves and examples.

Read next: `terminal_training.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from minigrad.pages.page import document, house_style, picture
from minigrad.pages.plots import BLUE, ORANGE, blank_figure, plain_axes, svg
from minigrad.reading.text import clean, number
from minigrad.tasks.task import MODEL, Prepared, Section, Table, Trained
from minigrad.tasks.task_folder import PAGE
from minigrad.training.checkpoint import write_whole

STYLE = """
td:not(:first-child), td.short { white-space: nowrap; }
td.text:not(:first-child) { white-space: normal; text-align: left; }
th.text { text-align: left; }
tr.own td { font-weight: 600; }
p.caption { margin: .8rem 0 .2rem; color: var(--soft); }
.side { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1rem; }
.side figure { margin: 0; max-width: 100%; }
.side figcaption { width: 0; min-width: 100%; box-sizing: border-box; }
"""


def write(folder: Path, trained: Trained, data: Prepared) -> Path:
    """Write the page of a trained task; returns its path."""
    sections = [
        Section(
            "Results",
            tables=[figures_table(trained)],
            lines=[
                "Measured on the held-out part, never used in training or tuning.",
                *data.cautions,
            ],
        ),
        curves(trained),
        *trained.task.examples(trained, data),
        Section("The data", lines=data.lines),
        Section("The run", tables=[settings_table(trained)]),
    ]
    title = f"{trained.task.name}: {trained.task.help}"
    body = f"<h1>{escape(clean(title, 200))}</h1>\n" + "\n".join(map(html_of, sections))
    page = document(
        f"minigrad train {trained.task.name}", body, style=house_style() + STYLE
    )
    path = folder / PAGE
    write_whole(path, page.encode())
    return path


def write_answer(path: Path, trained: Trained, answer: Sequence[Section]) -> None:
    """Write an answer of `predict` as a page. CheckpointError if that fails."""
    name = trained.task.name
    body = f"<h1>{escape(name)}</h1>\n" + "\n".join(map(html_of, answer))
    page = document(f"minigrad predict {name}", body, style=house_style() + STYLE)
    write_whole(path, page.encode())


def figures_table(trained: Trained) -> Table:
    """The figures of the model and of the baselines, one row each."""
    task, names = trained.task, list(next(iter(trained.figures.values())))
    rows = [
        [who, *(task.shown(n, found.get(n, float("nan"))) for n in names)]
        for who, found in trained.figures.items()
    ]
    return Table("Held out", ["", *map(task.label, names)], rows)


def settings_table(trained: Trained) -> Table:
    """The options of the run, and how long it took."""
    rows: list[list[Any]] = []
    for key, value in vars(trained.settings).items():
        unsaid = "the package's own" if key == "data" else "as the file shows"
        rows.append([key, unsaid if value is None else clean(value)])
    count = sum(p.size for p in trained.model.parameters())
    rows += [
        ["parameters", f"{count:,}"],
        ["epochs run", len(trained.history)],
        ["time", f"{trained.seconds:.0f} s"],
    ]
    return Table("Options", ["option", "value"], rows)


def curves(trained: Trained) -> Section:
    """Training loss and the monitored figure over the epochs."""
    history, task = trained.history, trained.task
    name = task.monitor
    epochs = [line["epoch"] + 1 for line in history]
    lost, left = _axes("training loss", len(history))
    left.plot(epochs, [line["loss"] for line in history], "o-", color=BLUE, ms=3)
    unit = task.units.get(name, "").partition("}")[2]  # "{:.2f} °C": " °C"
    measured, right = _axes(
        f"{task.label(name)}{unit and ' in' + unit} on the validation part",
        len(history),
    )
    values = [line["metrics"][name] for line in history]
    right.plot(epochs, values, "s-", color=ORANGE, ms=3)
    best = [k for k, line in enumerate(history) if line["best"]]
    if best:
        k = best[-1]
        right.plot(epochs[k], values[k], "o", ms=11, mfc="none", mec="black")
    return Section(
        "Training",
        figures=[
            (lost, f"{task.learned} {_clipping(trained)}".strip()),
            (measured, "The circle marks the epoch whose weights were kept."),
        ],
    )


def _axes(title: str, epochs: int) -> tuple[Any, Any]:
    from matplotlib.ticker import MaxNLocator

    figure = blank_figure(4.7, 3.1)
    axes = plain_axes(figure)
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if epochs == 1:  # one point: the axis would show parts of an epoch
        axes.set_xticks([1])
    return figure, axes


def _clipping(trained: Trained) -> str:
    history, bound = trained.history, trained.settings.clip_norm
    clipped = sum(line["clipped"] for line in history) / max(1, len(history))
    largest = number(max(line["largest_norm"] for line in history))
    if not bound:
        return f"The gradient was not clipped; its largest norm was {largest}."
    if not clipped:
        return (
            f"No gradient was clipped: the largest norm, {largest}, is below {bound:g}."
        )
    share = f"{clipped:.0%}" if clipped >= 0.01 else "less than 1%"
    return (
        f"Gradients were clipped to norm {bound:g} in {share} of the steps; the "
        f"largest norm was {largest}."
    )


# ------------------------------------------------------------- text to HTML


def html_of(section: Section) -> str:
    """A section as HTML; all of its text is escaped here."""
    parts = [f"<h2>{escape(clean(section.title, 120))}</h2>"]
    parts += [f"<p>{escape(clean(line, 2000))}</p>" for line in section.lines]
    parts += [_table(table) for table in section.tables]
    pictures = [_picture(figure, caption) for figure, caption in section.figures]
    parts += [f'<div class="side">{"".join(pictures)}</div>'] if pictures else []
    return "\n".join(parts)


def _table(table: Table) -> str:
    columns = zip(*table.rows, strict=True)
    texts = {k for k, cells in enumerate(columns) if k and _is_text(cells)}

    def row(tag: str, cells: Sequence[Any], kind: str = "") -> str:
        inside = "".join(
            f"<{tag}{_width(c, k in texts)}>{escape(clean(c, 300))}</{tag}>"
            for k, c in enumerate(cells)
        )
        return f"<tr{kind}>{inside}</tr>"

    rows = [row("th", table.header)]
    rows += [
        row("td", cells, ' class="own"' if cells[0] == MODEL else "")
        for cells in table.rows
    ]
    title = escape(clean(table.title, 120))
    # Not a caption element: where the table is scrolled, the words would be cut.
    caption = f'<p class="caption">{title}</p>' if title else ""
    named = f' aria-label="{title}"' if title else ""
    inside = f"<table{named}>{''.join(rows)}</table>"
    return f'{caption}<div class="scroll">{inside}</div>'


def _is_text(cells: Sequence[Any]) -> bool:
    """Is it a column of sentences or words: long, or letters without any digit?"""
    words = [str(cell) for cell in cells]
    letters = "".join(words)
    named = any(map(str.isalpha, letters)) and not any(map(str.isdigit, letters))
    return named or max(map(len, words)) > 25


def _width(cell: Any, text: bool) -> str:
    """A short cell keeps to one line; a column of text is read as text."""
    if text:
        return ' class="text"'
    return ' class="short"' if _size(cell) <= 12 else ""


def _size(cell: Any) -> int:
    return len(str(cell))


def _picture(figure: Any, caption: str) -> str:
    text = clean(caption, 600)
    return (
        f'<figure class="fit">{picture(svg(figure), "svg", text)}'
        f"<figcaption>{escape(text)}</figcaption></figure>"
    )


# ------------------------------------------------------------- text to the terminal


def show(console: Any, section: Section) -> None:
    """A section on a rich console."""
    from rich.table import Table as Grid
    from rich.text import Text

    if section.title:
        console.print(Text(clean(section.title, 120), style="bold"))
    for line in section.lines:
        console.print(clean(line, 2000), markup=False, highlight=False)
    for table in section.tables:
        grid = Grid(title=Text(clean(table.title, 120)), title_justify="left")
        # A short first column keeps its words whole; the headers of others can wrap.
        short = all(len(clean(row[0], 300)) <= 16 for row in table.rows)
        for k, name in enumerate(table.header):
            grid.add_column(
                Text(clean(name)),
                justify="right" if k else "left",
                no_wrap=short and k == 0,
            )
        for cells in table.rows:
            grid.add_row(*(Text(clean(cell, 300)) for cell in cells))
        console.print(grid)
