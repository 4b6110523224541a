"""Conversations in which something came back: who waits for an answer, what is done."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from outreach import labels
from outreach.models import Reply, ReplyKind, Thread

FILTERS = {"": "Waiting", "done": "Done", "all": "All"}
LONGEST = 160


@dataclass(frozen=True)
class Row:
    """A conversation of the list, with its newest inbound mail."""

    thread: Thread
    reply: Reply | None
    label: labels.Shown
    line: str


def threads(show: str) -> QuerySet[Thread]:
    """Newest first. "Done" holds those in which a person answered and nobody waits any more."""
    inbound = Reply.objects.filter(thread=OuterRef("pk"))
    rows = Thread.objects.select_related("contact__site", "project", "campaign")
    match show:
        case "done":
            answered = Exists(inbound.filter(kind=ReplyKind.REPLY))
            rows = rows.filter(Q(answered) | Q(done_at__isnull=False), waits_since=None)
        case "all":
            rows = rows.filter(Exists(inbound))
        case _:
            rows = rows.filter(waits_since__isnull=False)
    return rows.order_by("-last_at", "-id")


def counts() -> dict[str, int]:
    """How many wait, for the filter."""
    return Thread.objects.aggregate(waiting=Count("id", filter=Q(waits_since__isnull=False)))


def rows_of(found: Iterable[Thread]) -> list[Row]:
    """Two queries for all rows: the newest answer by a person counts for more than a later auto-reply."""
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
