"""Tables as programs write them: each read as it was meant, and said, or refused.

Every variant here is one table of days or of rated texts, written in another way. What
is read has to be the same, to the last bit.
"""

import bz2
import csv
import datetime
import gzip
import io
import re
import sys
import zipfile

import pytest

from minigrad.data import read_table, read_text
from minigrad.data.date_spelling import date_spelling
from minigrad.data.fields import day, finite, finite_or_gap, some_text
from minigrad.data.number_spelling import number_spelling
from minigrad.data.tables import parse_table
from minigrad.engine.errors import ArgumentError, DataError

EXCEL = datetime.date(1899, 12, 30)
HEADER = ["date", "high", "low"]
DAYS = [
    [f"2014-0{month}-{day:02}", f"{month * 3.5 - day / 4:.2f}", f"{-day / 8:.3f}"]
    for month in (1, 2, 3)
    for day in range(1, 28)
]
KINDS = {"date": day, "high": finite, "low": finite}
TEXTS = [
    ["3", 'it is "great", really; a film | of 2.5 hours'],
    ["-2", "dull, too long; no\tplot"],
    ["2.5", "fine"],
    ["-1", "two\nlines, and more"],
] * 3
TEXT_KINDS = {"rating": finite, "text": some_text}


def written(rows, header=HEADER, separator=",", end="\n", quoting=csv.QUOTE_MINIMAL):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([header, *rows] if header else rows)
    return file.getvalue()


def comma(rows):
    return [[first, *(x.replace(".", ",") for x in rest)] for first, *rest in rows]


def dates(rows, pattern):
    return [
        [datetime.date.fromisoformat(first).strftime(pattern), *rest]
        for first, *rest in rows
    ]


def read(tmp_path, content, name="days.csv", kinds=KINDS, **given):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, kinds, **given)


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/days.csv", content)
    return file.getvalue()


