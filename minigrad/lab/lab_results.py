"""What a run is told by and what is kept of it: settings, and results as JSON files.

Read next: `lab_run.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.training.checkpoint import write_whole

FORM = 1  # of the files: another number is another form


class Setting(NamedTuple):
    """All that says what a run is: the same setting gives the same run.

    most  training sequences until it gives up
    """

    task: str
    cell: str
    lag: int
    seed: int
    hidden: int
    lr: float
    batch: int
    start: str
    most: int

    @property
    def name(self) -> str:
        """The name of its files."""
        sizes = f"h{self.hidden}-b{self.batch}-lr{self.lr:g}-{self.start}-{self.most}"
        return f"{self.task}-{self.cell}-{self.lag}-seed{self.seed}-{sizes}"


def write_result(folder: Path, setting: Setting, found: dict[str, Any]) -> None:
    """Keep what a run found so far."""
    kept = {"form": FORM, "setting": setting._asdict(), **found}
    text = json.dumps(kept, indent=1)
    write_whole(folder / f"{setting.name}.json", text.encode())


def read_result(folder: Path, setting: Setting) -> dict[str, Any] | None:
    """What an earlier run of this setting found; None if there is none to be read."""
    try:
        text = (folder / f"{setting.name}.json").read_text(encoding="utf-8")
        found = json.loads(text)
        same = found["form"] == FORM and found["setting"] == setting._asdict()
        return found if same and isinstance(found["finished"], bool) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def told(result: dict[str, Any]) -> str:
    """One run in words."""
    setting = result["setting"]
    lag = f", lag {setting['lag']}" if setting["lag"] else ""
    what = f"{setting['cell']}{lag}, seed {setting['seed']}"
    test = result["test"]
    if result["solved_at"] is not None:
        end = f"solved after {result['solved_at']:,} sequences"
    elif result["finished"]:
        end = f"not solved within {result['sequences']:,} sequences"
    else:
        end = f"stopped after {result['sequences']:,} sequences, not at its end"
    if "perfect" in test:
        end += f"; {test['perfect']} of {test['of']} streams without a mistake"
    return f"{what}: {end} ({result['seconds']:.0f} s)"
