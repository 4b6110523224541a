"""Stores facts and sends them up. Open the workspace and a transaction first.

Facts of one mail are stored one after another (an advisory lock on its key), so that doubled hits and
bursts are noticed however they arrive.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import connection

from accounts.clock import Now
from tracking.models import Event, Kind, LinkTarget, Source
from tracking.signals import tracked

# The same hit within this time is one hit; more links than this within it are a gateway's (threats 3).
MOMENT = dt.timedelta(seconds=2)
MOST_LINKS_OF_A_PERSON = 3


@dataclass(frozen=True)
class Counts:
    """What a mail's events add up to. `opens` may be automatic; `clicks` are likely a person's."""

    opens: int
    opened_at: dt.datetime | None
    clicks: int
    clicked_at: dt.datetime | None
    automatic_clicks: int


def observe(key: uuid.UUID, kind: Kind, *, source: Source, link: int | None = None) -> bool:
    """Store an open or a click and send it up; False for a doubled hit."""
    _one_after_another(key)
    recent = Event.objects.filter(key=key, kind=kind, at__gt=Now() - MOMENT)
    if recent.filter(link=link).exists():
        return False
    if kind == Kind.CLICKED:
        links = set(recent.values_list("link", flat=True)) | {link}
        if len(links) > MOST_LINKS_OF_A_PERSON:
            recent.exclude(source=Source.SELF).update(source=Source.SCANNER)
            source = Source.SCANNER if source != Source.SELF else source
    _store(key, kind, source=source, link=link)
    return True


def opt_out(key: uuid.UUID, *, detail: str, address_index: bytes) -> None:
    """Store an opt-out and send it up: always, because a second one may be wider than the first."""
    _one_after_another(key)
    _store(key, Kind.OPTED_OUT, source=Source.HUMAN, detail=detail, address_index=address_index)


def counts(key: uuid.UUID) -> Counts:
    """Figures of one mail from its events; a sender's own visits are left out."""
    events = Event.objects.filter(key=key).exclude(source=Source.SELF).order_by("at")
    rows = list(events.values_list("kind", "source", "at"))
    opens = [at for kind, source, at in rows if kind == Kind.OPENED and source != Source.SCANNER]
    clicks = [at for kind, source, at in rows if kind == Kind.CLICKED and source == Source.HUMAN]
    return Counts(
        opens=len(opens),
        opened_at=opens[0] if opens else None,
        clicks=len(clicks),
        clicked_at=clicks[0] if clicks else None,
        automatic_clicks=sum(kind == Kind.CLICKED and source != Source.HUMAN for kind, source, _ in rows),
    )


def forget(keys: list[uuid.UUID]) -> int:
    """Erase all that is stored of these mails; how many rows. Their opt-out links go on working."""
    events, _ = Event.objects.filter(key__in=keys).delete()
    targets, _ = LinkTarget.objects.filter(key__in=keys).delete()
    return events + targets


def _store(
    key: uuid.UUID,
    kind: Kind,
    *,
    source: Source,
    link: int | None = None,
    detail: str = "",
    address_index: bytes = b"",
) -> None:
    Event.objects.create(key=key, kind=kind, source=source, link=link)
    tracked.send(
        sender=Event,
        key=key,
        kind=kind,
        source=source,
        link=link,
        detail=detail,
        address_index=address_index,
    )


def _one_after_another(key: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key.bytes[8:], "big", signed=True)]
        )
