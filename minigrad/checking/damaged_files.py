"""Files and names are harmless: damaged checkpoints, and labels made to break out.

Read next: `promises.py`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.checking.outcome import Effort, Outcome
from minigrad.engine.errors import CheckpointError

HOSTILE = (
    '"><script>alert(1)</script>',
    "</script><script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "]]><svg onload=alert(1)>",
    '", URL="http://example.org", x="',
    "\\N\\G\\E\\l\\r",
    "${alert(1)}`",
    "javascript:alert(1)",
    "a\x00b\x1b[31m\u202etxt",
    "x" * 3000,
    "';--",
    "&lt;b&gt; &#60;",
)


def checkpoints(effort: Effort) -> Outcome:
    """A checkpoint with bytes changed, cut or added loads, or is a CheckpointError."""
    outcome = Outcome("files", "damaged checkpoints")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.safetensors"
        mg.save(path, mg.nn.Linear(3, 2, rng=0), metadata={"epoch": "3"})
        whole = path.read_bytes()
        for number in effort.rounds(50):
            rng = np.random.default_rng((effort.seed, number))
            path.write_bytes(_damaged(rng, whole))
            try:
                mg.load(path)
            except CheckpointError:
                outcome.expect(True, "")
            except Exception as error:
                outcome.expect(False, f"seed {number}: {type(error).__name__}: {error}")
            else:
                outcome.expect(True, "")
    return outcome


def _damaged(rng: np.random.Generator, whole: bytes) -> bytes:
    changed = bytearray(whole)
    kind = rng.integers(4)
    if kind == 0:
        return bytes(changed[: rng.integers(len(changed))])
    if kind == 1:
        place = int(rng.integers(len(changed)))
        return bytes(
            changed[:place] + rng.bytes(int(rng.integers(1, 9))) + changed[place:]
        )
    for _ in range(int(rng.integers(1, 6))):
        limit = len(changed) if kind == 2 else min(len(changed), 200)
        changed[int(rng.integers(limit))] = int(rng.integers(256))
    return bytes(changed)


def hostile_names(effort: Effort) -> Outcome:
    """Names of tensors and words that try to be markup: shown as text."""
    outcome = Outcome("files", "hostile names in DOT and pages")
    for number in effort.rounds(len(HOSTILE)):
        name = HOSTILE[number % len(HOSTILE)] * (1 + number // len(HOSTILE) % 3)
        x = mg.tensor(np.ones(2), requires_grad=True, name=name)
        with mg.scope(name):
            loss = (x * 2.0).sum()
        for form, text in (("dot", mg.draw(loss).dot), ("page", mg.steps(loss).html())):
            outcome.expect(_harmless(form, text), f"{form}: {name[:40]!r}")
        if number > 200:
            break
    return outcome


def _harmless(form: str, text: str) -> bool:
    """No markup of the name survives; no control characters."""
    lowered = text.lower()
    bad = ["<script>alert", "<img src=x", "<svg onload", "\x00", "\x1b"]
    if form == "dot":
        bad = ['url="http', "href="]
    return not any(piece in lowered for piece in bad)
