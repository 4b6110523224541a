"""The list of conversations: filters that combine, pages by keyset, and what each row shows.

A page is found by the place of a row, (stands_at, id), never by counting rows: page 2,000 costs what page 1
costs, and a reply that comes in meanwhile moves nothing from one page to the next.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from outreach import labels
from outreach.inbox import search
from outreach.models import Label, Reply, ReplyKind, Thread

SHOWS = {"": "Waiting", "snoozed": "Snoozed", "done": "Done", "all": "All"}
PER_PAGE = 50
LONGEST = 160
LONGEST_QUERY = 200
# A count that is higher stands as "99+".
MOST_COUNTED = 99
_PLACE = re.compile(r"(\d{1,17})-([0-9a-f]{32})")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Wanted:
    """The filters of the list as they stand in the address; what is no filter's value counts as not set."""

    show: str = ""
    q: str = ""
    mailbox: str = ""
    project: str = ""
    campaign: str = ""
    label: str = ""
    unread: str = ""
    mine: str = ""
    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        found = {one.name: given.get(one.name, "").strip()[:LONGEST_QUERY] for one in fields(cls)}
        return cls(
            show=found["show"] if found["show"] in SHOWS else "",
            q=found["q"].replace("\x00", ""),
            mailbox=_id(found["mailbox"]),
            project=_id(found["project"]),
            campaign=_id(found["campaign"]),
            label=found["label"] if found["label"] in Label.values else "",
            unread="yes" if found["unread"] else "",
            mine="yes" if found["mine"] else "",
            after=found["after"] if _place(found["after"]) else "",
            before=found["before"] if _place(found["before"]) else "",
        )

    def query(self, **other: str) -> str:
        """The address's query, with some filters changed."""
        changed = replace(self, **other)
        pairs = [(one.name, getattr(changed, one.name)) for one in fields(changed)]
        return urlencode([(name, value) for name, value in pairs if value])

    def first_page(self, **other: str) -> str:
        return self.query(after="", before="", **other)

    @property
    def narrowed(self) -> bool:
        """By more than the state."""
        return any((self.q, self.mailbox, self.project, self.campaign, self.label, self.unread, self.mine))


@dataclass(frozen=True)
class Row:
    """A conversation of the list, with its newest inbound mail."""

    thread: Thread
    reply: Reply | None
    label: labels.Shown
    line: str


@dataclass(frozen=True)
class Page:
    """`newer` and `older` are the places that the neighbouring pages begin behind, "" where there is none."""

    threads: list[Thread]
    newer: str = ""
    older: str = ""


def threads(wanted: Wanted, *, member: uuid.UUID | None = None) -> QuerySet[Thread]:
    """In no order yet, and not searched. `member` is whose are "mine": the id of a membership."""
    rows = Thread.objects.all()
    match wanted.show:
        case "snoozed":
            rows = rows.snoozed()
        case "done":
            rows = rows.done()
        case "all":
            rows = rows.heard()
        case _:
            rows = rows.waiting()
    for name in ("mailbox", "project", "campaign", "label"):
        if getattr(wanted, name):
            rows = rows.filter(**{name: getattr(wanted, name)})
    if wanted.unread:
        rows = rows.filter(unread=True)
    if wanted.mine:
        rows = rows.filter(assignee=member, assignee__isnull=False)
    return rows


def page_of(rows: QuerySet[Thread], wanted: Wanted, *, size: int = PER_PAGE) -> Page:
    """The rows behind `after`, or those before `before`, that hold the words; newest first. One query.

    Where words are looked for, as many more as the search needs.
    """
    back = bool(wanted.before)
    place = _place(wanted.before or wanted.after)
    if place is not None:
        at, pk = place
        # The first part bounds the walk through the index, the second decides between rows of one moment.
        if back:
            rows = rows.filter(Q(stands_at__gt=at) | Q(stands_at=at, id__gt=pk), stands_at__gte=at)
        else:
            rows = rows.filter(Q(stands_at__lt=at) | Q(stands_at=at, id__lt=pk), stands_at__lte=at)
    order = ("stands_at", "id") if back else ("-stands_at", "-id")
    rows = rows.order_by(*order)
    if wanted.q:
        rows = search.narrow(rows, wanted.q, most=size + 1)
    found = list(rows.select_related("contact__site", "project", "campaign", "assignee__user")[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    if not found:
        return Page([])
    newer = more if back else bool(wanted.after)
    older = bool(wanted.before) or more
    return Page(found, place_of(found[0]) if newer else "", place_of(found[-1]) if older else "")


def place_of(thread: Thread) -> str:
    """The place of a row for an address: microseconds and id."""
    assert thread.stands_at is not None  # noqa: S101  (every list asks for it)
    return f"{(thread.stands_at - _EPOCH) // dt.timedelta(microseconds=1)}-{thread.pk.hex}"


def count(rows: QuerySet[Thread]) -> int:
    """At most one more than MOST_COUNTED."""
    return rows.order_by()[: MOST_COUNTED + 1].count()


def told(rows: QuerySet[Thread]) -> int | str:
    """How many there are, or "99+"."""
    number = count(rows)
    return number if number <= MOST_COUNTED else in_words(number)


def in_words(number: int) -> str:
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number)


def rows_of(found: Iterable[Thread]) -> list[Row]:
    """One query for all rows: the newest answer by a person counts for more than a later auto-reply."""
    listed = list(found)
    newest = newest_replies([row.pk for row in listed])
    rows = []
    for thread in listed:
        reply = newest.get(thread.pk)
        label = labels.shown(reply) if reply else labels.Shown("n", "accepted", "Accepted")
        rows.append(Row(thread, reply, label, line_of(reply)))
    return rows


def newest_replies(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Reply]:
    """Thread → its newest reply by a person, else its newest inbound mail."""
    rows = (
        Reply.objects.filter(thread__in=list(ids))
        .defer("html", "quoted", "attachments")
        .annotate(by_person=Q(kind=ReplyKind.REPLY))
        .order_by("thread", "-by_person", "-received_at")
        .distinct("thread")
    )
    return {row.thread_id: row for row in rows}


def line_of(reply: Reply | None) -> str:
    """The first words of what is new in it."""
    if reply is None:
        return ""
    words = " ".join(str(reply.text).split())
    if not words and reply.kind == ReplyKind.BOUNCE:
        words = " ".join(str(reply.diagnostic or "The mail came back.").split())
    return words[:LONGEST] or "no text"


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""


def _place(text: str) -> tuple[dt.datetime, uuid.UUID] | None:
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    try:
        return _EPOCH + dt.timedelta(microseconds=int(found[1])), uuid.UUID(found[2])
    except OverflowError:
        return None
