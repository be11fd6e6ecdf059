"""The result of arranging: the place of everything, in points, y upwards.

Read next: `geometry.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from minigrad.drawing.arrange.geometry import Curve, Point

Rect = tuple[float, float, float, float]  # x0, y0, x1, y1


@dataclass
class Layout:
    """Where everything is, in points."""

    boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    tiles: dict[str, Rect] = field(default_factory=dict)
    clusters: dict[tuple[str, tuple[str, ...]], Rect] = field(default_factory=dict)
    lines: dict[str, Curve] = field(default_factory=dict)
    labels: dict[str, Point] = field(default_factory=dict)  # line -> where its label is
    branches: set[str] = field(default_factory=set)  # side ways of a value: drawn thin
    titles: dict[object, Point] = field(default_factory=dict)  # see `titles.py`
    rows: dict[str, Rect] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0
