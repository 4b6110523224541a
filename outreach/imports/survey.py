"""What the columns of a list hold, seen while its rows pass by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from outreach.importing import Line

SAMPLES = 2
LONGEST = 80


class Survey:
    """For each column the first different values, and how many of its cells are blank."""

    def __init__(self, headers: list[str]) -> None:
        self.headers = headers
        self.samples: list[list[str]] = [[] for _ in headers]
        self.blanks = [0] * len(headers)

    def over(self, rows: Iterable[Line]) -> Iterator[Line]:
        for line, cells in rows:
            for place in range(len(self.headers)):
                self._look(place, cells[place] if place < len(cells) else "")
            yield line, cells

    def _look(self, place: int, cell: str) -> None:
        if not cell:
            self.blanks[place] += 1
        elif len(self.samples[place]) < SAMPLES and cell[:LONGEST] not in self.samples[place]:
            self.samples[place].append(cell[:LONGEST])

    def packed(self) -> str:
        """As `ContactImport.layout` reads it back."""
        return json.dumps({"headers": self.headers, "samples": self.samples, "blanks": self.blanks})
