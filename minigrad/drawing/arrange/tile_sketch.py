"""The data about a tile that go to `dot`, and the layout that comes back.

    Sketch, Ports --(tile_plan.py)--> Plan
    Plan --(tile_layout.py)--> DOT --(dot_output.py)--> Laid

Read next: `tile_plan.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minigrad.drawing.arrange.geometry import Curve, Point


@dataclass(frozen=True)
class Sketch:
    """What `dot` is told of a tile. Boxes are numbered; all fields are hashable.

    sizes     (width, height) of each box
    clusters  the path of clusters of each box: tuples of titles
    lines     (tail, head) of each line inside
    states    what the row's states are: tiles of rows with other states are not alike
    """

    sizes: tuple[tuple[float, float], ...]
    clusters: tuple[tuple[str, ...], ...]
    lines: tuple[tuple[int, int], ...]
    flow: str = "BT"
    states: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Variant:
    """One of the ways in which a tile is tried; the best is kept (`tile_score.py`).

    free     gates on the way of a state are no clusters for dot, which then keeps the
             order of that way; their frames are drawn around their boxes afterwards:
             0 none, 1 those with an end of a long way, 2 those on a belt too
    turned   the boxes are given to dot in reverse order
    """

    free: int
    turned: bool


@dataclass
class Ports:
    """Where lines enter and leave: the union over all tiles that are alike."""

    # (targets of one value)
    inputs: dict[tuple[int, ...], None] = field(default_factory=dict)
    outputs: dict[int, None] = field(default_factory=dict)  # source
    state_in: dict[int, tuple[int, ...]] = field(default_factory=dict)  # -> targets
    state_out: dict[int, int] = field(default_factory=dict)  # state -> source


@dataclass
class Laid:
    """A tile laid out; (0, 0) is its lower left corner."""

    width: float = 0.0
    height: float = 0.0
    boxes: dict[int, Point] = field(default_factory=dict)
    clusters: dict[tuple[str, ...], tuple[float, float, float, float]] = field(
        default_factory=dict
    )
    lines: dict[int, Curve] = field(default_factory=dict)
    ports: dict[tuple[Any, ...], Point] = field(default_factory=dict)
    # (port, box) -> curve
    branches: dict[tuple[Any, ...], Curve] = field(default_factory=dict)
