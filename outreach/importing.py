"""Pasted lines, CSV and XLSX become people; each row that cannot is named with its line and reason."""

from __future__ import annotations

import hashlib
import itertools
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from outreach import contacts as people
from outreach.contacts import BadContact
from outreach.countries import country_code
from outreach.groups import BadName, clean_name
from outreach.imports.reading import read_apart
from outreach.models.contacts import normal_address
from outreach.models.imports import ListShape
from outreach.tables import (
    MOST_BYTES,
    MOST_ROWS,
    ImportRefused,
    Stream,
    Table,
    is_workbook,
    open_text,
    read_table,
)

__all__ = [
    "MOST_BYTES", "MOST_ROWS", "ImportRefused", "Reject", "Report", "Row", "Sheet", "Sorter", "Table",
    "guess", "lay_out", "lay_out_pasted", "read_file", "read_pasted", "read_table",
]  # fmt: skip

# What exports call the columns that we know, in the form of _plain().
HEADERS = {
    "address": {"email", "e mail", "mail", "email address", "address", "e mail address", "contact email",
                "correo", "correo electronico", "adresse", "courriel", "mailadresse"},
    "name": {"name", "full name", "contact", "contact name", "nombre", "nom", "person"},
    "first_name": {"first name", "firstname", "given name", "vorname", "prenom", "nombre de pila"},
    "last_name": {"last name", "lastname", "surname", "family name", "nachname", "apellido"},
    "company": {"company", "organisation", "organization", "company name", "firma", "empresa", "publication"},
    "website": {"website", "site", "url", "domain", "web", "homepage", "webseite", "page"},
    "country": {"country", "country code", "land", "pais", "pays"},
    "timezone": {"timezone", "time zone", "zeitzone"},
    "tags": {"tags", "tag", "labels", "etiquetas", "schlagworte"},
}  # fmt: skip
MOST_TAGS = 20
_ANGLED = re.compile(r"""^\s*"?(?P<name>[^"<>]*?)"?\s*<\s*(?P<address>[^<>]*)\s*>\s*[,;]?\s*$""")
# The last columns of a file of rejected rows, which comes back when it is mended.
REJECT_COLUMNS = ["Row", "Why"]
Line = tuple[int, list[str]]
# A line's number and a hash of the address that stands in it.
_NOTE = struct.Struct(">Q16s")


@dataclass(frozen=True)
class Row:
    """One person of an import, checked and ready to be stored."""

    line: int
    address: str
    name: str = ""
    first_name: str = ""
    company: str = ""
    website: str = ""
    country: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    """`cells`: the whole row as it stood in the list."""

    line: int
    text: str
    reason: str
    cells: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """`mapping`: header of the file → field of ours, or the name of a field of your own ("": left out)."""

    rows: list[Row]
    rejects: list[Reject]
    mapping: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    delimiter: str = ","


@dataclass(frozen=True)
class Sheet:
    """A list as it lies there: names of its columns, if it has any, and one row after the other."""

    shape: ListShape
    header: list[str]
    rows: Iterator[Line]
    encoding: str = "utf-8"
    delimiter: str = ","


def read_pasted(text: str) -> Report:
    """Lines `Ana <ana@b.example>`, `ana@b.example`, `ana@b.example, Ana`, or a table with a header.

    Raises ImportRefused for nothing at all and for too much.
    """
    return _report(lay_out_pasted(text), None)


def read_file(data: bytes, *, filename: str = "", mapping: dict[str, str] | None = None) -> Report:
    """`mapping` overrules what the headers are taken for. Raises ImportRefused."""
    table = read_apart(data) if is_workbook(data) else read_table(data, filename=filename)
    return _report(lay_out(Stream(iter(table.rows), table.encoding, table.delimiter), mapping), mapping)


