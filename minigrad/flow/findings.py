"""What a finding is: one thing that was seen in a network, with its figures and cure.

    for finding in mg.diagnose(loss).findings:
        print(finding.severity, finding.code, finding, finding.remedy)

The codes, and what each of them means, are in `CODES`. A finding above a note is a
warning: `d.warnings`.

Read next: `chance.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SEVERITIES = ("error", "warning", "note")
TOO_SMALL = 1e-6  # of the nearest gradient: what `reach` counts

# Code: (what it means, the lesson that explains it or None).
CODES: dict[str, tuple[str, int | None]] = {
    "not-finite": ("a NaN or an infinity arose", 5),
    "cut": ("no gradient goes from one step to the one before", 3),
    "gradient-not-cleared": ("the gradients of the batch before were kept", 2),
    "no-update": ("parameters do not change from batch to batch", 1),
    "no-loop": ("the loss has no loop over time", 3),
    "carried-state": ("the graph grows from batch to batch", 11),
    "unused-state": ("the loss does not depend on the state", 10),
    "input-scale": ("inputs or targets are far from unit scale", 13),
    "exploding": ("the gradient grows with distance", 5),
    "vanishing": ("what lies far back is unlikely to be learned", 7),
    "saturated": ("units work at their ends, where hardly any gradient passes", 6),
    "dead-units": ("units never change", 4),
    "symmetric": ("units are copies of each other", 4),
    "unused-parameter": ("the loss does not depend on a parameter", 2),
    "clipping": ("most batches are clipped", 5),
    "update-too-large": ("each step changes the weights by a large part", 5),
    "update-too-small": ("each step hardly changes the weights", 1),
    "no-learning": ("the loss stays where a constant answer would be", 7),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was seen.

    code      one of `CODES`: "vanishing"
    severity  "error": it cannot work like this; "warning": it is likely to harm;
              "note": good to know
    text      what was seen, with its number
    loop      the loop it is about; "" if it is about the whole network
    where     time step, scope and the user's line, as far as there are any; else ""
    evidence  the figures behind it, by name
    remedy    what to do next, in minigrad's own names
    lesson    the number of the lesson that explains it, or None
    """

    code: str
    severity: str
    text: str
    loop: str = ""
    where: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    remedy: str = ""

    @property
    def lesson(self) -> int | None:
        """The number of the lesson that explains it, or None."""
        return CODES[self.code][1]

    @property
    def kind(self) -> str:
        """The code; of a cut in a part of the state with that part: "cut h"."""
        part = self.evidence.get("part")
        return f"{self.code} {part}" if part else self.code

    def __str__(self) -> str:
        return f"{self.loop}: {self.text}" if self.loop else self.text


def warnings_among(findings: Iterable[Finding]) -> list[Finding]:
    """The findings above a note."""
    return [found for found in findings if found.severity != "note"]


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then warnings, then notes; otherwise in the order of `CODES`."""
    codes = list(CODES)
    return sorted(
        findings, key=lambda f: (SEVERITIES.index(f.severity), codes.index(f.code))
    )


def reach(norms: np.ndarray) -> int:
    """The largest distance whose norm is at least 1e-6 of the norm at distance 0."""
    if not len(norms) or not norms[0] > 0:
        return 0
    with np.errstate(invalid="ignore"):
        heard = np.flatnonzero(norms >= TOO_SMALL * norms[0])
    return int(heard[-1]) if len(heard) else 0


def steps(count: int) -> str:
    """A number of steps in words: "1 step", "20 steps"."""
    return "1 step" if count == 1 else f"{count} steps"


def some(items: Iterable[object], most: int = 6) -> str:
    """The first few of some names or numbers: "0, 1, 2, ..."."""
    listed = [str(item) for item in items]
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
