"""CSV, TSV and XLSX files, and pasted tables, as rows with their line numbers."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import charset_normalizer
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 10_000
MOST_COLUMNS = 100
LONGEST_CELL = 32_767
# The lines of one row: a cell may hold line breaks.
LONGEST_ROW = 50
# The last line that is looked at: a sheet may say that its only row is the trillionth.
MOST_LINES = 250_000
# What an XLSX may grow to when it is unpacked.
MOST_UNPACKED = 200 * 1024 * 1024
# And how many times its size, above what any may grow to: no honest sheet is packed so tight.
FREELY_UNPACKED = 8 * 1024 * 1024
MOST_RATIO = 60
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_OLD = ("cp1252", "cp1250", "iso8859-1", "iso8859-15", "mac_roman", "cp1251", "shift_jis", "gb18030", "big5")


class ImportRefused(ValueError):
    """Nothing of this can be read; the message is the sentence for the screen."""


@dataclass(frozen=True)
class Table:
    """What stands in a file: the rows with their line numbers (from 1), and how it was read."""

    rows: list[tuple[int, list[str]]]
    encoding: str = "utf-8"
    delimiter: str = ","


@dataclass(frozen=True)
class Stream:
    """A table that is read as its rows are asked for; asking may raise ImportRefused."""

    rows: Iterator[tuple[int, list[str]]]
    encoding: str = "utf-8"
    delimiter: str = ","


def read_table(
    data: bytes, *, filename: str = "", most_bytes: int = MOST_BYTES, most_rows: int = MOST_ROWS
) -> Table:
    """Empty rows are left out. The most rows do not count a header. Raises ImportRefused."""
    stream = open_table(data, most_bytes=most_bytes, most_rows=most_rows)
    table = Table(list(stream.rows), stream.encoding, stream.delimiter)
    if not table.rows:
        raise ImportRefused("The file has no rows.")
    return table


def open_table(data: bytes, *, most_bytes: int, most_rows: int) -> Stream:
    """As `read_table`, row by row; a file without any row has none. Raises ImportRefused."""
    if not data.strip():
        raise ImportRefused("The file is empty.")
    if len(data) > most_bytes:
        raise ImportRefused(
            f"The file has {len(data) / 1024 / 1024:.1f} MB; {most_bytes // 1024 // 1024} MB is the most."
        )
    if is_workbook(data):
        return Stream(_bounded(_workbook(data), most_rows), "xlsx", "")
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise ImportRefused("Old Excel files (.xls) cannot be read. Save it as .xlsx or .csv.")
    text, encoding = decode(data)
    return open_text(text, encoding=encoding, most_rows=most_rows)


def is_workbook(data: bytes) -> bool:
    return data[:4] == b"PK\x03\x04"


def read_text(text: str, *, encoding: str = "utf-8", most_rows: int = MOST_ROWS) -> Table:
    stream = open_text(text, encoding=encoding, most_rows=most_rows)
    return Table(list(stream.rows), stream.encoding, stream.delimiter)


def open_text(text: str, *, encoding: str = "utf-8", most_rows: int) -> Stream:
    """A table in text form; the delimiter is the one that divides its lines most evenly."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    delimiter = delimiter_of(plain)
    return Stream(_bounded(_lines(plain, delimiter), most_rows), encoding, delimiter)


def decode(data: bytes) -> tuple[str, str]:
    """(text, encoding): by its byte-order mark, as UTF-8, else by the best guess."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError as error:
                raise ImportRefused(
                    f"The file says it is {encoding}, and is not. Save it as UTF-8."
                ) from error
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        found = charset_normalizer.from_bytes(data[:200_000], cp_isolation=list(_OLD)).best()
        encoding = found.encoding if found is not None else "cp1252"
        return data.decode(encoding, errors="replace"), encoding


def delimiter_of(text: str) -> str:
    """One of tab, semicolon, comma or bar; a comma where nothing speaks for another."""
    lines = [line for line in text.split("\n")[:30] if line.strip()]
    best, points = ",", (0, 0)
    for delimiter in ("\t", ";", ",", "|"):
        widths = [len(cells) for cells in _split(lines, delimiter)]
        divided = [width for width in widths if width > 1]
        if not divided:
            continue
        usual = max(set(divided), key=divided.count)
        score = (divided.count(usual), usual)
        if score > points:
            best, points = delimiter, score
    return best


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return []


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each begins on.

    A quotation mark that opens and never closes takes its own line with it and none after it: such a line
    is passed on as one cell, as it stands.
    """
    csv.field_size_limit(2 * MOST_BYTES)
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        cells, span = _row(lines, at, delimiter)
        yield at + 1, cells
        at += span


def _row(lines: list[str], at: int, delimiter: str) -> tuple[list[str], int]:
    """(the row that begins at this line, how many lines it takes)."""
    if '"' not in lines[at]:
        return _read(lines[at], delimiter, strict=False), 1
    for span in range(1, LONGEST_ROW + 1):
        if at + span > len(lines):
            break
        try:
            return _read("\n".join(lines[at : at + span]), delimiter, strict=True), span
        except csv.Error as error:
            if "unexpected end" not in str(error):
                break
    if _is_open(lines[at], delimiter):
        return [lines[at]], 1
    return _read(lines[at], delimiter, strict=False), 1


def _is_open(line: str, delimiter: str) -> bool:
    try:
        _read(line, delimiter, strict=True)
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _read(text: str, delimiter: str, *, strict: bool) -> list[str]:
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=strict
    )
    try:
        return next(rows, [])
    except csv.Error:
        if strict:
            raise
        return [text]


def _workbook(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
            if unpacked > min(MOST_UNPACKED, max(FREELY_UNPACKED, len(data) * MOST_RATIO)):
                raise ImportRefused("The workbook is too large when it is unpacked.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS), start=1):
            if number > MOST_LINES:
                raise ImportRefused(f"The sheet has more than {MOST_LINES:,} lines. Divide it.")
            # Each row comes filled up to the last column that is looked at.
            width = len(row)
            while width and row[width - 1] is None:
                width -= 1
            if width:
                yield number, ["" if cell is None else str(cell) for cell in row[:width]]
    except ImportRefused:
        raise
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        KeyError,
        ValueError,
        IndexError,
        OSError,
        EOFError,
    ) as error:
        raise ImportRefused("This is not a workbook that can be read. Save it as .xlsx or .csv.") from error
    except (SyntaxError, TypeError, AttributeError) as error:  # Broken XML inside a workbook.
        raise ImportRefused("The workbook is damaged. Save it again, or save it as .csv.") from error


def _bounded(rows: Iterator[tuple[int, list[str]]], most: int) -> Iterator[tuple[int, list[str]]]:
    count = 0
    for line, cells in rows:
        trimmed = [cell.strip()[:LONGEST_CELL] for cell in cells[:MOST_COLUMNS]]
        if not any(trimmed):
            continue
        count += 1
        if count > most + 1:
            raise ImportRefused(f"More than {most:,} rows. Divide the file and add its parts one by one.")
        yield line, trimmed
