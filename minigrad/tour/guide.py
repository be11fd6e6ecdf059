"""The tour, from the sentence to the page: `minigrad tour`, or `tour` from Python.

    tour("The plot is thin, but the actors are wonderful", "my-tour")

Read next: `tour_training.py`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from minigrad import tasks
from minigrad.engine.errors import CheckpointError
from minigrad.pages.output_files import make_folder
from minigrad.tasks.sentence_reading import Reading, read, words_of
from minigrad.tasks.task import Trained
from minigrad.tasks.task_folder import RUN, folder_of
from minigrad.tour import tour_page, tour_plots, tour_report, tour_training
from minigrad.trial import gate_verdicts, review_corpus
from minigrad.trial.review_corpus import Corpus


def tour(
    sentence: str,
    folder: str | os.PathLike[str] = "minigrad-tour",
    *,
    seed: int = 0,
    use_saved: bool = False,
    console: Console | None = None,
) -> Path:
    """Train three small networks, read a sentence with them, and look inside.

    sentence  what is read, a word per time step
    folder    where pictures and the page go; made if need be
    seed      of the training
    use_saved  the LSTM is the one that `minigrad train sentiment` saved, if there is
              one; else all three are trained now, and the tour says the same whatever
              was trained before
    console   where progress is printed; None: the terminal

    Returns the path of the page. Raises DataError for a sentence that it cannot read,
    CheckpointError for a folder that cannot be made.
    """
    console = console or Console()
    words = words_of(sentence)  # before anything slow: it may be wrong
    folder = Path(folder)
    make_folder(folder, hint="choose another with -o FOLDER")
    saved = saved_lstm(console) if use_saved else None
    corpus = review_corpus.corpus(saved.reading["words"] if saved else None)
    console.print(
        f"[bold]minigrad tour[/]: {len(corpus.train):,} sentences of film reviews "
        f"to learn from, {len(corpus.held_out):,} held out"
    )
    corpus.vocabulary.encode(words, need_known=True)
    readers = _trained(console, corpus, seed, saved)
    accuracies = {k: tour_training.accuracy(r, corpus) for k, r in readers.items()}
    tour_report.show_accuracies(console, accuracies, corpus)

    readings = _readings(readers, corpus, words)
    fresh = _readings(_untrained(corpus, seed, saved), corpus, words)
    lstm = readings["lstm"]
    tour_report.show_gates(console, lstm)
    verdicts = gate_verdicts.judged(readers["lstm"], corpus, lstm)
    reach = gate_verdicts.reach_of_first(readings, fresh)
    reach += tour_report.findings_of(readings, fresh)
    tour_report.show_verdicts(console, verdicts, reach)

    tour_plots.graph(folder, lstm)
    tour_plots.reach(folder, readings, fresh)
    tour_plots.gates(folder, lstm)
    path = tour_page.write(
        folder, sentence, accuracies, corpus, lstm, verdicts, reach, saved=bool(saved)
    )
    console.print(
        f"\nEverything, with pictures: [bold]{path}[/]", highlight=False, soft_wrap=True
    )
    return path


def saved_lstm(console: Console) -> Trained | None:
    """The finished LSTM of `minigrad train sentiment`, or None."""
    if not (folder_of("sentiment") / RUN).exists():
        return None
    why = "it is not a finished LSTM trained on the film reviews"
    try:
        saved = tasks.load("sentiment")
        if saved.model.kind == "lstm" and saved.figures and not saved.settings.data:
            return saved
    except CheckpointError as error:
        why = error.what
    console.print(f"[dim]the saved sentiment model is not used: {escape(why)}[/]")
    return None


def _trained(
    console: Console, corpus: Corpus, seed: int, saved: Trained | None
) -> dict[str, Any]:
    """The three readers; the LSTM is the saved one where there is one."""
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

            def tick(
                loss: float, task: Any = task, smooth: list[float] = smooth
            ) -> None:
                smooth[0] += 0.05 * (loss - smooth[0])
                progress.update(task, advance=1, loss=smooth[0])

            readers[kind] = tour_training.train(kind, corpus, tick, seed)
    taken = "; the LSTM is the model saved by minigrad train sentiment" if saved else ""
    console.print(f"trained in {time.perf_counter() - started:.0f} s{taken}")
    return readers


def _untrained(corpus: Corpus, seed: int, saved: Trained | None) -> dict[str, Any]:
    """The same three before any training, to compare with."""
    size = len(corpus.vocabulary)
    readers = {
        k: tour_training.reader(k, size, seed).eval() for k in tour_training.CELLS
    }
    if saved:
        readers["lstm"] = saved.task.build(saved.config, seed, 0).eval()
    return readers


def _readings(
    readers: dict[str, Any], corpus: Corpus, words: list[str]
) -> dict[str, Reading]:
    """What each network does with the sentence."""
    return {k: read(r, corpus.vocabulary, words) for k, r in readers.items()}
