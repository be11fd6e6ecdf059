"""Reads pairs of sentences, a source and its translation, and forms three parts.

Read next: `translation_search.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data.files import read_text
from minigrad.data.vocabulary import Vocabulary, tokenize
from minigrad.engine.errors import DataError

BEGIN, END = "<s>", "</s>"
LONGEST = 60  # words and marks; longer sentences are left out
LEAST = 40  # different sources, to make three parts
SEPARATORS = "\t", ";", "|", ","
# A first line of two such words is a header.
HEADS = set(
    "source target src tgt from to text translation original input output left right "
    "english german deutsch englisch french spanish italian portuguese dutch russian "
    "chinese japanese arabic hebrew hindi "
    "en de fr es it pt nl ru zh ja ar he hi".split()
)
# Scripts without blanks between words: each letter is a token.
_LETTER = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]"
_SINGLE = re.compile(_LETTER)
# Marks before which no blank stands, the full-width ones of Chinese included.
_CLOSE = set(".,!?;:)]}\u00bb\u2026%\u3002\uff0c\uff01\uff1f\u3001")


class Pairs(NamedTuple):
    """Sentences and their translations, and what was interpreted in reading them."""

    sources: list[str]
    targets: list[str]
    notes: list[str]


class Part(NamedTuple):
    """Pairs as numbers: source and target texts, and their tokens.

    references  all translations that a source has, each source once, in the order of
                `first`: the rows where sources occur first
    beam        how many sentences the search keeps for the figures
    """

    sources: list[str]
    targets: list[str]
    source_tokens: list[list[int]]
    target_tokens: list[list[int]]
    references: list[list[str]]
    first: np.ndarray
    beam: int


def source_words(text: str) -> list[str]:
    """The tokens of a source sentence, in lower case."""
    return _apart(tokenize(text))


def target_words(text: str) -> list[str]:
    """The tokens of a translation, with their capital letters."""
    return _apart(tokenize(text, lower=False))


def _apart(tokens: list[str]) -> list[str]:
    found = []
    for token in tokens:
        if _SINGLE.search(token):
            found += re.findall(rf"{_LETTER}|(?:(?!{_LETTER}).)+", token)
        else:
            found.append(token)
    return found


def joined(tokens: Sequence[str]) -> str:
    """The sentence of some tokens: no blank before marks, none between single letters.

    joined(["Wo", "ist", "es", "?"]) is "Wo ist es?"
    """
    text = ""
    for token in tokens:
        close = token in _CLOSE or text.endswith(("(", "[", "\u201e"))
        single = bool(_SINGLE.match(token) and text and _SINGLE.match(text[-1]))
        text += token if not text or close or single else f" {token}"
    return text


def read_pairs(path: str, encoding: str | None = None) -> Pairs:
    """The first two columns of a file: source, translation. A header may be there.

    Blank lines, the same pair again, and sentences of more than LONGEST words are left
    out, and the notes say how many.

    Errors:  DataError, with the line, for a line of one column, and an empty sentence.
    """
    text = read_text(path, encoding=encoding)
    lines = text.split("\n")
    separator = _separator(lines, path)
    sources: list[str] = []
    targets: list[str] = []
    notes = list(text.notes)
    seen: set[tuple[str, str]] = set()
    blank = again = 0
    long: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            blank += number < len(lines)
            continue
        source, target = _fields(line, separator, number, path)
        if not seen and {source.lower(), target.lower()} <= HEADS:
            notes.append(f"line {number} is a header")
            continue
        if (source, target) in seen:
            again += 1
            continue
        seen.add((source, target))
        if max(len(source_words(source)), len(target_words(target))) > LONGEST:
            long.append(number)
            continue
        sources.append(source)
        targets.append(target)
    notes += _left_out(blank, again, long)
    several = len(sources) - len(set(sources))
    if several:
        notes.append(
            f"{several:,} pairs translate a sentence that another pair translates "
            "otherwise: all of its translations are in one part, and each counts"
        )
    return Pairs(sources, targets, notes)


def _left_out(blank: int, again: int, long: list[int]) -> list[str]:
    notes = []
    if blank:
        notes.append(f"blank lines: {blank:,} left out")
    if again:
        notes.append(f"pairs that were there twice: {again:,} left out")
    if long:
        notes.append(
            f"sentences of more than {LONGEST} words: {len(long):,} left out (the "
            f"first is line {long[0]})"
        )
    return notes


def _separator(lines: list[str], path: str) -> str:
    """What stands between the two: a tab if there is any, else what each line has."""
    full = [line for line in lines if line.strip()][:200]
    for mark in SEPARATORS:
        if full and sum(mark in line for line in full) > 0.9 * len(full):
            return mark
    raise DataError(
        f"{path}: where are the two columns?",
        expect="a sentence, a tab, and its translation on each line",
        actual=repr(full[0][:60]) if full else "an empty file",
        hint="tabs are safest between sentences; semicolons and commas are read, too",
    )


def _fields(line: str, separator: str, number: int, path: str) -> tuple[str, str]:
    if separator != "\t" and '"' in line:
        import csv

        fields = next(csv.reader([line], delimiter=separator))
    else:
        fields = line.split(separator)
    if len(fields) < 2 or not fields[0].strip() or not fields[1].strip():
        raise DataError(
            f"{path}, line {number}: not a sentence and its translation",
            expect="two columns with text",
            actual=repr(line[:60]),
            hint="leave the line out, or fill in what is missing",
        )
    return fields[0].strip(), fields[1].strip()


def split_rows(sources: Sequence[str], path: str | None) -> list[np.ndarray]:
    """Row numbers of three parts (some 88, 4 and 8 %) that share no source sentence."""
    different = list(dict.fromkeys(sources))
    if len(different) < LEAST:
        other = len(sources) >= 2 * LEAST
        raise DataError(
            f"{path or 'the data'}: too few sentences to learn from",
            expect=f"{LEAST} different sources or more, to make three parts",
            actual=f"{len(different)} in {len(sources):,} pairs",
            hint="the first two columns are read: are they the sentence and its "
            "translation?"
            if other
            else "a longer file",
        )
    test = min(1000, max(10, len(different) // 8))
    validation = min(500, max(5, len(different) // 16))
    order = np.random.default_rng(0).permutation(len(different))
    place = {different[k]: j for j, k in enumerate(order)}
    at = np.array([place[source] for source in sources])
    held = at < test
    chosen = (at >= test) & (at < test + validation)
    return [np.flatnonzero(rows) for rows in (~held & ~chosen, chosen, held)]


def part_of(
    pairs: Pairs, rows: np.ndarray, source: Vocabulary, target: Vocabulary, beam: int
) -> Part:
    """Some rows as numbers; targets begin with BEGIN and end with END."""
    texts = [pairs.sources[k] for k in rows]
    said = [pairs.targets[k] for k in rows]
    references: dict[str, list[str]] = {}
    first = []
    for k, (text, translation) in enumerate(zip(texts, said, strict=True)):
        if text not in references:
            first.append(k)
        references.setdefault(text, []).append(translation)
    return Part(
        texts,
        said,
        [source.encode(source_words(text)) or [1] for text in texts],
        [target.encode([BEGIN, *target_words(t), END]) for t in said],
        list(references.values()),
        np.array(first),
        beam,
    )


def shipped() -> Pairs:
    """The package's own pairs."""
    own = mg.data.english_german()
    return Pairs(list(own.english), list(own.german), [])
