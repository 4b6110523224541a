"""Where a conversation stands in the inbox as mails come and go: place, state, label, words."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from accounts.clock import Now
from outreach.inbox import search
from outreach.models import Message, Reply, ReplyKind, Thread


def back() -> Case:
    """For update(): a place that a snooze put into the future becomes now's."""
    return Case(When(snoozed_until__isnull=False, then=Now()), default=F("stands_at"))


def heard(thread: Thread, reply: Reply, *, by_person: bool) -> None:
    """Something came in. Where a person wrote, it waits for somebody, at once, whatever was snoozed or done.

    A snooze outlives what no person wrote. Its words are found once `search.index_mails` has been told.
    """
    at = reply.received_at
    values: dict[str, Any] = {
        "last_at": Greatest("last_at", at),
        "stands_at": Greatest("stands_at", at),
        "unread": True,
    }
    if by_person:
        snoozed = When(snoozed_until__isnull=False, then=Value(at))
        values |= {
            "waits_since": Coalesce("waits_since", at),
            "replied_at": Greatest("replied_at", at),
            "stands_at": Case(snoozed, default=values["stands_at"]),
            "snoozed_until": None,
            "done_at": None,
            "label": _newest_label(),
        }
    Thread.objects.filter(pk=thread.pk).update(**values)


def written(thread: Thread, answer: Message) -> None:
    """Somebody here answered: it waits for nobody."""
    Thread.objects.filter(pk=thread.pk).update(
        waits_since=None, snoozed_until=None, stands_at=back(), unread=False, last_at=Now()
    )
    if Thread.objects.heard().filter(pk=thread.pk).exists():
        search.index(thread, str(answer.subject), str(answer.to_address), str(answer.text))


def follow_label(thread_id: uuid.UUID) -> None:
    """A reply's label was changed: the list shows and filters by that of the newest reply by a person."""
    Thread.objects.filter(pk=thread_id).update(label=_newest_label())


def newest_heard() -> Subquery:
    """When something last came in; None where nothing did."""
    rows = Reply.objects.filter(thread=OuterRef("pk")).order_by("-received_at")
    return Subquery(rows.values("received_at")[:1])


def _newest_label() -> Coalesce:
    rows = Reply.objects.filter(thread=OuterRef("pk"), kind=ReplyKind.REPLY).order_by("-received_at")
    return Coalesce(Subquery(rows.values("label")[:1]), Value(""))
