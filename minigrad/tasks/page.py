"""The page of a training: figures beside baselines, curves, examples. One file.

Read next: `minigrad/pages.py` (the shell of every page).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from minigrad.checkpoint import write_whole
from minigrad.pages import document, house_style
from minigrad.tasks.base import Prepared, Section, Table, Trained
from minigrad.tasks.folder import PAGE
from minigrad.words import clean, number

BLUE, ORANGE = "#0072B2", "#D55E00"  # Okabe & Ito: told apart by colour-blind readers


def write(folder: Path, trained: Trained, data: Prepared) -> Path:
    """Write the page of a trained task; returns its path."""
    sections = [
        Section(
            "How well",
            tables=[figures_table(trained)],
            lines=["On the held-out part, which training and tuning never saw."],
        ),
        Section("How it was learned", figures=[(curves(trained), _legend(trained))]),
        *trained.task.examples(trained, data),
        Section("The data", lines=data.lines),
        Section("The run", tables=[settings_table(trained)]),
    ]
    title = f"{trained.task.name}: {trained.task.help}"
    body = f"<h1>{escape(clean(title, 200))}</h1>\n" + "\n".join(map(html_of, sections))
    page = document(f"minigrad train {trained.task.name}", body, style=house_style())
    path = folder / PAGE
    write_whole(path, page.encode())
    return path


def figures_table(trained: Trained) -> Table:
    """The figures of the model and of the baselines, one row each."""
    names = list(next(iter(trained.figures.values())))
    rows = [
        [who, *(trained.task.shown(n, found.get(n, float("nan"))) for n in names)]
        for who, found in trained.figures.items()
    ]
    return Table("Held out", ["", *names], rows)


def settings_table(trained: Trained) -> Table:
    """The options of the run, and what it took."""
    rows: list[list[Any]] = [
        [key, "the package's own" if value is None else clean(value)]
        for key, value in vars(trained.settings).items()
    ]
    count = sum(p.size for p in trained.model.parameters())
    rows += [
        ["parameters", f"{count:,}"],
        ["epochs run", len(trained.history)],
        ["time", f"{trained.seconds:.0f} s"],
    ]
    return Table("Options", ["option", "value"], rows)


def curves(trained: Trained) -> Any:
    """Training loss and the monitored figure over the epochs, a matplotlib Figure."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    history, name = trained.history, trained.task.monitor
    epochs = [line["epoch"] + 1 for line in history]
    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [line["loss"] for line in history], "o-", color=BLUE, ms=3)
    left.set_title("training loss")
    measured = [line["metrics"][name] for line in history]
    right.plot(epochs, measured, "s-", color=ORANGE, ms=3)
    best = [k for k, line in enumerate(history) if line["best"]]
    if best:
        k = best[-1]
        right.plot(epochs[k], measured[k], "o", ms=11, mfc="none", mec="black")
    right.set_title(f"{name} on the validation part")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(True, alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _legend(trained: Trained) -> str:
    history = trained.history
    clipped = sum(line["clipped"] for line in history) / max(1, len(history))
    norms = [line["largest_norm"] for line in history]
    text = "The circle marks the epoch whose weights were kept."
    if clipped:
        text += (
            f" The gradient was clipped in {clipped:.0%} of the steps"
            f" (at {trained.settings.clip_norm:g}; the largest norm was"
            f" {number(max(norms))})."
        )
    return text


# ------------------------------------------------------------- text to HTML


def html_of(section: Section) -> str:
    """A section as HTML; all of its text is escaped here."""
    parts = [f"<h2>{escape(clean(section.title, 120))}</h2>"]
    parts += [f"<p>{escape(clean(line, 2000))}</p>" for line in section.lines]
    parts += [_table(table) for table in section.tables]
    parts += [_picture(figure, caption) for figure, caption in section.figures]
    return "\n".join(parts)


def _table(table: Table) -> str:
    def row(tag: str, cells: Sequence[Any]) -> str:
        inside = "".join(f"<{tag}>{escape(clean(c, 300))}</{tag}>" for c in cells)
        return f"<tr>{inside}</tr>"

    rows = row("th", table.header) + "".join(row("td", cells) for cells in table.rows)
    return f'<div class="scroll"><table>{rows}</table></div>'


def _picture(figure: Any, caption: str) -> str:
    return (
        f'<figure class="fit">{svg_of(figure)}'
        f"<figcaption>{escape(clean(caption, 600))}</figcaption></figure>"
    )


def svg_of(figure: Any) -> str:
    """A matplotlib figure as an image element; its text stays text of the picture."""
    import base64

    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "minigrad", "svg.fonttype": "path"}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    code = base64.b64encode(buffer.getvalue()).decode()
    return f'<img class="fit" src="data:image/svg+xml;base64,{code}" alt="">'


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
        for k, name in enumerate(table.header):
            grid.add_column(Text(clean(name)), justify="right" if k else "left")
        for cells in table.rows:
            grid.add_row(*(Text(clean(cell, 300)) for cell in cells))
        console.print(grid)
