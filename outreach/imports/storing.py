"""Rows that were read become people: who is known keeps what is there, and blanks are filled."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from accounts.tenancy import uuid7
from outreach import contacts as people
from outreach import groups
from outreach.contacts import BadContact
from outreach.importing import Reject, Report, Row
from outreach.models import Basis, Contact, ContactImport, GroupKind, Site
from outreach.models.contacts import address_index
from outreach.suppression import blocking

_BATCH = 500


@dataclass(frozen=True)
class Taken:
    """What became of some rows. `contacts` are all people of them in their order, new or known.

    `blocked` of them are not written to; an import does not bring them back. `filled`: a known person's id →
    what was blank and is not any more, as `undoing` takes it back. `grouped`: how often somebody was put into
    a tag or a list.
    """

    contacts: list[Contact]
    new: int
    known: int
    blocked: int
    filled: dict[str, dict[str, Any]] = field(default_factory=dict)
    grouped: int = 0


@dataclass(frozen=True)
class Stored:
    """A whole list that was stored at once, and the rows left out."""

    contacts: list[Contact]
    new: int
    known: int
    suppressed: int
    rejects: list[Reject] = field(default_factory=list)


def store(
    report: Report,
    *,
    source: str,
    basis: str = Basis.LEGITIMATE,
    country: str = "",
    actor: User | None = None,
) -> Stored:
    """`country` is for rows that name none. Raises BadContact for a bad source, basis or country."""
    with transaction.atomic():
        taken = take(report.rows, source=source, basis=basis, country=country)
        audit.record(
            "contacts.imported",
            f"{taken.new} people added, {taken.known} known before, {len(report.rejects)} rows left out",
            actor=actor,
        )
    return Stored(taken.contacts, taken.new, taken.known, taken.blocked, report.rejects)


def take(
    rows: Sequence[Row],
    *,
    source: str,
    basis: str,
    country: str = "",
    by: ContactImport | None = None,
) -> Taken:
    """Inside a transaction. `by` is the import that the new people are from. Raises BadContact."""
    source = people.clean_line("source", source, 200) or people.DEFAULT_SOURCE
    country = people.clean_country(country)
    if basis not in Basis.values:
        raise BadContact("basis", "Choose one of the list.")
    indexes = [address_index(row.address) for row in rows]
    domains = [_domain(row) for row in rows]
    sites = _sites(domains)
    # Two imports of the same people wait for each other in one order: sites, known people, new ones.
    known = {
        bytes(contact.address_index): contact
        for contact in Contact.objects.filter(address_index__in=indexes).order_by("pk").select_for_update()
    }
    fresh: dict[bytes, Contact] = {}
    filled: dict[str, dict[str, Any]] = {}
    for row, index, domain in zip(rows, indexes, domains, strict=True):
        if index in known:
            more = _fill_blanks(known[index], row, country=country, site=sites.get(domain))
            if more:
                filled[str(known[index].pk)] = more
            continue
        fresh[index] = Contact(
            address=row.address,
            address_index=index,
            name=row.name,
            first_name=row.first_name,
            company=row.company,
            site=sites.get(domain),
            fields=row.fields,
            country=row.country or country,
            timezone=row.timezone,
            basis=basis,
            source=source,
            imported_by=by,
        )
    _name_again(known, by)
    in_order = [fresh[index] for index in sorted(fresh)]
    Contact.objects.bulk_create(in_order, batch_size=_BATCH, ignore_conflicts=True)
    found = known | {
        bytes(contact.address_index): contact
        for contact in Contact.objects.filter(address_index__in=list(fresh)).select_related("site")
    }
    # Somebody else may have added the same person in between.
    made = sum(1 for index, contact in fresh.items() if index in found and found[index].pk == contact.pk)
    everybody = [found[index] for index in indexes if index in found]
    blocked = blocking(row.address for row in rows)
    pairs = [(row, found[index].pk) for row, index in zip(rows, indexes, strict=True) if index in found]
    grouped = _into_groups(pairs, by)
    return Taken(everybody, made, len(everybody) - made, len(blocked), filled, grouped)


def _into_groups(pairs: Sequence[tuple[Row, uuid.UUID]], by: ContactImport | None) -> int:
    """The tags that each row names, and the group that the whole list goes into."""
    act = by.pk if by is not None else uuid7()
    named: dict[str, list[uuid.UUID]] = {}
    words: dict[str, str] = {}
    for row, person in pairs:
        for tag in row.tags:
            words.setdefault(tag.lower(), tag)
            named.setdefault(tag.lower(), []).append(person)
    # In one order, so that two imports that name the same tags wait for each other.
    grouped = sum(
        groups.put_from_import(
            groups.find_or_make(GroupKind.TAG, words[tag], actor=None), named[tag], act=act
        )
        for tag in sorted(named)
    )
    if by is not None and by.group is not None:
        grouped += groups.put_from_import(by.group, [person for _, person in pairs], act=act)
    return grouped


def _name_again(known: Mapping[bytes, Contact], by: ContactImport | None) -> None:
    """People whom another list brought are in this one as well: undoing that one lets them stay."""
    own = by.pk if by is not None else None
    others = [row.pk for row in known.values() if row.imported_by_id and row.imported_by_id != own]
    if others:
        Contact.objects.filter(pk__in=others, touched_at=None).update(touched_at=Now())


def _domain(row: Row) -> str:
    domain = people.registrable(row.website or row.address)
    return "" if domain in people.FREE_MAIL else domain


def _sites(names: Iterable[str]) -> dict[str, Site]:
    """The sites of all rows, made where they were not, in three queries."""
    domains = {domain for domain in names if domain}
    known = set(Site.objects.filter(domain__in=domains).values_list("domain", flat=True))
    missing = [Site(domain=domain) for domain in sorted(domains - known)]
    Site.objects.bulk_create(missing, batch_size=_BATCH, ignore_conflicts=True)
    return {site.domain: site for site in Site.objects.filter(domain__in=domains)}


def _fill_blanks(contact: Contact, row: Row, *, country: str, site: Site | None) -> dict[str, Any]:
    """What was filled in: column → value, custom fields and the site's id under their columns' names."""
    filled: dict[str, Any] = {}
    for name, value in (
        ("name", row.name),
        ("first_name", row.first_name),
        ("company", row.company),
        ("country", row.country or country),
        ("timezone", row.timezone),
    ):
        if value and not getattr(contact, name):
            setattr(contact, name, value)
            filled[name] = value
    more = {name: value for name, value in row.fields.items() if value and not contact.fields.get(name)}
    if more:
        contact.fields = {**contact.fields, **more}
        filled["fields"] = more
    if contact.site_id is None and site is not None:
        contact.site = site
        filled["site"] = str(site.pk)
    if filled:
        contact.save(update_fields=list(filled))
    return filled