PLAIN = written(DAYS)
GERMAN = written(comma(DAYS), separator=";")
SEMICOLONS = "semicolons between the fields"
VARIANTS = {  # file, content, what is said of it
    "as it should be": ("a.csv", PLAIN, []),
    "semicolons": ("a.csv", written(DAYS, separator=";"), [SEMICOLONS]),
    "semicolons, decimal commas": ("a.csv", GERMAN, [SEMICOLONS, "decimal commas"]),
    "quoted decimal commas": (
        "a.csv", written(comma(DAYS)), ["decimal commas"]),
    "bars": (
        "a.csv", written(DAYS, separator="|"), ["vertical bars between the fields"]),
    "tabs in a .csv": (
        "a.csv", written(DAYS, separator="\t"), ["tabs between the fields"]),
    "tabs": ("a.tsv", written(DAYS, separator="\t"), []),
    "commas in a .tsv": ("a.tsv", PLAIN, ["commas between the fields"]),
    "no ending": ("days", PLAIN, ["commas between the fields"]),
    "blanks": (
        "a.txt", "\n".join("  ".join(r) for r in [HEADER, *DAYS]),
        ["blanks between the fields"]),
    "all quoted": ("a.csv", written(DAYS, quoting=csv.QUOTE_ALL), []),
    "all quoted, tabs": (
        "a.tsv", written(DAYS, separator="\t", quoting=csv.QUOTE_ALL),
        ["fields in quotation marks"]),
    "quoted decimal commas, tabs": (
        "a.tsv",
        "\n".join("\t".join([HEADER[0], *HEADER[1:]]) if k == 0 else
                  f'{r[0]}\t"{r[1]}"\t"{r[2]}"'
                  for k, r in enumerate([HEADER, *comma(DAYS)])),
        ["fields in quotation marks", "decimal commas"]),
    "sep= line": (
        "a.csv", "sep=;\r\n" + written(comma(DAYS), separator=";", end="\r\n"),
        [f"{SEMICOLONS} (its first line says so)", "decimal commas"]),
    "sep= line, saved again": (
        "a.csv", '"sep=;";;\n' + GERMAN,
        [f"{SEMICOLONS} (its first line says so)", "decimal commas"]),
    "sep= and a separator of its own": (
        "a.csv", "sep=^\n" + written(DAYS, separator="^"),
        ["'^' between the fields (its first line says so)"]),
    "empty rows at the end": (
        "a.csv", GERMAN + ";;\n" * 20,
        [SEMICOLONS, "empty rows: 20 left out", "decimal commas"]),
    "empty rows within": (
        "a.csv", PLAIN.replace("2014-02-01", ",,\n\n , ,\n2014-02-01"),
        ["empty rows: 2 left out"]),
    "empty columns": (
        "a.csv", "\n".join(line + ",,," for line in PLAIN.splitlines()), []),
    "empty columns in the header alone": (
        "a.csv", PLAIN.replace("high,low", "high,low,,", 1), []),
    "empty columns in the rows alone": (
        "a.csv", PLAIN.replace("\n", ",,\n").replace("low,,", "low", 1), []),
    "capital names": (
        "a.csv", PLAIN.replace("date,high,low", "Date,HIGH,Low"),
        ["the columns 'Date' as date, 'HIGH' as high, 'Low' as low"]),
    "padded names": (
        "a.csv", PLAIN.replace("date,high,low", "date, high ,\u00a0low"),
        ["the columns 'high' as high, 'low' as low"]),
    "names with units": (
        "a.csv", PLAIN.replace("high,low", "High (°C),low [°C]"),
        ["the columns 'High (°C)' as high, 'low [°C]' as low"]),
    "other columns around": (
        "a.csv",
        written([["x, y", *r, "a;b"] for r in DAYS], ["place", *HEADER, "remark"]), []),
    "a name in two lines": (
        "a.csv", written([[*r, ""] for r in DAYS], [*HEADER, "a\nb"]), []),
    "lines before the header": (
        "a.csv", "Station: Hamburg, Germany; 53 N\n# by me\n\n" + GERMAN,
        [SEMICOLONS, "the header in line 4", "decimal commas"]),
    "the header again": (
        "a.csv", PLAIN + written(DAYS[:0]),
        [f"the header, which stands again in line {len(DAYS) + 2}, left out"]),
    "R's row names": (
        "a.tsv", written([[str(k), *r] for k, r in enumerate(DAYS, 1)], HEADER, "\t"),
        ["a first column without a name (R writes the rows' names)"]),
    "German dates": (
        "a.csv", written(dates(comma(DAYS), "%d.%m.%Y"), separator=";"),
        [SEMICOLONS, "decimal commas", "dates as day, month, year"]),
    "American dates": (
        "a.csv", written(dates(DAYS, "%m/%d/%Y")), ["dates as month, day, year"]),
    "British dates": (
        "a.csv", written(dates(DAYS, "%d/%m/%Y")), ["dates as day, month, year"]),
    "dates in eight figures": (
        "a.csv", written(dates(DAYS, "%Y%m%d")), ["dates as 20140531"]),
    "dates with slashes": ("a.csv", written(dates(DAYS, "%Y/%m/%d")), []),
    "dates with months": (
        "a.csv", written(dates(DAYS, "%d-%b-%Y")), ["dates with the names of months"]),
    "dates with long months": (
        "a.csv", written(dates(DAYS, "%B %d, %Y")),
        ["dates with the names of months"]),
    "dates with a time": (
        "a.csv", written(dates(DAYS, "%Y-%m-%dT12:00:00Z")),
        ["dates without their time of day"]),
    "Excel's days": (
        "a.csv",
        written([[str((datetime.date.fromisoformat(d) - EXCEL).days), *r]
                 for d, *r in DAYS]),
        ["dates as Excel's day numbers"]),
    "a true minus": ("a.csv", PLAIN.replace(",-", ",\N{MINUS SIGN}"), []),
    "gzip": ("a.csv.gz", gzip.compress(PLAIN.encode()), ["unpacked (gzip)"]),
    "gzip under another name": (
        "a.csv", gzip.compress(PLAIN.encode()), ["unpacked (gzip)"]),
    "bzip2": ("a.csv.bz2", bz2.compress(PLAIN.encode()), ["unpacked (bzip2)"]),
    "zip": (
        "a.zip", zipped(PLAIN), ["unpacked (zip)", "commas between the fields"]),
    "UTF-16": ("a.csv", PLAIN.encode("utf-16"), ["UTF-16"]),
    "UTF-16, big end first": (
        "a.csv", b"\xfe\xff" + PLAIN.encode("utf-16-be"), ["UTF-16"]),
    "UTF-16 without a mark": (
        "a.csv", PLAIN.encode("utf-16-le"), ["UTF-16-LE, which has no mark here"]),
    "UTF-32": ("a.csv", PLAIN.encode("utf-32"), ["UTF-32"]),
    "Excel's Unicode text": (
        "a.txt", written(DAYS, separator="\t", end="\r\n").encode("utf-16"),
        ["UTF-16", "tabs between the fields"]),
    "two marks": ("a.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + PLAIN.encode(), []),
    "all of it": (
        "a.csv.gz", gzip.compress(("sep=;\r\n" + written(
            dates(comma(DAYS), "%d.%m.%Y"), ["DATE", " High", "Low (°C)"], ";", "\r\n"
        ) + ";;\r\n").encode("utf-16")),
        ["unpacked (gzip)", "UTF-16", f"{SEMICOLONS} (its first line says so)",
         "the columns 'DATE' as date, 'High' as high, 'Low (°C)' as low",
         "empty rows: 1 left out", "decimal commas", "dates as day, month, year"]),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_one_table_in_many_spellings(name, tmp_path):
    file, content, said = VARIANTS[name]
    table = read(tmp_path, content, file)
    assert table["date"] == [datetime.date.fromisoformat(row[0]) for row in DAYS]
    assert table["high"] == [float(row[1]) for row in DAYS]
    assert table["low"] == [float(row[2]) for row in DAYS]
    assert table.notes == said
    assert len(table.lines) == len(DAYS)


def test_lines_are_those_of_the_file(tmp_path):
    text = "sep=;\nmade by me\n\nDate;High;Low\n2014-01-01;1;2\n;;\n2014-01-02;1;2\n"
    assert read(tmp_path, text).lines == [5, 7]
    with pytest.raises(DataError, match="line 7: unreadable low"):
        read(tmp_path, text[:-2] + "x\n")


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_texts_full_of_separators(separator, name, quoting, tmp_path):
    text = written(TEXTS, ["rating", "text"], separator, quoting=quoting)
    table = read(tmp_path, text, name, TEXT_KINDS)
    assert table["text"] == [row[1] for row in TEXTS]
    assert table["rating"] == [float(row[0]) for row in TEXTS]


def test_quotation_marks_in_tab_separated_text_are_letters(tmp_path):
    """Unless they enclose fields for certain: each that begins with one ends with one,
    and a mark inside is written twice."""
    text = 'rating\ttext\n1\t"good" film\n2\t"all of it"\n'
    assert read(tmp_path, text, "a.tsv", TEXT_KINDS)["text"] == [
        '"good" film', '"all of it"',
    ]  # fmt: skip
    text = 'rating\ttext\n1\t"a ""good"" film"\n2\tplain\n'
    table = read(tmp_path, text, "a.tsv", TEXT_KINDS)
    assert table["text"] == ['a "good" film', "plain"]
    assert table.notes == ["fields in quotation marks"]


# ------------------------------------------------------------- what is refused

REFUSED = {  # content: what the error says, in this order
    "decimal commas among commas": (
        "date,high,low\n2014-01-01,1,5,2,5\n",
        ["line 2: not as many fields", "5 fields", "decimal commas?"]),
    "a comma in a text": (
        "date,high,low,text\n2014-01-01,1,2,so, so\n",
        ["line 2: not as many fields", "Put the text in quotation marks"]),
    "both decimal marks": (
        "date;high;low\n2014-01-01;1,5;2\n2014-01-02;2.5;2\n",
        ["line 2: decimal commas and decimal points", "'1,5' here, '2.5' in line 3"]),
    "thousands or decimals": (
        "date\thigh\tlow\n2014-01-01\t1,234\t2\n",
        ["line 2: is the comma of '1,234' a decimal comma?"]),
    "a day or a month": (
        "date,high,low\n3/4/2014,1,2\n3/5/2014,1,2\n",
        ["line 2: is '3/4/2014' a day and a month?", "2014-05-31"]),
    "both orders": (
        "date,high,low\n31/5/2014,1,2\n6/13/2014,1,2\n",
        ["line 2: the day comes first here, and not in line 3"]),
    "no such day": (
        "date,high,low\n31/2/2014,1,2\n", ["line 2", "there is no such day"]),
    "two figures for the year": (
        "date,high,low\n31.5.14,1,2\n", ["line 2: unreadable date", "'31.5.14'"]),
    "a unit": (
        "date,high,low\n2014-01-01,12.5 °C,2\n",
        ["line 2: unreadable high", "without a unit"]),
    "a row of units": (
        "date,high,low\n-,C,C\n2014-01-01,12.5,2\n",
        ["line 2: unreadable date", "a row of units? Leave it out"]),
    "NA": (
        "date,high,low\n2014-01-01,NA,2\n",
        ["line 2: unreadable high", "'NA' means that a value is missing"]),
    "no header": (
        "2014-01-01,1,2\n2014-01-02,1,2\n",
        ["line 1: column 'date' is missing", "write one above it that names",
         "date,high,low"]),
    "no header, semicolons": (
        "2014-01-01;1,5;2\n2014-01-02;1;2\n", ["line 1", "such as date;high;low"]),
    "another name": (
        "date,hight,low\n2014-01-01,1,2\n",
        ["line 1: column 'high' is missing", "rename 'hight' to 'high'"]),
    "two spellings of a name": (
        "date,High,HIGH,low\n2014-01-01,1,2,3\n",
        ["line 1: two columns are called 'high'"]),
    "two with and without a unit": (
        "date,high (C),high (F),low\n2014-01-01,1,2,3\n",
        ["line 1: two columns are called 'high'"]),
    "JSON": ('[{"date": 1}]', ["line 1", "this is JSON"]),
    "a web page": ("<!DOCTYPE html>\n<html></html>\n", ["line 1", "a web page"]),
    "quotes with a backslash": (
        'date,high,low,text\n2014-01-01,1,2,"a \\"b\\" c"\n',
        ["line 2: not a well-formed row", 'written twice, "", not']),
    "a comma in a text, and quotation marks in another": (
        'date,high,low,text\n2014-01-01,1,2,so, so\n2014-01-01,1,2,"so" so, so\n',
        ["line 2: not as many fields", "Put the text in quotation marks"]),
    "other names": (
        "day,Max_Temp,low\n2014-01-01,1,2\n", ["line 1", "rename 'day' to 'date'"]),
    "a fraction": (
        "date,high,low\n2014-01-01,4/5,2\n", ["line 2", "the number alone, 4"]),
    "a row that ends early": (
        "date,high,low\n2014-01-01,1,2\n2014-01\n",
        ["line 3: not as many fields", "the rest of the file"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_true_cause(name, tmp_path):
    content, parts = REFUSED[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    said = str(caught.value)
    assert "days.csv" in said and caught.value.hint and caught.value.actual
    for part in parts:
        assert part in said
        said = said[said.index(part) + len(part) :]


def test_an_exact_name_wins(tmp_path):
    table = read(tmp_path, "date,High,high,low\n2014-01-01,1,2,3\n")
    assert table["high"] == [2.0] and table.notes == []


FOLLOWED = {  # content, what the hint says to do, and the content after it
    "no header": (
        "2014-01-01;1,5;2\n", r"such as (?P<line>\S+)",
        lambda text, line: f"{line}\n{text}"),
    "another name": (
        "date,hight,low\n2014-01-01,1.5,2\n", r"rename 'hight' to '(?P<name>\w+)'",
        lambda text, name: text.replace("hight", name)),
    "units": (
        "date,high,low\n,C,C\n2014-01-01,1.5,2\n", r"(?P<no>Leave it out)",
        lambda text, no: text.replace(",C,C\n", "")),
    "decimal commas": (
        "date,high,low\n2014-01-01,1,5,2,0\n", r"(?P<with_>with semicolons)",
        lambda text, with_: "date;high;low\n2014-01-01;1,5;2,0\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_the_hint_works(name, tmp_path):
    content, pattern, change = FOLLOWED[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    found = re.search(pattern, caught.value.hint)
    assert found, caught.value.hint
    table = read(tmp_path, change(content, **found.groupdict()))
    assert table["high"] == [1.5] and table["low"] == [2.0]


# ------------------------------------------------------------- numbers and dates

NUMBERS = {  # fields, the separator: their values
    "points": (["1.5", "2", "-0.25", "1e-3", ".5"], ",", [1.5, 2, -0.25, 1e-3, 0.5]),
    "commas": (["1,5", "2", "-0,25", "1e-3", ",5"], ";", [1.5, 2, -0.25, 1e-3, 0.5]),
    "three decimals, semicolons": (["1,234", "0,250"], ";", [1.234, 0.25]),
    "German thousands": (["1.234,5", "12"], ";", [1234.5, 12]),
    "German thousands, alone": (["1.234", "0,5"], ";", [1234, 0.5]),
    "German millions": (["1.234.567", "3"], ";", [1234567, 3]),
    "English thousands": (["1,234.5", "12"], ",", [1234.5, 12]),
    "English thousands, alone": (["1,234", "0.5"], ",", [1234, 0.5]),
    "English millions": (["1,234,567", "1,234"], ";", [1234567, 1234]),
    "French": (["1 234,5", "1\u202f234 567,25", "1"], ";", [1234.5, 1234567.25, 1]),
    "Swiss": (["1'234.5", "12\u2019000", "1"], ",", [1234.5, 12000, 1]),
    "decimals that look like thousands": (["1.234", "1.25"], ",", [1.234, 1.25]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    fields, separator, wanted = NUMBERS[name]
    lines = range(2, len(fields) + 2)
    spelled = number_spelling({"a": fields}, lines, separator, "x.csv")
    assert [finite(spelled.plain(field)) for field in fields] == wanted


def test_numbers_of_one_column_show_how_those_of_another_are_written():
    columns = {"a": ["1,234", "2"], "b": ["0", "1,5"]}
    assert number_spelling(columns, [2, 3], "\t", "x").decimal_comma
    columns["b"][1] = "1.5"
    assert not number_spelling(columns, [2, 3], "\t", "x").decimal_comma


def test_words_for_no_value():
    for word in ("", " ", "NA", "n/a", "NaN", "null", "None", "-", "#N/A", "\\N", "?"):
        assert finite_or_gap(word) != finite_or_gap(word)
        with pytest.raises(ValueError, match="missing"):
            finite(word)
    for wrong in ("inf", "1_0", "0x10", "twelve", "1 2"):
        with pytest.raises(ValueError):
            finite_or_gap(wrong)


def test_dates_of_a_column_agree():
    spelled = date_spelling(["1/2/2014", "1/13/2014"], [2, 3], "x")
    assert [spelled.plain(x) for x in ("1/2/2014", "2/1/2014")] == [
        "2014-01-02", "2014-02-01",
    ]  # fmt: skip
    spelled = date_spelling(["1.2.2014"], [2], "x")  # with points the day is first
    assert spelled.plain("1.2.2014") == "2014-02-01"
    assert spelled.plain("2014-1-2 0:00") == "2014-01-02"
    assert spelled.plain("2 Foo 2014") == "2 Foo 2014"


# ------------------------------------------------------------- encodings

LINE = "3,caf\u00e9 \u201cna\u00efve\u201d"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
def test_an_encoding_that_is_named(encoding, tmp_path):
    content = f"rating,text\n{LINE}\n".encode(encoding)
    table = read(tmp_path, content, "a.csv", TEXT_KINDS, encoding=encoding)
    assert table["text"] == [LINE[2:]] and table.notes == [encoding]


OTHERS = {  # encoding: a word of a text in it
    "cp1252": "café naïve déjà vu",
    "latin-1": "El Niño y el corazón",
    "mac-roman": "a “good” café",
    "cp850": "Größe und Gefühl",
    "cp1250": "Świetny film, źle zagrany. Żółta łódź",
    "cp1251": "Хороший фильм",
    "cp1253": "Ωραία ταινία",
    "shift-jis": "良い映画でしたが",
    "gb18030": "很好的电影但是结局不好",
}


@pytest.mark.parametrize("encoding", OTHERS)
def test_an_encoding_is_named_that_works(encoding, tmp_path):
    """What the user has to do is to name the one with the right word."""
    line = OTHERS[encoding]
    word = next(word for word in line.split() if not word.isascii())
    content = f"rating\ttext\n1\tplain\n3\t{line}\n".encode(encoding)
    with pytest.raises(DataError, match="line 3: not UTF-8") as caught:
        read(tmp_path, content, "a.tsv", TEXT_KINDS)
    hint = caught.value.hint
    found = re.findall(r"([a-z0-9-]+) if it says '([^']*)'", hint)
    (named,) = [name for name, shown in found if shown == word]
    table = read(tmp_path, content, "a.tsv", TEXT_KINDS, encoding=named)
    assert table["text"] == ["plain", line]


ENCODINGS = {  # content, the encoding that is named, class, what is said
    "no such": (b"a", "klingon", ArgumentError, "no such encoding"),
    "no text": (b"a", "hex", ArgumentError, "no such encoding"),
    "a mark of another": (
        "é".encode("utf-16"), "utf-8", DataError, r"mark of UTF-16[\s\S]*leave out"),
    "not in it": (b"a\n\xff\n", "ascii", DataError, "line 2: not ascii"),
    "half a letter": (
        b"\xff\xfea\0b", None, DataError, r"not UTF-16-LE[\s\S]*cut off"),
    "letters and zeros": (b"a\nb\0c", None, DataError, "line 2: not text"),
    "no text at all": (
        bytes(range(256)) * 9, None, DataError, "does not look like text"),
    "a mark alone": (b"\xef\xbb\xbf", None, DataError, "an empty file"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODINGS)
def test_text_that_is_none(name, tmp_path):
    content, encoding, kind, said = ENCODINGS[name]
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(kind, match=said) as caught:
        read_text(tmp_path / "a.txt", encoding=encoding)
    assert caught.value.hint


def test_text_says_how_it_was_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress("one\r\ntwo\rthree".encode("utf-16")))
    text = read_text(path)
    assert text == "one\ntwo\nthree" and text.notes == ["unpacked (gzip)", "UTF-16"]
    path.write_text("caf\ufffd\n\n\ufffd", encoding="utf-8")
    (note,) = read_text(path).notes
    assert note.startswith("2 letters were lost before") and "line 1" in note
    path.write_text("café", encoding="utf-8")
    assert "valid UTF-8" in read_text(path, encoding="cp1252").notes[1]
    assert read_text(path).notes == []


# ------------------------------------------------------------- packed, and no text


def workbook():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    return file.getvalue()


def two_files():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")
    return file.getvalue()


KINDS_OF_FILES = {
    "a workbook": (workbook(), r"not text[\s\S]*a workbook[\s\S]*save it as CSV"),
    "an old workbook": (b"\xd0\xcf\x11\xe0...", r"an Excel workbook[\s\S]*CSV"),
    "two files": (two_files(), r"a zip with 2 files in it[\s\S]*a\.csv, b\.csv"),
    "a PDF": (b"%PDF-1.7 ...", "a PDF"),
    "Parquet": (b"PAR1....", r"a Parquet file[\s\S]*read_parquet\(r\".*a\.csv\"\)"),
    "SQLite": (b"SQLite format 3\0", "a SQLite database"),
    "zstd": (b"\x28\xb5\x2f\xfd...", "unpack it first"),
    "a pickle": (b"\x80\x04\x95\0\0", "a pickle can run code"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "half a gzip": (gzip.compress(PLAIN.encode())[:-30], "copy or download it again"),
    "half a zip": (zipped(PLAIN)[:90], "copy or download it again"),
    "half a bzip2": (bz2.compress(PLAIN.encode())[:-9], "copy or download it again"),
    "a damaged gzip": (
        gzip.compress(PLAIN.encode())[:40] + b"\0" * 50, "cannot be unpacked"),
    "packed twice": (
        gzip.compress(gzip.compress(PLAIN.encode())), "not UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS_OF_FILES)
def test_what_is_no_table_is_called_by_its_name(name, tmp_path):
    content, said = KINDS_OF_FILES[name]
    with pytest.raises(DataError, match=said):
        read(tmp_path, content, "a.csv")


def test_what_unpacks_to_more_than_may_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.data.unpacking.LARGEST", 1000)
    with pytest.raises(DataError, match="too large when it is unpacked"):
        read(tmp_path, gzip.compress(b"a" * 1001), "a.csv")


def test_a_python_without_xz(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(DataError, match="this Python cannot unpack"):
        read(tmp_path, b"\xfd7zXZ\0\0", "a.csv.xz")


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet", "a.ods", "a.xlsx.gz"])
def test_endings_of_other_files(name, tmp_path):
    with pytest.raises(DataError, match=r"is it a table\?[\s\S]*save it as CSV"):
        read(tmp_path, PLAIN, name)


def test_shipped_tables_are_read_without_any_interpretation():
    from minigrad.data import shipped

    kinds = {"rating": float, "text": str}
    text = shipped._read("movie_reviews.tsv.gz")
    found = parse_table(text, kinds, separator="\t", source="x")
    assert found.notes == [] and len(found["text"]) == 10_603
    kinds = {"date": day, "temp_max": float}
    text = shipped._read("seattle_weather.csv")
    assert parse_table(text, kinds, separator=",", source="x").notes == []
