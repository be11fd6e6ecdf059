"""What makes a value of a field of a table: numbers, texts, dates.

Each takes the text of a field and returns its value, or says no by raising ValueError
with what is wrong. `read_table` first brings decimal commas and other spellings of
numbers and dates to one form (`number_spelling.py`, `date_spelling.py`).

Read next: `number_spelling.py`.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from unicodedata import category

from minigrad.data.vocabulary import tokenize

LONGEST = 1000  # words of a text that is trained on as a whole
# Fields that stand for "no value", in lower case: of R, pandas, Excel, databases.
MISSING = frozenset(
    "na n/a n.a. #n/a <na> nan nat null \\n none nil missing - -- --- ? . * m "
    "#div/0! #value! #ref! #name? #null! #num! \N{EN DASH} \N{EM DASH}".split()
) | {""}


def is_missing(field: str) -> bool:
    """Does the field stand for "no value": empty, NA, null, #N/A ...?"""
    return field.strip().lower() in MISSING


class Named(float):
    """A number for which a word stood, such as 1 for "positive"."""


class NumberField:
    """Makes a finite number of a field; ValueError says what is wrong.

    name   what it is, for messages
    gaps   is a field that stands for "no value" read as NaN, or refused?
    words  words that stand for a number, in lower case
    """

    def __init__(
        self, name: str, gaps: bool = False, words: Mapping[str, float] | None = None
    ) -> None:
        self.__name__, self.gaps, self.words = name, gaps, words or {}

    def __call__(self, field: str) -> float:
        word = field.strip().lower()
        if word in self.words:
            return Named(self.words[word])
        if is_missing(field):
            if self.gaps:
                return math.nan
            what = repr(field.strip()) if word else "the empty field"
            raise ValueError(
                f"{what} means that a value is missing: fill gaps first, or leave out "
                "the row"
            )
        number = _number(field)
        if not math.isfinite(number):
            raise ValueError("a number has an end: was something divided by zero?")
        return number


finite = NumberField("a finite number")
finite_or_gap = NumberField("a finite number, or nothing", gaps=True)


def _number(field: str) -> float:
    try:
        return float(field.replace("_", "?"))  # 1_0 is ten to Python alone
    except ValueError:
        raise ValueError(_not_a_number(field.strip())) from None


def _not_a_number(field: str) -> str:
    """What is wrong with a field that is no number."""
    figures = sum(c.isdigit() for c in field)
    if len(field.split()) > 3:
        return "this is a text: are two columns exchanged?"
    if not figures:
        return "a number is written like 12.5; an empty field means no value"
    if any(category(c) == "Sc" for c in field):
        return "the number alone, without the currency: 12.5"
    if "/" in field:
        return f"the number alone, {field.split('/')[0].strip()}"
    if "," in field:
        return "a number is written like 12.5, with a point"
    if any(c.isalpha() or c in "%\N{DEGREE SIGN}<>~" for c in field):
        return "the number alone, without a unit or a mark: 12.5"
    return "a number is written like 12.5"


def some_text(field: str) -> str:
    """Text that is not blank; ValueError otherwise."""
    if not field.strip():
        raise ValueError("a row without text says nothing: leave it out")
    return field


def sentence(field: str) -> str:
    """Text of at most LONGEST words and marks; ValueError for more, or none.

    All of it is read, and its steps are kept until the gradient has gone back.
    """
    count = len(tokenize(some_text(field)))
    if count > LONGEST:
        raise ValueError(f"it has {count:,} words and marks: cut it")
    return field


def day(field: str) -> datetime.date:
    """A date, written 2024-05-31 or 2024/05/31; ValueError otherwise."""
    try:
        return datetime.date.fromisoformat(field.strip().replace("/", "-"))
    except ValueError:
        raise ValueError(_not_a_date(field.strip())) from None


def _not_a_date(field: str) -> str:
    """What is wrong with a field that is no date."""
    usual = "a date is written 2024-05-31"
    if re.fullmatch(r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}", field):
        return "there is no such day"
    if re.fullmatch(r"[0-9]{9,10}|[0-9]{12,13}", field):
        return f"this looks like seconds or milliseconds since 1970; {usual}"
    if re.fullmatch(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2}", field):
        return f"a year has four figures: {usual}"
    if re.fullmatch(r"[0-9]{4}[-/ ]?([0-9]{1,2}|Q[1-4])", field, re.I):
        return f"write the first day of each month or quarter; {usual}"
    return usual


some_text.__name__, day.__name__ = "text", "a date"
sentence.__name__ = f"text of at most {LONGEST:,} words"


def makes_numbers(convert: object) -> bool:
    """Are the fields of this column numbers?"""
    return isinstance(convert, NumberField) or convert in (float, int)


def makes_dates(convert: object) -> bool:
    """Are the fields of this column dates?"""
    return convert is day
