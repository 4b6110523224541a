"""Pasted lines, CSV and XLSX become people; each row that cannot is named with its line and reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.models import User
from outreach.models import Basis, Contact

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 10_000


class ImportRefused(ValueError):
    """Nothing of this can be read; the message is the sentence for the screen."""


@dataclass(frozen=True)
class Table:
    """What stands in a file: the rows with their line numbers (from 1), and how it was read."""

    rows: list[tuple[int, list[str]]]
    encoding: str = "utf-8"
    delimiter: str = ","


@dataclass(frozen=True)
class Row:
    """One person of an import, ready for save_contact()."""

    line: int
    address: str
    name: str = ""
    first_name: str = ""
    company: str = ""
    website: str = ""
    country: str = ""
    timezone: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Report:
    """`mapping`: header of the file → field of ours ("" where the column is left out)."""

    rows: list[Row]
    rejects: list[Reject]
    mapping: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    delimiter: str = ","


@dataclass(frozen=True)
class Stored:
    """`contacts` are all people of the report in its order, new or known before."""

    contacts: list[Contact]
    new: int
    known: int
    suppressed: int
    rejects: list[Reject] = field(default_factory=list)


def read_table(data: bytes, *, filename: str = "", most_bytes: int = MOST_BYTES) -> Table:
    """Raises ImportRefused."""
    raise NotImplementedError


def read_pasted(text: str) -> Report:
    """Lines such as `Ana <ana@b.example>`, `ana@b.example`, `ana@b.example, Ana`, or a pasted table with a header."""
    raise NotImplementedError


def read_file(data: bytes, *, filename: str, mapping: dict[str, str] | None = None) -> Report:
    raise NotImplementedError


def store(
    report: Report,
    *,
    source: str,
    basis: str = Basis.LEGITIMATE,
    country: str = "",
    actor: User | None = None,
) -> Stored:
    """Good rows become people; people known before keep what they have, blanks are filled."""
    raise NotImplementedError
