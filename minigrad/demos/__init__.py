"""Functions to explore with sliders, and the pages that are made of them.

    mg.explore(gradient_by_distance, cell=["rnn", "lstm"], T=[5, 20, 50])

`gradient_demo.py` measures how far back a gradient reaches, `memory_demo.py` holds one
bit, `cliff_demo.py` descends a loss with a wall, `gates_demo.py` changes a sentence
that a trained network reads. `demo_pages.py` has the pages of `minigrad explore`.

Read next: `gradient_demo.py`.
"""

from minigrad.demos.cliff_demo import descent_at_the_cliff
from minigrad.demos.demo_pages import DEMOS, demo
from minigrad.demos.gradient_demo import gradient_by_distance
from minigrad.demos.memory_demo import one_bit

__all__ = ["DEMOS", "demo", "descent_at_the_cliff", "gradient_by_distance", "one_bit"]
