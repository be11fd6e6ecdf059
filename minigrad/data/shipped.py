"""The real data that travels with the package: no network, no download, no pandas.

Each loader reads its file once and keeps what it made; texts are tuples and arrays are
read-only, so that no lesson can spoil the data of the next. The README of
`minigrad/datasets` has the sources, the licences and what is odd about each set.

Read next: `argument_checks.py`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad.data.tables import parse_table
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DataError


class MovieReviews(NamedTuple):
    """Sentences of film reviews and how people felt about them."""

    texts: tuple[str, ...]
    ratings: np.ndarray


class FirstNames(NamedTuple):
    """First names and the census list ("F" or "M") that each comes from."""

    names: tuple[str, ...]
    lists: tuple[str, ...]


class ProgramTags(NamedTuple):
    """One-line descriptions of programs and the tags that people gave them."""

    texts: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]


class EnglishGerman(NamedTuple):
    """Sentences of two languages; each English one with one German translation."""

    english: tuple[str, ...]
    german: tuple[str, ...]


class WeeklyCO2(NamedTuple):
    """Carbon dioxide in the air, week by week; NaN where there is no value."""

    dates: np.ndarray
    co2: np.ndarray


class StockPrices(NamedTuple):
    """Prices of five stocks, month by month: one column of `prices` per name."""

    dates: np.ndarray
    names: tuple[str, ...]
    prices: np.ndarray


class SeattleWeather(NamedTuple):
    """Four years of daily weather; each column one entry per day."""

    dates: np.ndarray
    precipitation: np.ndarray
    temp_max: np.ndarray
    temp_min: np.ndarray
    wind: np.ndarray
    weather: tuple[str, ...]


@cache
@checked_call
def movie_reviews() -> MovieReviews:
    """10,603 review sentences with the mean of twenty human sentiment ratings.

    Rows:    texts, 10,603 sentences; ratings float64 (10603,)
    Units:   rating points from -4 (extremely negative) to 4 (extremely positive), two
             decimals; 9,171 sentences have |rating| >= 1, 4,597 of them positive.
    Source:  the ground truth of vaderSentiment 3.3.2: Hutto & Gilbert 2014, "VADER: A
             Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text";
             the sentences are quotations from the data of Pang & Lee 2005, "Seeing
             Stars".
    Licence: MIT, (c) 2016 C.J. Hutto; keep both attributions.
    Note:    hyphens were lost before it came here ("3 D", "co writer"), and a sentence
             cut off at 255 characters stays cut off.
    """
    from html import unescape

    table = parse_table(
        _read("movie_reviews.tsv.gz"),
        # 22 sentences write & as &amp;
        {"rating": float, "text": unescape},
        separator="\t",
        source="movie_reviews.tsv.gz",
    )
    return MovieReviews(tuple(table["text"]), _frozen(table["rating"]))


@cache
@checked_call
def alice() -> str:
    """The text of Alice's Adventures in Wonderland, about 26,500 words.

    Rows:    one str of 148,460 characters, 72 different ones, in 3,604 lines; blank
             lines part the paragraphs.
    Units:   characters, all ASCII; quotation marks are ` and ', a dash is --, and
             _emphasis_ is underscored in places, CAPITALS in others.
    Source:  Lewis Carroll, 1865: the Millennium Fulcrum edition 2.9, as the Canterbury
             corpus has it.
    Licence: public domain.
    """
    return _read("alice.txt")


@cache
@checked_call
def first_names() -> FirstNames:
    """5,494 first names of the US census of 1990: 4,275 on list F, 1,219 on list M.

    Rows:    names, 5,494 capitalised ASCII words; lists, "F" or "M" for each. List F
             comes first, the most frequent names of a list first. 331 names are on both
             lists, so that there are 5,163 different ones.
    Units:   none.
    Source:  US Census Bureau, 1990, as names 0.3.0 (Trey Hunner) carries it.
    Licence: public domain (package: MIT).
    Note:    some are ordinary words as well ("In", "So", "My", "See", "Will").
    """
    table = parse_table(
        _read("first_names.tsv"),
        {"name": str, "list": str},
        separator="\t",
        source="first_names.tsv",
    )
    return FirstNames(tuple(table["name"]), tuple(table["list"]))


@cache
@checked_call
def program_tags() -> ProgramTags:
    """7,379 one-line descriptions of programs, each with one to thirteen of 24 tags.

    Rows:    texts, 7,379 different descriptions of 7 to 96 characters; tags, for each
             a tuple in alphabetical order, such as ("implemented-in::c",
             "interface::daemon").
    Units:   none. From 197 programs (use::analysing) to 2,578 (interface::x11) bear a
             tag; 5,838 descriptions have more than one.
    Source:  package descriptions and debtags, by the Debian contributors.
    Licence: free to redistribute; keep the attribution.
    Note:    packages of one program have nearly the same description ("... (common data
             files)"): a random split puts relatives on both sides of it.
    """
    table = parse_table(
        _read("program_tags.tsv.gz"),
        {"description": str, "tags": lambda field: tuple(field.split(","))},
        separator="\t",
        source="program_tags.tsv.gz",
    )
    return ProgramTags(tuple(table["description"]), tuple(table["tags"]))


@cache
@checked_call
def english_german() -> EnglishGerman:
    """13,000 short English sentences, each with a German translation.

    Rows:    english, german: 13,000 sentences each; the English ones have 3 to 7 words
             and are all different, from the 900 commonest words, the German ones from
             the 1,300 commonest.
    Units:   none.
    Source:  tatoeba.org, by its contributors, as packed by manythings.org/anki.
    Licence: CC BY 2.0 FR; keep the attribution.
    Note:    one translation of several was kept for each source: another one may be as
             right as the one that stands here.
    """
    table = parse_table(
        _read("english_german.tsv.gz"),
        {"english": str, "german": str},
        separator="\t",
        source="english_german.tsv.gz",
    )
    return EnglishGerman(tuple(table["english"]), tuple(table["german"]))


@cache
@checked_call
def seattle_weather() -> SeattleWeather:
    """1,461 days of weather in Seattle, 2012-01-01 to 2015-12-31, none missing.

    Rows:    dates datetime64[D] (1461,); precipitation, temp_max, temp_min, wind
             float64 (1461,); weather, one of drizzle, fog, rain, snow, sun.
    Units:   precipitation mm per day; temperatures degrees Celsius (highest -1.6 to
             35.6, lowest -7.1 to 18.3); wind m/s, mean of the day.
    Source:  NOAA, as vega_datasets 0.9.0 carries it.
    Licence: public domain (package: MIT).
    Note:    `weather` was not judged alike in all years: 191 days of 2012 are "rain",
             3 of 2014 are, though it rained as much. The numbers do not drift so.
    """
    numbers = ("precipitation", "temp_max", "temp_min", "wind")
    table = parse_table(
        _read("seattle_weather.csv"),
        {"date": str, **dict.fromkeys(numbers, float), "weather": str},
        separator=",",
        source="seattle_weather.csv",
    )
    days = [date.replace("/", "-") for date in table["date"]]
    return SeattleWeather(
        dates=_frozen(days, "datetime64[D]"),
        **{name: _frozen(table[name]) for name in numbers},
        weather=tuple(table["weather"]),
    )


@cache
@checked_call
def weekly_co2() -> WeeklyCO2:
    """2,284 weeks of carbon dioxide at Mauna Loa, 1958-03-29 to 2001-12-29.

    Rows:    dates datetime64[D] (2284,), Saturdays; co2 float64 (2284,), 59 are NaN.
    Units:   parts per million by volume, 313 to 374.
    Source:  Keeling & Whorf 2004, "Atmospheric CO2 concentrations derived from flask
             air samples at sites in the SIO network", as statsmodels 0.15.0 carries it.
    Licence: public domain (package: BSD-3-Clause).
    Note:    the longest gap has 18 weeks (1964); the others have 8 or fewer.
    """
    table = parse_table(
        _read("co2_weekly.csv"),
        {"date": str, "co2": lambda field: float(field or "nan")},
        separator=",",
        source="co2_weekly.csv",
    )
    dates = _frozen(table["date"], "datetime64[D]")
    return WeeklyCO2(dates, _frozen(table["co2"]))


@cache
@checked_call
def stock_prices() -> StockPrices:
    """123 months of the prices of five stocks, 2000-01 to 2010-03.

    Rows:    dates datetime64[D] (123,), the first of each month; names AAPL, AMZN,
             GOOG, IBM, MSFT; prices float64 (123, 5), NaN for GOOG before 2004-08.
    Units:   US dollars, adjusted as the source has it.
    Source:  stocks.csv of vega_datasets 0.9.0, reshaped to one row per month.
    Licence: package: MIT, (c) 2018 Jake Vanderplas.
    """
    names = ("AAPL", "AMZN", "GOOG", "IBM", "MSFT")
    table = parse_table(
        _read("stock_prices.csv"),
        {"date": str, **{n: lambda field: float(field or "nan") for n in names}},
        separator=",",
        source="stock_prices.csv",
    )
    dates = _frozen(table["date"], "datetime64[D]")
    prices = np.array([table[name] for name in names]).T
    return StockPrices(dates, names, _frozen(prices.tolist()))


def _frozen(values: list[Any], dtype: str = "float64") -> np.ndarray:
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


def _read(name: str) -> str:
    """The text of a file of minigrad/datasets, unpacked if it is a .gz."""
    # importlib.resources takes longer to import than all of this package
    import gzip
    import zlib
    from importlib.resources import files

    try:
        raw = (files("minigrad.data") / "datasets" / name).read_bytes()
        # gzip, not the smaller xz: a Python built by hand often has no lzma
        unpacked = gzip.decompress(raw) if name.endswith(".gz") else raw
        return unpacked.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as reason:
        raise DataError(
            f"{name}: the data file of this installation cannot be read",
            expect=f"minigrad/datasets/{name}, as it was installed",
            actual=f"{type(reason).__name__}: {reason}",
            hint="install minigrad again",
        ) from reason
