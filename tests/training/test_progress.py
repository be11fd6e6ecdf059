"""The progress bar: lines where there is no terminal, a bar where there is one."""

import io
from types import SimpleNamespace

from rich.console import Console

from minigrad.training import Progress


def report(batch, **more):
    known = {"epoch": 0, "epochs": 12, "batches": 4, "metrics": {}, "best": False}
    return SimpleNamespace(**known | {"loss": 0.5, "batch": batch, "clipped": 0} | more)


def shown(**options):
    said = io.StringIO()
    progress = Progress(Console(file=said, width=80, **options), {"f1": "{:.1%}"})
    for batch in range(1, 5):
        progress.on_batch(report(batch))
    progress.on_epoch(report(4, metrics={"f1": 0.25}, clipped=0.5, best=True))
    progress.close()
    return said.getvalue()


def test_no_terminal_gets_one_line_per_epoch():
    assert shown() == "epoch  1/12  loss 0.5000  f1 25.0%  clipped 50%  *\n"


def test_a_terminal_gets_a_bar_that_goes_away():
    said = shown(force_terminal=True, color_system=None)
    assert "loss 0.5000" in said.splitlines()[-1]
    assert "━" in said
    assert said.endswith("epoch  1/12  loss 0.5000  f1 25.0%  clipped 50%  *\n")


def test_batches_that_cannot_be_counted():
    said = io.StringIO()
    progress = Progress(Console(file=said, width=80, force_terminal=True))
    progress.on_batch(report(1, batches=None))
    progress.close()
    progress.close()
    assert "1/?" in said.getvalue()


def test_what_was_clipped_once_is_not_called_none():
    said = io.StringIO()
    progress = Progress(Console(file=said, width=80))
    progress.on_epoch(report(4, clipped=0.002))
    assert "clipped < 1%" in said.getvalue()
