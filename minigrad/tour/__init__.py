"""The guided tour: trains three small networks and shows how they read a sentence.

`minigrad tour` calls `guide.tour`, which runs everything in order. `tour_training.py`
trains the networks, `tour_plots.py` draws, `tour_report.py` prints the results and
`tour_page.py` writes the page.

Read next: `guide.py`.
"""

from minigrad.tour.guide import tour

__all__ = ["tour"]
