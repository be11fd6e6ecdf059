"""Runs a learner's file and tries its functions: the child process of a check.

    python -m minigrad.lessons.exercises.answer_program FILE LESSON SEED TOLD

What is found is written to TOLD as JSON; the parent reads it.

Read next: `minigrad/demos/` (functions to explore with sliders).
"""

from __future__ import annotations

import json
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

from minigrad.lessons.exercises.checking_answers import of_lesson


def main(file: str, lesson: int, seed: int, told: str) -> None:
    """Run the file, try each function, write down what is wrong."""
    sys.path.insert(0, str(Path(file).parent))
    found: dict[str, Any]
    try:
        made = runpy.run_path(file, run_name="__main__")
    except BaseException as error:  # an exit, too: the file has to run to its end
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == file]
        line = getattr(error, "lineno", None) if not lines else lines[-1]
        at = f"line {line}: " if line else ""
        said = str(error).split("\n")[0]
        found = {"error": f"{at}{type(error).__name__}: {said}"}
    else:
        found = {"faults": {}}
        for one in of_lesson(lesson):
            answer = made.get(one.function)
            fault = "" if answer is None else one.fault(answer, seed)
            found["faults"][one.function] = [fault, answer is None]
    Path(told).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
