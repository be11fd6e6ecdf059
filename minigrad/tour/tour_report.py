"""Prints the tour's results in the terminal: accuracies, gates by word, verdicts.

Read next: `tour_page.py`.
"""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import minigrad as mg
from minigrad.tasks.sentence_reading import Reading
from minigrad.trial.gate_verdicts import Verdict
from minigrad.trial.review_corpus import Corpus


def show_accuracies(console: Any, accuracies: dict[str, float], corpus: Corpus) -> None:
    """The share of held-out sentences that each network gets right."""
    table = Table("held-out accuracy", f"of {len(corpus.held_out):,}", title="How well")
    for kind, value in accuracies.items():
        table.add_row(kind.upper(), f"{value:.1%}")
    table.add_row("always the more frequent answer", f"{corpus.majority:.1%}")
    console.print(table)


def show_gates(console: Any, reading: Reading) -> None:
    """The means of the gates and states after each word."""
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


def findings_of(readings: dict[str, Reading], fresh: dict[str, Reading]) -> list[str]:
    """What `mg.diagnose` says of each network and this sentence: the chance that the
    first word is learned, before training and after it, and what it warns of."""
    lines = []
    for kind, reading in readings.items():
        far = len(reading.words) - 1
        if far < 1:
            continue
        after = mg.diagnose(reading.logits[-1], lag=far)
        before = mg.diagnose(fresh[kind].logits[-1], lag=far)
        lines.append(
            f"{kind.upper()}: the chance that the first word, {far} steps back, is "
            f"learned was {before.chance(far):.0%} before training, and is "
            f"{after.chance(far):.0%} after it"
        )
        lines += [f"{kind.upper()}, {one.code}: {one.text}" for one in after.warnings]
    return lines


def show_verdicts(console: Any, verdicts: list[Verdict], reach: list[str]) -> None:
    """Print which of the textbooks' stories hold, and how far back gradients reach."""
    console.print("\n[bold]What the gates really do[/]")
    for verdict in verdicts:
        mark = "[green]holds[/]" if verdict.holds else "[yellow]does not hold[/]"
        console.print(f"  {mark}: {escape(verdict.claim)}", highlight=False)
        measured = Padding(escape(verdict.measured), (0, 0, 0, 6))
        console.print(measured, highlight=False)
    console.print("\n[bold]How far back the gradient reaches[/]")
    for line in reach:
        console.print(f"  {line}", highlight=False)
