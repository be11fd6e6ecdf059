"""The progress bar of a training run, as a callback.

Read next: `randomness.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.calls import checked_call, checked_methods


@checked_methods
class Progress:
    """A bar for the epoch that runs, and a line for each that ended.

    console  a rich Console; None is standard error
    units    how metrics are shown: {"rmse": "{:.2f} °C"}

    Where the output is no terminal only the lines are written.
    """

    @checked_call
    def __init__(
        self, console: Any = None, units: dict[str, str] | None = None
    ) -> None:
        from rich.console import Console

        self.console = console or Console(stderr=True)
        self.units = units or {}
        self._bar: Any = None
        self._task: Any = None
        self._smooth: float | None = None

    def on_batch(self, report: Any) -> None:
        """One more batch: move the bar."""
        loss = float(report.loss)
        old = loss if self._smooth is None else self._smooth
        self._smooth = old + 0.05 * (loss - old)
        if not self.console.is_terminal:
            return
        if self._bar is None:
            self._start(report)
        self._bar.update(self._task, completed=report.batch, loss=self._smooth)

    def on_epoch(self, report: Any) -> None:
        """The epoch's line, in place of its bar."""
        self.close()
        parts = [f"epoch {report.epoch + 1:>2}/{report.epochs}"]
        parts += [f"loss {report.loss:.4f}"]
        for name, value in report.metrics.items():
            told = "validation loss" if name == "loss" else name  # beside the other
            parts.append(f"{told} {self.units.get(name, '{:.4f}').format(value)}")
        if report.clipped:
            share = f"{report.clipped:.0%}" if report.clipped >= 0.01 else "< 1%"
            parts.append(f"clipped {share}")
        self.console.print(
            "  ".join(parts) + ("  *" if report.best else ""),
            highlight=False,
            markup=False,
        )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self, report: Any) -> None:
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=30),
            progress.MofNCompleteColumn(),
            progress.TextColumn("loss {task.fields[loss]:.4f}"),
            progress.TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        words = f"epoch {report.epoch + 1:>2}/{report.epochs}"
        self._task = self._bar.add_task(words, total=report.batches, loss=self._smooth)
        self._bar.start()
