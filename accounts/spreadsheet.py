"""Rows for a spreadsheet: CSV in which nothing runs as a formula, written line by line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

# At the beginning, and behind each sign at which a spreadsheet of another country divides a line (T26).
_FORMULA = re.compile(r"""((?:^|[,;|\t\r\n"])[\s"]*)(?=[=+\-@＝＋－＠])""")


class _Line:
    """A file of which the last line written is wanted."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def tame(text: str) -> str:
    """What a spreadsheet would run gets an apostrophe before it, wherever the spreadsheet cuts the line."""
    return _FORMULA.sub(r"\1'", text.replace("\x00", ""))


def as_csv(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """UTF-8 with a byte-order mark, which Excel asks for. Each cell is tamed."""
    line = _Line()
    writer = csv.writer(line)
    first = "\ufeff"
    for row in rows:
        writer.writerow([tame(str(cell)) for cell in row])
        yield (first + line.text).encode()
        first = ""
