"""What of the activity log a person asks for: filters, a page at a time, and how the chain stands.

Words are ciphertext, so that nothing searches them: who, what, which object and when are what lists go by.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from accounts import audit
from accounts.activity import sealing
from accounts.models import AuditAnchor, AuditEvent, AuditSeal, AuditText
from accounts.origin import ActorKind

PAGE = 50
# What an act is about → how the list of choices calls it.
KINDS = {
    "workspace": "Workspace",
    "member": "Members",
    "invitation": "Invitations",
    "key": "API keys",
    "mailbox": "Mailboxes",
    "project": "Projects",
    "campaign": "Campaigns",
    "text": "Texts of the library",
    "holiday": "Holidays",
    "message": "Mails",
    "thread": "Conversations",
    "reply": "Replies",
    "contact": "Contacts",
    "site": "Sites",
    "case": "Removal cases",
    "removal": "Removal requests",
    "recipient": "Acts of recipients",
    "suppression": "Suppressions",
    "activity": "This log",
}
# Besides people, whom `who` may name.
OTHERS = {ActorKind.PRODUCT: "Outreach itself", ActorKind.KEY: "API keys", ActorKind.OPERATOR: "The operator"}


@dataclass(frozen=True)
class Asked:
    """The filters; what cannot be read is left out. Days are UTC, both included."""

    who: str = ""
    kind: str = ""
    object_id: str = ""
    since: dt.date | None = None
    until: dt.date | None = None

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        return cls(
            who=_short(query.get("who", ""), 34),
            kind=_short(query.get("kind", ""), 20),
            object_id=_short(query.get("object", ""), 40),
            since=_day(query.get("from", "")),
            until=_day(query.get("to", "")),
        )

    @property
    def query(self) -> str:
        """As the query of an address; empty where nothing is asked for."""
        named = {
            "who": self.who,
            "kind": self.kind,
            "object": self.object_id,
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
        }
        return urlencode({name: value for name, value in named.items() if value})

    def rows(self) -> QuerySet[AuditEvent]:
        """Newest first."""
        found = audit.lines()
        if self.who in OTHERS:
            found = found.filter(actor_kind=self.who)
        elif self.who:
            found = found.filter(actor__sid=self.who)
        if self.kind:
            found = found.filter(object_kind=self.kind)
        if self.object_id:
            found = found.filter(object_id=self.object_id)
        if self.since:
            found = found.filter(at__gte=_midnight(self.since))
        if self.until and self.until < dt.date.max:
            found = found.filter(at__lt=_midnight(self.until + dt.timedelta(days=1)))
        return found

    def batches(self) -> Iterator[list[AuditEvent]]:
        """All of them, in batches."""
        rows, after = self.rows(), None
        while True:
            batch = list(_behind(rows, after)[: sealing.BATCH])
            if not batch:
                return
            yield batch
            after = batch[-1]


@dataclass(frozen=True)
class Page:
    """Some lines, the id behind which the next page begins, and the ids of lines that were changed."""

    lines: list[AuditEvent]
    older: str
    misfits: set[uuid.UUID]


def page_of(asked: Asked, before: str) -> Page:
    """The page behind the line `before`, or the first. Counts nothing, however long the log is."""
    rows = asked.rows()
    found = list(_behind(rows, _line(before))[: PAGE + 1])
    lines = found[:PAGE]
    older = str(lines[-1].pk) if len(found) > PAGE else ""
    return Page(lines, older, sealing.misfits(lines))


@dataclass(frozen=True)
class Chain:
    """How far the log is sealed, and what the last walk over all of it found."""

    sealed: int
    until: dt.datetime | None
    waiting: int
    anchor: AuditAnchor | None

    @property
    def fault(self) -> str:
        return self.anchor.fault if self.anchor else ""


def chain() -> Chain:
    last = AuditSeal.objects.select_related("event").order_by("-seq").first()
    return Chain(
        sealed=last.seq if last else 0,
        until=last.event.at if last else None,
        waiting=AuditText.objects.filter(sealed=False).count(),
        anchor=AuditAnchor.objects.order_by("-day").first(),
    )


def _behind(rows: QuerySet[AuditEvent], line: AuditEvent | None) -> QuerySet[AuditEvent]:
    return rows.filter(Q(at__lt=line.at) | Q(at=line.at, pk__lt=line.pk)) if line else rows


def _line(pk: str) -> AuditEvent | None:
    try:
        return AuditEvent.objects.filter(pk=uuid.UUID(pk)).first() if pk else None
    except ValueError:
        return None


def _day(text: str) -> dt.date | None:
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return found if len(text) == 10 else None


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _short(text: str, most: int) -> str:
    """A value that may be compared with a column; a longer one, or one with a NUL, fits nothing anyway."""
    return text if len(text) <= most and "\x00" not in text else "-"
