"""Runs a learner's file and tries its functions: the child process of a check.

    python -m minigrad.lessons.exercises.answer_program FILE LESSON SEED TOLD

What is found is written to TOLD as JSON, function by function, so that what was found
counts even if a later function never ends; the parent reads it. Of what the file
prints, the first 10,000 characters are shown.

Read next: `minigrad/demos/` (functions to explore with sliders).
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

from minigrad.lessons.exercises.checking_answers import of_lesson

LONGEST = 10_000  # characters that a file may print


class _Shortened:
    """A stream that shows only the beginning of what is written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._room = stream, LONGEST

    def write(self, text: str) -> int:
        if self._room > 0:
            self._stream.write(text[: self._room])
            if len(text) > self._room:
                self._stream.write("\n... (the rest of what it prints is left out)\n")
        self._room -= len(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main(file: str, lesson: int, seed: int, told: str) -> None:
    """Run the file, try each function, write down what is wrong."""
    sys.path.insert(0, str(Path(file).parent))
    sys.stdout, sys.stderr = _Shortened(sys.stdout), _Shortened(sys.stderr)
    try:
        made = runpy.run_path(file, run_name="__main__")
    except BaseException as error:  # an exit, too: the file has to run to its end
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == file]
        line = getattr(error, "lineno", None) if not lines else lines[-1]
        at = f"line {line}: " if line else ""
        said = str(error).split("\n")[0]
        _tell(told, {"error": f"{at}{type(error).__name__}: {said}"})
        return
    faults: dict[str, Any] = {}
    for one in of_lesson(lesson):
        _tell(told, {"faults": faults, "trying": one.function})
        answer = made.get(one.function)
        try:
            fault = "" if answer is None else one.fault(answer, seed)
        except BaseException as error:  # an exit, say
            fault = f"it ends the program ({type(error).__name__})"
        faults[one.function] = [fault, answer is None]
    _tell(told, {"faults": faults})


def _tell(told: str, found: dict[str, Any]) -> None:
    """Write down what was found so far: whole, or not at all."""
    beside = Path(f"{told}.new")
    beside.write_text(json.dumps(found), encoding="utf-8")
    os.replace(beside, told)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
