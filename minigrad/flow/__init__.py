"""Where the gradient goes: what every tool sums up, kept apart and measured.

uses.py         where a parameter is used: which node, at which time step
given.py        what a ledger is given, checked
ledgers.py      `mg.ledger`: a gradient itemised by loss and by step of use
local.py        one step's graph, alone, for one sample of the batch
states.py       what a loop's states are to a Jacobian
products.py     `mg.jacobian_products`: ds_k/ds_{k-1}, their products and bounds
paths.py        the path along one state alone, and the others
scaled.py       products that neither overflow nor vanish
loops.py        the loops of any graph: their states, gates and order
observe.py      a look at every loop, at the price of a backward pass or less
verdicts.py     what was seen, in words
diagnosis.py    `mg.diagnose`: all of this for a network of one's own
monitoring.py, log.py   `mg.Monitor`: the same during training
figures.py      the style of plots: logarithms that hide nothing
plots.py        norms by distance, singular values, paths, ledgers, gates
cliff.py        a loss surface with a cliff, with and without clipping
terminal.py     the same as tables
sections.py, page.py, command.py   pages, and `minigrad flow`

Start with `uses.py`.
"""

from minigrad.flow.diagnosis import Diagnosis, diagnose
from minigrad.flow.ledgers import Ledger, ledger
from minigrad.flow.monitoring import FlowWarning, Monitor
from minigrad.flow.paths import Paths
from minigrad.flow.products import JacobianProducts, jacobian_products

__all__ = [
    "Diagnosis",
    "FlowWarning",
    "JacobianProducts",
    "Ledger",
    "Monitor",
    "Paths",
    "diagnose",
    "jacobian_products",
    "ledger",
]
