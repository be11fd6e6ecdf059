"""Step by step: every operation forward, every contribution backward, as data.

`mg.steps(loss)` makes the events; front ends play them. Start with `events.py`.
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
