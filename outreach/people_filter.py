"""The filters of the contacts: they combine, stand in the address, and each can be taken away.

What is no filter's value counts as not set; the id of a tag or a list that is gone counts, finds nobody and
says so. Nothing here counts without a bound.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from urllib.parse import parse_qsl, urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from accounts import clock
from outreach.contacts import field_name, registrable
from outreach.models import Basis, Contact, ContactImport, Group, Grouping, Message, MessageState, Thread
from outreach.models.contacts import address_index

MOST_COUNTED = 2_000
WRITTEN = {
    "never": "Never written to",
    "ever": "Written to",
    "7": "Written to in the last 7 days",
    "30": "Written to in the last 30 days",
    "90": "Written to in the last 90 days",
    "not30": "Not written to in the last 30 days",
    "not90": "Not written to in the last 90 days",
}
REPLIED = {"yes": "Replied", "no": "Has not replied"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Chip:
    """A filter that is set, and the query without it."""

    words: str
    without: str


@dataclass(frozen=True)
class PeopleFilter:
    """`field` with `equals` or `contains`: a custom field. `since` and `until` are days, both included."""

    q: str = ""
    tag: str = ""
    list: str = ""
    site: str = ""
    country: str = ""
    basis: str = ""
    source: str = ""
    field: str = ""
    equals: str = ""
    contains: str = ""
    written: str = ""
    replied: str = ""
    brought: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> PeopleFilter:
        found = {one.name: given.get(one.name, "").replace("\x00", "").strip()[:254] for one in fields(cls)}
        own = field_name(found["field"])
        with_value = own and (found["equals"] or found["contains"])
        country = found["country"].upper()
        return cls(
            q=found["q"],
            tag=_id(found["tag"]),
            list=_id(found["list"]),
            site=registrable(found["site"]),
            country=country if re.fullmatch("[A-Z]{2}", country) else "",
            basis=found["basis"] if found["basis"] in Basis.values else "",
            source=found["source"],
            field=own if with_value else "",
            equals=found["equals"] if with_value else "",
            contains=found["contains"] if with_value and not found["equals"] else "",
            written=found["written"] if found["written"] in WRITTEN else "",
            replied=found["replied"] if found["replied"] in REPLIED else "",
            brought=_id(found["brought"]),
            since=found["since"] if _day(found["since"]) else "",
            until=found["until"] if _day(found["until"]) else "",
        )

    def query(self, **other: str) -> str:
        changed = replace(self, **other)
        pairs = [(one.name, getattr(changed, one.name)) for one in fields(changed)]
        return urlencode([(name, value) for name, value in pairs if value])

    @property
    def others(self) -> Sequence[tuple[str, str]]:
        """All that is set but the words, for the form that looks for them."""
        return parse_qsl(self.query(q=""))

    @property
    def is_set(self) -> bool:
        return bool(self.query())

    def rows(self) -> QuerySet[Contact]:
        """In no order yet."""
        rows: QuerySet[Contact] = Contact.objects.all()
        if self.q:
            rows = rows.filter(_words(self.q))
        for group in filter(None, (self.tag, self.list)):
            inside = Grouping.objects.standing().filter(group_id=group, contact=OuterRef("pk"))
            rows = rows.filter(Exists(inside))
        if self.site:
            rows = rows.filter(site__domain=self.site)
        for name in ("country", "basis"):
            if getattr(self, name):
                rows = rows.filter(**{name: getattr(self, name)})
        if self.source:
            rows = rows.filter(source__icontains=self.source)
        if self.equals:
            rows = rows.filter(fields__contains={self.field: self.equals})
        elif self.contains:
            value = KeyTextTransform(self.field, "fields")
            rows = rows.alias(own=value).filter(own__icontains=self.contains)
        if self.written:
            rows = rows.filter(_written(self.written))
        if self.replied:
            answered = Exists(Thread.objects.filter(contact=OuterRef("pk"), replied_at__isnull=False))
            rows = rows.filter(answered if self.replied == "yes" else ~answered)
        if self.brought:
            rows = rows.filter(imported_by=uuid.UUID(self.brought))
        since, until = _day(self.since), _day(self.until)
        if since:
            rows = rows.filter(created_at__gte=since)
        if until:
            rows = rows.filter(created_at__lt=until + dt.timedelta(days=1))
        return rows

    @cached_property
    def chips(self) -> Sequence[Chip]:
        """Two queries at most, whatever is set."""
        wanted = [pk for pk in (self.tag, self.list) if pk]
        named = {str(row.pk): row for row in Group.objects.filter(pk__in=wanted)} if wanted else {}
        found = []
        for kind in ("tag", "list"):
            pk = getattr(self, kind)
            if pk:
                row = named.get(pk)
                words = f"{kind.capitalize()} {row.name}" if row else f"A {kind} that was deleted"
                found.append(Chip(words, self.query(**{kind: ""})))
        said = {
            "q": f"“{self.q}”",
            "site": self.site,
            "country": f"Country {self.country}",
            "basis": Basis(self.basis).label if self.basis else "",
            "source": f"Source with “{self.source}”",
            "written": WRITTEN.get(self.written, ""),
            "replied": REPLIED.get(self.replied, ""),
            "brought": self._import_words() if self.brought else "",
            "since": f"Added from {self.since}",
            "until": f"Added until {self.until}",
        }
        found += [
            Chip(words, self.query(**{name: ""})) for name, words in said.items() if getattr(self, name)
        ]
        if self.field:
            words = f"is “{self.equals}”" if self.equals else f"has “{self.contains}”"
            found.append(Chip(f"{self.field} {words}", self.query(field="", equals="", contains="")))
        return found

    @cached_property
    def lost(self) -> str:
        """The sentence for a tag or a list that is not there any more; "" where all are."""
        gone = [chip.words for chip in self.chips if chip.words.endswith("that was deleted")]
        return f"{gone[0]} stands in this filter, so nobody fits. Take it away to go on." if gone else ""

    def _import_words(self) -> str:
        row = ContactImport.objects.filter(pk=self.brought).first()
        return f"Import {row.filename or 'of lines'}" if row else "An import that is gone"


NAMES = tuple(one.name for one in fields(PeopleFilter))


def told(rows: QuerySet[Contact]) -> str:
    """How many, or "2,000+"."""
    count = rows.order_by()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"


def _words(asked: str) -> Q:
    """An exact address by its blind index; else a part of company, site or source (names are ciphertext)."""
    if "@" in asked.strip("@"):
        return Q(address_index=address_index(asked))
    part = asked.strip("@")
    return Q(company__icontains=part) | Q(site__domain__icontains=part) | Q(source__icontains=part)


def _written(choice: str) -> Q:
    sent = Message.objects.filter(contact=OuterRef("pk"), state=MessageState.SENT)
    days = choice.removeprefix("not")
    if days.isdecimal():
        sent = sent.filter(sent_at__gte=clock.now() - dt.timedelta(days=int(days)))
    none = choice == "never" or choice.startswith("not")
    return Q(~Exists(sent)) if none else Q(Exists(sent))


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""


def _day(text: str) -> dt.datetime | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        found = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
        return found if 1900 < found.year < 9000 else None
    except ValueError:
        return None
