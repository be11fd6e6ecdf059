"""The content of a file of data, unpacked if it is packed; other kinds are refused.

A file is known by its first bytes, never by its ending: gzip, bzip2, xz and a zip with
one file in it are unpacked. A workbook, a Parquet file or a PDF is named as what it is.

Read next: `text_encoding.py` (from bytes to text).
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from minigrad.engine.errors import DataError

LARGEST = 1 << 28  # bytes: a quarter of a gigabyte of text

CSV = "open it in the program that wrote it, and save it as CSV (UTF-8)"
UNPACK = "unpack it first"
PANDAS = 'in Python: pandas.read_{}(r"{{path}}").to_csv("data.csv", index=False)'
# The first bytes of files that are no text: what they are, and what to do.
KINDS = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind (.xls)", CSV),
    (b"%PDF", "a PDF", "copy its text into a text file"),
    (b"{\\rtf", "a text with its layout (RTF)", "save it as plain text"),
    (b"PAR1", "a Parquet file", PANDAS.format("parquet")),
    (b"ARROW1", "an Arrow file", PANDAS.format("feather")),
    (b"SQLite format 3", "a SQLite database", "export the table as CSV"),
    (b"\x89HDF", "an HDF5 file", PANDAS.format("hdf")),
    (b"\x93NUMPY", "a NumPy array", "write a table: numpy.savetxt, with a header"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"\x80\x04\x95", "a pickle", "a pickle can run code: ask for a CSV instead"),
    (b"\x80\x05\x95", "a pickle", "a pickle can run code: ask for a CSV instead"),
    (b"RDX", "an R data file", "in R: write.csv(x, 'data.csv', row.names = FALSE)"),
    (b"X\n\0\0", "an R data file", "in R: write.csv(x, 'data.csv', row.names = FALSE)"),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS instead of the file",
        "git lfs pull",
    ),
)


class Unpacked(NamedTuple):
    """The bytes that a file holds, and what they were packed with ("" for nothing)."""

    raw: bytes
    packed: str = ""


def unpacked(raw: bytes, path: str) -> Unpacked:
    """The content of a file, unpacked.

    Errors:  DataError for an archive that is damaged, holds several files or is too
             large when it is unpacked, and for what is no text: a workbook, a database.
    """
    for mark, name, opened in _OPENERS:
        if raw.startswith(mark):
            found = Unpacked(_read(opened, raw, path, name), name)
            break
    else:
        found = Unpacked(raw)
    for mark, kind, hint in KINDS:
        if found.raw.startswith(mark):
            raise DataError(
                f"{path}: not text",
                expect="a table (CSV, TSV) or a text",
                actual=kind,
                hint=hint.format(path=path),
            )
    return found


def _read(opened: Any, raw: bytes, path: str, name: str) -> bytes:
    """What an archive holds, LARGEST bytes at most."""
    import zipfile
    import zlib

    try:
        with opened(io.BytesIO(raw), path) as file:
            found = file.read(LARGEST + 1)
    except ImportError:  # a Python built by hand often has no lzma
        raise DataError(
            f"{path}: packed with {name}, which this Python cannot unpack",
            expect="a file that is not packed, or a .gz",
            actual=f"a file packed with {name}",
            hint=UNPACK,
        ) from None
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        raise _damaged(path, name, error) from None
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise _damaged(path, name, error) from None
    except Exception as error:  # lzma.LZMAError, where there is an lzma
        if type(error).__name__ != "LZMAError":
            raise
        raise _damaged(path, name, error) from None
    if len(found) > LARGEST:
        raise DataError(
            f"{path}: too large when it is unpacked",
            expect=f"at most {LARGEST:,} bytes",
            actual="more",
            hint="cut it",
        )
    return found


def _damaged(path: str, name: str, error: Exception) -> DataError:
    return DataError(
        f"{path}: packed with {name}, and cannot be unpacked",
        expect=f"a whole {name} file",
        actual=str(error)[:80] or type(error).__name__,
        hint="it may have been cut off on its way: copy or download it again",
    )


def _gzip(file: io.BytesIO, path: str) -> Any:
    import gzip

    return gzip.GzipFile(fileobj=file)


def _bzip2(file: io.BytesIO, path: str) -> Any:
    import bz2

    return bz2.BZ2File(file)


def _xz(file: io.BytesIO, path: str) -> Any:
    import lzma

    return lzma.LZMAFile(file)


def _zip(file: io.BytesIO, path: str) -> Any:
    """The one file in a zip; an Excel workbook is a zip too."""
    import zipfile

    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise DataError(
            f"{path}: not text",
            expect="a table (CSV, TSV) or a text",
            actual="a workbook or a document of an office program",
            hint=CSV,
        )
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise DataError(
            f"{path}: a zip with {len(names)} files in it",
            expect="one file",
            actual=", ".join(names)[:80] or "none",
            hint="unpack it, and give one of its files",
        )
    return archive.open(names[0])


_OPENERS = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"BZh", "bzip2", _bzip2),
    (b"\xfd7zXZ\0", "xz", _xz),
    (b"PK\x03\x04", "zip", _zip),
)
