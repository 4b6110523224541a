"""Pasted lines, CSV and XLSX become people; each row that cannot is named with its line and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction

from accounts import audit
from accounts.models import User
from outreach import contacts as people
from outreach.contacts import BadContact
from outreach.countries import country_code
from outreach.models import Basis, Contact, Site
from outreach.models.contacts import address_index, normal_address
from outreach.suppression import blocking
from outreach.tables import MOST_BYTES, MOST_ROWS, ImportRefused, Table, read_table, read_text

__all__ = [
    "MOST_BYTES", "MOST_ROWS", "ImportRefused", "Reject", "Report", "Row", "Stored", "Table",
    "read_file", "read_pasted", "read_table", "store",
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
}  # fmt: skip
_ANGLED = re.compile(r"""^\s*"?(?P<name>[^"<>]*?)"?\s*<\s*(?P<address>[^<>]*)\s*>\s*[,;]?\s*$""")
_BATCH = 500


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
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Report:
    """`mapping`: header of the file → field of ours, or the name of a field of your own ("": left out)."""

    rows: list[Row]
    rejects: list[Reject]
    mapping: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    delimiter: str = ","


@dataclass(frozen=True)
class Stored:
    """`contacts` are all people of the report in its order, new or known row.

    `suppressed` of them are not written to; an import does not bring them back.
    """

    contacts: list[Contact]
    new: int
    known: int
    suppressed: int
    rejects: list[Reject] = field(default_factory=list)


def read_pasted(text: str) -> Report:
    """Lines `Ana <ana@b.example>`, `ana@b.example`, `ana@b.example, Ana`, or a table with a header.

    Raises ImportRefused for nothing at all and for too much.
    """
    if len(text.encode()) > MOST_BYTES:
        raise ImportRefused(
            f"This is more than {MOST_BYTES // 1024 // 1024} MB. Upload it as a file in parts."
        )
    if not text.strip():
        raise ImportRefused("Paste at least one address.")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next(line for line in lines if line.strip())
    if "@" not in first:
        table = read_text(text)
        if "address" in _guess(table.rows[0][1]).values():
            return _from_table(table, None)
    if sum(1 for line in lines if line.strip()) > MOST_ROWS:
        raise ImportRefused(f"More than {MOST_ROWS:,} lines. Add them in parts.")
    report = Report([], [])
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        for part in _people_of(line):
            _take(report, seen, number, part, _line_values(part))
    return report


def read_file(data: bytes, *, filename: str = "", mapping: dict[str, str] | None = None) -> Report:
    """`mapping` overrules what the headers are taken for. Raises ImportRefused."""
    table = read_table(data, filename=filename)
    header = table.rows[0][1]
    if "address" not in (mapping or _guess(header)).values():
        if not any("@" in cell for cell in header):
            raise ImportRefused(
                "No column holds addresses. Name one of them “Email” in the first row: "
                + ", ".join(cell for cell in header[:8] if cell)
            )
        # A list without a header: each line is a person.
        report = Report([], [], encoding=table.encoding, delimiter=table.delimiter)
        seen: dict[str, int] = {}
        for number, cells in table.rows:
            _take(report, seen, number, ", ".join(filter(None, cells)), _cell_values(cells))
        return report
    return _from_table(table, mapping)


def store(
    report: Report,
    *,
    source: str,
    basis: str = Basis.LEGITIMATE,
    country: str = "",
    actor: User | None = None,
) -> Stored:
    """Good rows become people; who is known already keeps what is there, and blanks are filled.

    `country` is for rows that name none. Raises BadContact for a bad source, basis or country.
    """
    source = people.clean_line("source", source, 200) or people.DEFAULT_SOURCE
    country = people.clean_country(country)
    if basis not in Basis.values:
        raise BadContact("basis", "Choose one of the list.")
    with transaction.atomic():
        indexes = {row.line: address_index(row.address) for row in report.rows}
        known = {
            bytes(row.address_index): row
            for row in Contact.objects.filter(address_index__in=list(indexes.values()))
        }
        sites = _sites(report.rows)
        fresh: dict[bytes, Contact] = {}
        for row in report.rows:
            index = indexes[row.line]
            if index in known:
                _fill_blanks(known[index], row, country=country, sites=sites)
                continue
            fresh[index] = Contact(
                address=row.address,
                address_index=index,
                name=row.name,
                first_name=row.first_name,
                company=row.company,
                site=sites.get(_domain(row)),
                fields=row.fields,
                country=row.country or country,
                timezone=row.timezone,
                basis=basis,
                source=source,
            )
        made = Contact.objects.bulk_create(fresh.values(), batch_size=_BATCH, ignore_conflicts=True)
        found = known | {
            bytes(row.address_index): row
            for row in Contact.objects.filter(address_index__in=list(fresh)).select_related("site")
        }
        everybody = [found[index] for index in indexes.values() if index in found]
        blocked = blocking(row.address for row in report.rows)
        audit.record(
            "contacts.imported",
            f"{len(made)} people added, {len(known)} known before, {len(report.rejects)} rows left out",
            actor=actor,
        )
    return Stored(everybody, len(made), len(known), len(blocked), report.rejects)


