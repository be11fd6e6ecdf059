"""Where the columns of a table are: its separator, its header, and who is called what.

Which columns are wanted is known, and that decides: the separator is the one with which
a line names all of them. (Sniffers look for regular patterns instead. On 52 awkward
tables `csv.Sniffer` found the separator of 40, clevercsv of 42, this all 52.)

Read next: `fields.py` (what makes a value of a field).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from minigrad.engine.errors import DataError

SEPARATORS = {
    ",": "commas between the fields",
    ";": "semicolons between the fields",
    "\t": "tabs between the fields",
    "|": "vertical bars between the fields",
    " ": "blanks between the fields",
}
DEEPEST = 60  # lines that may stand before the header: a station's name, comments
_SEP_LINE = re.compile(r'"?sep=(\\t|.)"?[;,|\s]*', re.IGNORECASE)  # Excel reads it
_UNIT = re.compile(r"[(\[][^)\]]*[)\]]\s*$")  # "Temp Max (C)"
# Other words for the columns that the tasks have, to say which one may be meant.
ALSO = {
    "text": "review sentence comment content body description summary message tweet "
    "title question post",
    "rating": "sentiment label stars star score polarity grade note target class",
    "tags": "tag labels label categories category keywords topics genres",
    "date": "day time timestamp datetime datum fecha",
    "temp_max": "tmax maxtemp hightemp tempmax txk temperaturemax maxtemperature high",
    "temp_min": "tmin mintemp lowtemp tempmin tnk temperaturemin mintemperature low",
    "precipitation": "prcp precip rain rainfall rsk rr prec precipitationsum",
    "wind": "wspd awnd windspeed fm wnd windspeedmean",
}


class Layout(NamedTuple):
    """How a table is written.

    separator  between its fields
    quoted     does a quotation mark enclose a field? (In tab-separated text it is an
               ordinary character, unless the header is in quotation marks too.)
    header     the number of the header's line, from 0
    names      the columns, as the header writes them
    places     the number of each wanted column
    notes      what is not as the file's ending says, in words
    """

    separator: str
    quoted: bool
    header: int
    names: list[str]
    places: dict[str, int]
    notes: tuple[str, ...] = ()


def find_layout(
    text: str,
    wanted: Mapping[str, object],
    usual: str | None,
    source: str,
    blanks: bool = False,
) -> Layout:
    """The layout of a table with the wanted columns.

    usual   the separator that the file's ending speaks of; None: it does not say
    blanks  may blanks separate the fields? Not if a field may be a text

    Errors:  DataError with the line if no line names all wanted columns, or one names a
             column twice.
    """
    lines = text.split("\n", DEEPEST)[:DEEPEST]
    said = _SEP_LINE.fullmatch(lines[0])
    separators = [*dict.fromkeys([usual or ",", *SEPARATORS])]
    separators.remove(" ")
    if said:
        separators = [said.group(1).replace("\\t", "\t")]
        lines[0] = ""
    if blanks:
        separators.append(" ")
    best: Layout | None = None
    for number, line in enumerate(lines):
        if line.count('"') % 2:  # a name in quotation marks goes on in the next lines
            line = "\n".join(lines[number : number + 5])
        for found in _readings(line, number, separators, wanted, source):
            if best is None or len(found.places) > len(best.places):
                best = found
        if best is not None and len(best.places) == len(wanted):
            return best._replace(notes=_notes(best, usual, bool(said), wanted))
    raise _missing(best, wanted, lines, source)


def _readings(
    line: str,
    number: int,
    separators: Sequence[str],
    wanted: Collection[str],
    source: str,
) -> Iterator[Layout]:
    """A line read as a header with each separator."""
    for separator in separators:
        if separator not in line and len(wanted) > 1:
            continue
        for quoted in (False, True) if separator == "\t" else (True,):
            names = _cells(line, separator, quoted)
            places = _places(names, wanted, f"{source}, line {number + 1}")
            yield Layout(separator, quoted, number, names, places)


def _cells(line: str, separator: str, quoted: bool) -> list[str]:
    """The fields of one line, or of several that belong together."""
    import csv  # not needed to import minigrad: read when a table is

    if separator == " ":
        return line.split()
    rows = csv.reader(
        [part + "\n" for part in line.split("\n")],
        delimiter=separator,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    try:
        return next(rows, [])
    except csv.Error:  # a field beyond the limit
        return []


def plain_name(name: str) -> str:
    """A column's name without what may vary: " Temp-Max" -> "tempmax"."""
    name = unicodedata.normalize("NFKC", name).strip("\ufeff").casefold()
    return re.sub(r"[\s_.\-]+", "", name)


