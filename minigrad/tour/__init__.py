"""The guided tour: three small networks learn, read a sentence, and are looked at.

`minigrad tour` is `guide.tour`, the order of it all. `tour_training.py` trains the
networks, `tour_plots.py` draws, `tour_report.py` and `tour_page.py` show what came out.

Read next: `guide.py`.
"""

from minigrad.tour.guide import tour

__all__ = ["tour"]
