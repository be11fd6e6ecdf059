"""Records every operation of the forward and the backward pass, and plays them.

`mg.steps(loss)` (`stepper.py`) makes a `Steps` (`recorded_steps.py`). `record/` turns
the graph into events, operations and values, and those into JSON and back; `play/`
shows events one at a time: on a page, in the terminal, as pictures.

Read next: `stepper.py`.
"""

from minigrad.stepping.record.events import (
    Array,
    Carried,
    Contribution,
    Event,
    Forward,
    Gradient,
    Incoming,
    Operation,
    Stacked,
    Value,
)
from minigrad.stepping.recorded_steps import Steps
from minigrad.stepping.stepper import steps

__all__ = [
    "Array",
    "Carried",
    "Contribution",
    "Event",
    "Forward",
    "Gradient",
    "Incoming",
    "Operation",
    "Stacked",
    "Steps",
    "Value",
    "steps",
]
