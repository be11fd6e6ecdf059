"""Repeats the papers' experiments with long time lags, by their own rules.

    from minigrad import lab

    results = lab.repeat("adding", cells=["lstm"], lags=[100], seeds=3, folder="book")

`minigrad lab` does the same. A task makes sequences, and says when it counts as solved
(`long_lag_task.py`; `summed_pairs.py` and the files after it have the papers' rules).
`lab_nets.py` has the nets, `lab_run.py` trains one of them, `lab_book.py` runs many and
keeps what was found, `lab_page.py` shows it beside `published_figures.py`.

Read next: `long_lag_task.py`.
"""

from minigrad.lab.lab_book import TASKS, lab_task, repeat
from minigrad.lab.lab_nets import CELLS
from minigrad.lab.long_lag_task import LongLagTask, Sequences

__all__ = ["CELLS", "TASKS", "LongLagTask", "Sequences", "lab_task", "repeat"]
