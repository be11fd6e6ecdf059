"""One training step of a recurrent layer, side by side with other libraries'.

`same_step.py` says what is timed, `rivals_numpy.py`, `rivals_torch.py` and
`rivals_traced.py` do the same with other tools, `side_by_side.py` lets all take turns
and `growth.py` looks at longer and longer sequences. `speed_report.py` shows the result
and `bench_process.py` runs it all in a process with so many threads.

Read next: `same_step.py`.
"""

from minigrad.comparing.side_by_side import Case, compare

__all__ = ["Case", "compare"]