def lay_out_pasted(text: str, *, most_rows: int = MOST_ROWS) -> Sheet:
    """What was pasted: people line by line, or a table. Raises ImportRefused."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise ImportRefused(
            f"This is more than {MOST_BYTES // 1024 // 1024} MB. Upload it as a file in parts."
        )
    if not text.strip():
        raise ImportRefused("Paste at least one address.")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next(line for line in lines if line.strip())
    if "@" not in first:
        stream = open_text(text, most_rows=most_rows)
        _, header = next(stream.rows, (0, []))
        if "address" in guess(header).values():
            return _table(header, stream)
    if sum(1 for line in lines if line.strip()) > most_rows:
        raise ImportRefused(f"More than {most_rows:,} lines. Add them in parts.")
    return Sheet(
        ListShape.LINES,
        [],
        ((number, [part]) for number, line in enumerate(lines, start=1) for part in _people_of(line)),
    )


def lay_out(stream: Stream, mapping: Mapping[str, str] | None = None) -> Sheet:
    """A file's table; without names each line is a person. Raises ImportRefused where nobody is in it."""
    first = next(stream.rows, None)
    if first is None:
        raise ImportRefused("The file has no rows.")
    _, header = first
    if "address" in (mapping or guess(header)).values():
        return _table(header, stream)
    if not any("@" in cell for cell in header):
        raise ImportRefused(
            "No column holds addresses. Name one of them “Email” in the first row: "
            + ", ".join(cell for cell in header[:8] if cell)
        )
    rows = itertools.chain([first], stream.rows)
    return Sheet(ListShape.CELLS, [], rows, stream.encoding, stream.delimiter)


def _table(header: list[str], stream: Stream) -> Sheet:
    names = [cell or f"Column {place}" for place, cell in enumerate(header, start=1)]
    return Sheet(ListShape.TABLE, names, stream.rows, stream.encoding, stream.delimiter)


class Sorter:
    """Sorts rows of one list into people and rejects; it knows which addresses came before."""

    def __init__(self, shape: str, header: Sequence[str], mapping: Mapping[str, str]) -> None:
        self.shape, self.header, self.mapping = shape, header, mapping
        self.seen: dict[bytes, int] = {}
        self._notes = bytearray()

    def sort(self, lines: Iterable[Line]) -> tuple[list[Row], list[Reject]]:
        rows: list[Row] = []
        rejects: list[Reject] = []
        for line, cells in lines:
            try:
                row = _row(line, self._values(cells))
                self._insist_on_once(row)
            except BadContact as bad:
                rejects.append(_reject(line, cells, str(bad)))
                continue
            rows.append(row)
        return rows, rejects

    def take_notes(self) -> bytes:
        """What it learnt since it was asked last, for `remember` in another process."""
        notes, self._notes = bytes(self._notes), bytearray()
        return notes

    def remember(self, notes: bytes) -> None:
        for begin in range(0, len(notes), _NOTE.size):
            line, digest = _NOTE.unpack_from(notes, begin)
            self.seen[digest] = line

    def _insist_on_once(self, row: Row) -> None:
        digest = hashlib.blake2b(normal_address(row.address).encode(), digest_size=16).digest()
        if digest in self.seen:
            raise BadContact("address", f"The same address stands in line {self.seen[digest]}.")
        self.seen[digest] = row.line
        self._notes += _NOTE.pack(row.line, digest)

    def _values(self, cells: list[str]) -> dict[str, str]:
        """What is ours and what is a field of their own → the cell. Raises BadContact."""
        if self.shape == ListShape.LINES:
            return _line_values(cells[0])
        if self.shape == ListShape.CELLS:
            return _cell_values(cells)
        if any(cells[len(self.header) :]):
            raise BadContact("", "The row has more cells than the header names.")
        values: dict[str, str] = {}
        for name, cell in zip(self.header, cells, strict=False):
            place = self.mapping.get(name, "")
            if place and cell and not values.get(place):
                values[place] = cell
        return values