def _from_table(table: Table, mapping: dict[str, str] | None) -> Report:
    header = [cell or f"Column {place}" for place, cell in enumerate(table.rows[0][1], start=1)]
    fields = _guess(header)
    if mapping is not None:
        fields = {name: mapping.get(name, fields.get(name, "")) for name in header}
    report = Report([], [], fields, table.encoding, table.delimiter)
    seen: dict[str, int] = {}
    for line, cells in table.rows[1:]:
        text = ", ".join(filter(None, cells))
        if len(cells) > len(header) and any(cells[len(header) :]):
            report.rejects.append(_reject(line, text, "The row has more cells than the header names."))
            continue
        values: dict[str, str] = {}
        for name, cell in zip(header, cells, strict=False):
            place = fields.get(name, "")
            if place and cell and not values.get(place):
                values[place] = cell
        _take(report, seen, line, text, values)
    return report


def _guess(header: list[str]) -> dict[str, str]:
    """Header → what it is: a field of ours by its name, else a field of your own by the header's name."""
    found: dict[str, str] = {}
    for name in header:
        known = next((place for place, names in HEADERS.items() if _plain(name) in names), "")
        taken = known and known in found.values()
        found[name] = known if known and not taken else people.field_name(name)
    return found


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


def _take(report: Report, seen: dict[str, int], line: int, text: str, values: dict[str, str]) -> None:
    """One row more: checked, or rejected with its reason."""
    try:
        row = _row(line, values)
    except BadContact as error:
        report.rejects.append(_reject(line, text, str(error)))
        return
    normal = normal_address(row.address)
    if normal in seen:
        report.rejects.append(_reject(line, text, f"The same address stands in line {seen[normal]}."))
        return
    seen[normal] = line
    report.rows.append(row)


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
        fields=people.clean_fields(own),
    )


def _reject(line: int, text: str, reason: str) -> Reject:
    shown = re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()
    return Reject(line, shown[:157] + "…" if len(shown) > 160 else shown, reason)


def _domain(row: Row) -> str:
    domain = people.registrable(row.website or row.address)
    return "" if domain in people.FREE_MAIL else domain


def _sites(rows: list[Row]) -> dict[str, Site]:
    """The sites of all rows, made where they were not, in three queries."""
    domains = {domain for row in rows if (domain := _domain(row))}
    known = set(Site.objects.filter(domain__in=domains).values_list("domain", flat=True))
    missing = [Site(domain=domain) for domain in sorted(domains - known)]
    Site.objects.bulk_create(missing, batch_size=_BATCH, ignore_conflicts=True)
    return {site.domain: site for site in Site.objects.filter(domain__in=domains)}


def _fill_blanks(contact: Contact, row: Row, *, country: str, sites: dict[str, Site]) -> None:
    changed = []
    for name, value in (
        ("name", row.name),
        ("first_name", row.first_name),
        ("company", row.company),
        ("country", row.country or country),
        ("timezone", row.timezone),
    ):
        if value and not getattr(contact, name):
            setattr(contact, name, value)
            changed.append(name)
    more = {name: value for name, value in row.fields.items() if not contact.fields.get(name)}
    if more:
        contact.fields = {**contact.fields, **more}
        changed.append("fields")
    if contact.site_id is None and _domain(row) in sites:
        contact.site = sites[_domain(row)]
        changed.append("site")
    if changed:
        contact.save(update_fields=changed)
