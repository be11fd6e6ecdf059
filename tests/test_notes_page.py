"""The page about the notes names lessons, tasks and experiments that there are."""

import re
from pathlib import Path

from minigrad import lab, models, tasks
from minigrad.lessons import lessons

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "notes.rst").read_text(encoding="utf-8")


def test_its_lessons_commands_and_models_exist():
    numbers = {one.number for one in lessons()}
    named = re.findall(r"lessons? ((?:\d+(?:, | and | to )?)+)", TEXT)
    found = {int(n) for words in named for n in re.findall(r"\d+", words)}
    assert found <= numbers and {4, 6, 10, 12, 15, 16} <= found
    trained = set(re.findall(r"minigrad train ([a-z-]+)", TEXT))
    assert trained == set(tasks.TASKS) - {"next-character"}
    assert set(re.findall(r"minigrad lab ([a-z0-9-]+)", TEXT)) <= set(lab.TASKS)
    for name in re.findall(r"``models\.(\w+)``", TEXT):
        assert hasattr(models, name)


def test_the_claims_of_the_notes_are_all_there():
    plain = " ".join(TEXT.split())
    for claim in (
        "color of the sky", "early days of deep", "Bob is a nice person", "navy",
        "[2 4 6] * [0 2 0] = [0 8 0]", "the ending was disappointing", "Major Tom",
        "The weather is", "The quick brown", "Ram, who", "0.2 over 50", "Clipping",
        "Peepholes", "Coupled", "Stock prices", "Sales", "Translation", "Autotagging",
        "u = u - lr * dL/du", "pad_sequences",
    ):  # fmt: skip
        assert claim in plain, claim
    verdicts = re.findall(r"^      - (True|Not so|As a picture)", TEXT, re.M)
    assert len(verdicts) > 20 and verdicts.count("Not so") >= 3
