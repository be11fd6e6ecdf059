"""`minigrad tour`: learn, read, measure, draw; all of it into one folder."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

SENTENCE = "I loved the movie, but the ending was disappointing"
HELP = "train three small networks, read a sentence with them, and look inside"
EXAMPLE = 'minigrad tour "The plot is thin, but the actors are wonderful"'


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands."""
    parser.add_argument("sentence", nargs="?", default=SENTENCE, help="what to read")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("minigrad-tour"),
        help="folder to write",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the training")


def run(options: argparse.Namespace) -> None:
    """The tour, in order. Raises MinigradError for a sentence it cannot read."""
    from rich.console import Console

    from minigrad.tour import tour_page, tour_training
    from minigrad.training.checkpoint import make_folder
    from minigrad.trial import gate_verdicts, sentence_reading

    console = Console()
    words = sentence_reading.words_of(
        options.sentence
    )  # before anything slow: it may be wrong
    folder = options.output
    make_folder(folder, hint="choose another with -o FOLDER")
    saved = saved_lstm(console)
    corpus = tour_training.corpus(saved.reading["words"] if saved else None)
    console.print(
        f"[bold]minigrad tour[/]: {len(corpus.train):,} sentences of film reviews "
        f"to learn from, {len(corpus.held_out):,} held out"
    )
    corpus.vocabulary.encode(words, need_known=True)
    readers = _train(console, corpus, options.seed, saved)
    accuracies = {k: tour_training.accuracy(r, corpus) for k, r in readers.items()}
    _show_accuracies(console, accuracies, corpus)

    def read(reader: Any) -> Any:
        return sentence_reading.read(reader, corpus.vocabulary, words)

    size = len(corpus.vocabulary)
    readings = {k: read(r) for k, r in readers.items()}
    untrained = {k: tour_training.reader(k, size, options.seed).eval() for k in readers}
    if saved:
        untrained["lstm"] = saved.task.build(saved.config, options.seed, 0).eval()
    fresh = {k: read(r) for k, r in untrained.items()}
    lstm = readings["lstm"]
    _show_gates(console, lstm)
    found = gate_verdicts.judged(readers["lstm"], corpus, lstm)
    reach = gate_verdicts.reach_of_first(readings, fresh)
    _show_verdicts(console, found, reach)

    _draw(folder, lstm, readings, fresh)
    path = tour_page.write(
        folder,
        options.sentence,
        accuracies,
        corpus.majority,
        len(corpus.held_out),
        lstm,
        found,
        reach,
        saved=bool(saved),
    )
    console.print(
        f"\nEverything, with pictures: [bold]{path}[/]", highlight=False, soft_wrap=True
    )


def saved_lstm(console: Any) -> Any:
    """The finished LSTM of `minigrad train sentiment`, if there is one to be used."""
    from rich.markup import escape

    from minigrad.engine.errors import CheckpointError
    from minigrad.tasks import load
    from minigrad.tasks.task_folder import RUN, folder_of

    if not (folder_of("sentiment") / RUN).exists():
        return None
    why = "it is not a finished LSTM trained on the film reviews"
    try:
        saved = load("sentiment")
        if saved.model.kind == "lstm" and saved.figures and not saved.settings.data:
            return saved
    except CheckpointError as error:
        why = error.what
    console.print(f"[dim]the saved sentiment model is not used: {escape(why)}[/]")
    return None


def _train(console: Any, corpus: Any, seed: int, saved: Any) -> dict[str, Any]:
    """The three readers; the LSTM is the saved one where there is one."""
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from minigrad.tour import tour_training

    columns = (
        TextColumn("{task.description:<5}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    readers = {}
    started = time.perf_counter()
    with Progress(*columns, console=console) as progress:
        for kind in tour_training.CELLS:
            if saved and kind == "lstm":
                readers[kind] = saved.model
                continue
            total = tour_training.batches_per_run(corpus)
            task = progress.add_task(kind.upper(), total=total, loss=0.0)
            smooth = [0.9]

            def tick(loss: float, task: Any = task, smooth: list = smooth) -> None:
                smooth[0] += 0.05 * (loss - smooth[0])
                progress.update(task, advance=1, loss=smooth[0])

            readers[kind] = tour_training.train(kind, corpus, tick, seed)
    taken = "; the LSTM is the one that minigrad train sentiment saved" if saved else ""
    console.print(f"trained in {time.perf_counter() - started:.0f} s{taken}")
    return readers


def _show_accuracies(console: Any, accuracies: dict[str, float], corpus: Any) -> None:
    from rich.table import Table

    table = Table("held-out accuracy", f"of {len(corpus.held_out):,}", title="How well")
    for kind, value in accuracies.items():
        table.add_row(kind.upper(), f"{value:.1%}")
    table.add_row("always the more frequent answer", f"{corpus.majority:.1%}")
    console.print(table)


def _show_gates(console: Any, reading: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="The LSTM, word by word (means over its units)")
    for name in ("word", "forget", "input", "output", "memory", "sentiment"):
        table.add_column(name, justify="left" if name == "word" else "right")
    for t, word in enumerate(reading.words):
        style = "" if reading.known[t] else "italic"  # not in the vocabulary
        values = [f"{reading.gates[k][t]:.2f}" for k in "fioc"]
        feeling = reading.sentiment[t]
        mark = "+" if feeling > 0.6 else "-" if feeling < 0.4 else " "
        table.add_row(Text(word, style=style), *values, f"{feeling:.2f} {mark}")
    console.print(table)


def _show_verdicts(console: Any, verdicts: list, reach: list[str]) -> None:
    from rich.markup import escape
    from rich.padding import Padding

    console.print("\n[bold]What the gates really do[/]")
    for verdict in verdicts:
        mark = "[green]holds[/]" if verdict.holds else "[yellow]does not hold[/]"
        console.print(f"  {mark}: {escape(verdict.claim)}", highlight=False)
        measured = Padding(escape(verdict.measured), (0, 0, 0, 6))
        console.print(measured, highlight=False)
    console.print("\n[bold]How far back the gradient reaches[/]")
    for line in reach:
        console.print(f"  {line}", highlight=False)


def picture(reading: Any, engine: str | None = None) -> Any:
    """The graph of a reading: a step per word, a box per gate with its mean value."""
    from minigrad.drawing import draw

    return draw(
        reading.trace.output,
        level="gate",
        values="mean",
        words=reading.words,
        max_steps=12,
        title="The LSTM, word by word",
        engine=engine,
    )


def _draw(folder: Path, lstm: Any, readings: dict, fresh: dict) -> None:
    from minigrad.tour import tour_plots

    graph = picture(lstm)
    for ending in ("dot", "svg", "png", "html"):
        graph.save(folder / f"graph.{ending}")
    tour_plots.reach(folder, readings, fresh)
    tour_plots.gates(folder, lstm)