def _places(names: list[str], wanted: Collection[str], where: str) -> dict[str, int]:
    """The number of each wanted column; those that are not there are left out."""
    ways = (
        names,
        [plain_name(name) for name in names],
        [plain_name(_UNIT.sub("", name.strip())) for name in names],
    )
    places = {}
    for column in wanted:
        for way, name in zip(ways, (column, *[plain_name(column)] * 2), strict=True):
            if way.count(name) == 1:
                places[column] = way.index(name)
            if name in way:
                break
    twice = [
        column
        for column in wanted
        if column not in places and plain_name(column) in ways[2]
    ]
    if twice:
        raise DataError(
            f"{where}: two columns are called {twice[0]!r}",
            expect="each column once",
            actual=", ".join(names)[:80],
            hint="rename one of them",
        )
    return places


def _notes(
    found: Layout, usual: str | None, said: bool, wanted: Collection[str]
) -> tuple[str, ...]:
    notes = []
    if found.separator != usual:
        unusual = f"{found.separator!r} between the fields"
        notes.append(SEPARATORS.get(found.separator, unusual))
        notes[-1] += " (its first line says so)" * said
    if found.quoted and found.separator == "\t":
        notes.append("fields in quotation marks")
    before = found.header - said
    if before:
        notes.append(f"the header in line {found.header + 1}")
    names = [
        f"{found.names[place].strip()!r} as {column}"
        for column, place in found.places.items()
        if found.names[place] != column
    ]
    if names:
        notes.append(f"the columns {', '.join(names)}")
    return tuple(notes)


# ------------------------------------------------------------- why there is none


def _missing(
    best: Layout | None, wanted: Collection[str], lines: list[str], source: str
) -> DataError:
    """The error for a table without one of its columns."""
    if best is None or not best.places:
        best = _first_line(lines, wanted)
    missing = [column for column in wanted if column not in best.places]
    return DataError(
        f"{source}, line {best.header + 1}: column {missing[0]!r} is missing",
        expect=f"a header with {', '.join(wanted)}",
        actual=", ".join(best.names)[:80] or "an empty line",
        hint=_hint(best, missing, wanted, lines),
    )


def _first_line(lines: list[str], wanted: Collection[str]) -> Layout:
    """The first line that is not blank, cut where the most fields arise."""
    number = next((k for k, line in enumerate(lines) if line.strip()), 0)
    line = lines[number] if lines else ""
    cells, separator = max(
        ((_cells(line, separator, True), separator) for separator in ",;\t|"),
        key=lambda pair: len(pair[0]),
    )
    return Layout(separator, True, number, cells, {})


def _hint(
    found: Layout, missing: list[str], wanted: Collection[str], lines: list[str]
) -> str:
    """What to do about missing columns."""
    line = lines[found.header].strip() if lines else ""
    if re.match(r"<(!doctype|html|\?xml)", line, re.IGNORECASE):
        return "this is a web page, not the table: download the file itself"
    if line[:1] in ("{", "["):
        return "this is JSON: write it as CSV, with a line that names the columns"
    free = [
        name for k, name in enumerate(found.names) if k not in found.places.values()
    ]
    plain = [plain_name(name) for name in free]
    if "date" in missing and {"year", "month", "day"} <= set(plain):
        return "join year, month and day into one column date, written 2024-05-31"
    near = {column: _near(column, free) for column in missing}
    renamed = [
        f"{name.strip()!r} to {column!r}" for column, name in near.items() if name
    ]
    if renamed:
        return f"if these are meant, rename {', '.join(renamed)} in that line"
    if not found.places and any(_is_value(name) for name in found.names):
        example = found.separator.join(wanted)
        return (
            "the first line has values: write one above it that names the columns, in "
            f"their order, such as {example}"
        )
    return "the first line names the columns"


def _near(column: str, names: Sequence[str]) -> str | None:
    """The name that is probably meant for a column."""
    import difflib

    plain = {plain_name(_UNIT.sub("", name.strip())): name for name in names}
    for other in ALSO.get(column, "").split():
        if other in plain:
            return plain[other]
    near = difflib.get_close_matches(plain_name(column), plain, 1, cutoff=0.7)
    return plain[near[0]] if near else None


def _is_value(cell: str) -> bool:
    """Is it a number or a date, which no column is called?"""
    text = cell.strip()
    return bool(text) and all(c.isdigit() or c in "+-.,/: " for c in text)