def guess(header: Sequence[str]) -> dict[str, str]:
    """Header → what it is: a field of ours by its name, else a field of your own by the header's name."""
    found: dict[str, str] = {}
    mended = list(header[-2:]) == REJECT_COLUMNS
    for name in header:
        known = next((place for place, names in HEADERS.items() if _plain(name) in names), "")
        taken = known and known in found.values()
        found[name] = known if known and not taken else people.field_name(name)
    return {**found, **dict.fromkeys(REJECT_COLUMNS, "")} if mended else found


def _report(sheet: Sheet, mapping: Mapping[str, str] | None) -> Report:
    fields = guess(sheet.header)
    if mapping is not None:
        fields = {name: mapping.get(name, fields.get(name, "")) for name in sheet.header}
    rows, rejects = Sorter(sheet.shape, sheet.header, fields).sort(sheet.rows)
    return Report(rows, rejects, fields, sheet.encoding, sheet.delimiter)


def _plain(header: str) -> str:
    return re.sub(r"[^a-z0-9áéíóúñç]+", " ", header.lower()).strip()


def _people_of(line: str) -> Iterator[str]:
    """A pasted line holds one person, or several addresses in a row as mail programs copy them."""
    parts = [part.strip() for part in re.split(r"[;,]", line) if part.strip()]
    if len(parts) > 1 and all("@" in part for part in parts):
        yield from parts
    elif line.strip():
        yield line.strip()


def _line_values(text: str) -> dict[str, str]:
    angled = _ANGLED.match(text)
    if angled:
        return {"name": angled["name"], "address": angled["address"]}
    return _cell_values([part.strip().strip('"') for part in re.split(r"[\t;,]", text)])


def _cell_values(cells: list[str]) -> dict[str, str]:
    """The cell with the @ is the address, the first other one the name, the next the company."""
    address = next((cell for cell in cells if "@" in cell), "")
    rest = [cell for cell in cells if cell and cell != address]
    values = {"address": address or (rest.pop(0) if rest else "")}
    values |= dict(zip(("name", "company"), rest, strict=False))
    angled = _ANGLED.match(values["address"])
    return values | {"name": angled["name"], "address": angled["address"]} if angled else values


def _row(line: int, values: dict[str, str]) -> Row:
    first = people.clean_line("first_name", values.get("first_name", ""), 80)
    last = people.clean_line("last_name", values.get("last_name", ""), 80)
    name = people.clean_line("name", values.get("name", ""), 160) or f"{first} {last}".strip()
    country = values.get("country", "").strip()
    website = values.get("website", "").strip()
    own = {name: cell for name, cell in values.items() if name not in HEADERS}
    if website and not people.registrable(website):
        raise BadContact("website", f"“{website[:80]}” is not a website.")
    return Row(
        line=line,
        address=people.clean_address(values.get("address", "")),
        name=name,
        first_name=first or people.first_name_of(name),
        company=people.clean_line("company", values.get("company", ""), 160),
        website=website,
        country=people.clean_country(country_code(country)),
        timezone=people.clean_timezone(values.get("timezone", "")),
        tags=_tags(values.get("tags", "")),
        fields=people.clean_fields(own),
    )


def _tags(cell: str) -> tuple[str, ...]:
    """ "Press; winter, huts" → each once, whatever its case."""
    found: dict[str, str] = {}
    try:
        for part in re.split(r"[;,|]", cell):
            if part.strip():
                found.setdefault(part.strip().lower(), clean_name(part))
    except BadName as bad:
        raise BadContact("tags", f"A tag: {bad}") from bad
    if len(found) > MOST_TAGS:
        raise BadContact("tags", f"At most {MOST_TAGS} tags for one person; this has {len(found)}.")
    return tuple(found.values())


def _reject(line: int, cells: list[str], reason: str) -> Reject:
    shown = re.sub(r"[\x00-\x1f\x7f]+", " ", ", ".join(filter(None, cells))).strip()
    return Reject(line, shown[:157] + "…" if len(shown) > 160 else shown, reason, cells)
