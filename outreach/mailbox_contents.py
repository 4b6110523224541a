"""What a mailbox holds here, by project: read by the bin's dialog before, by the erasure after."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from mailbox.models import Mailbox
from outreach.models import Message, MessageKind, MessageState, Project, Reply
from outreach.models.messages import COUNTED, STOPPABLE

ERASED = "mail_erased"  # Message.reason of a row whose mail is gone (outreach/erasure.py)
KIND_WORDS = {
    MessageKind.FIRST: ("first mail", "first mails"),
    MessageKind.FOLLOW_UP: ("follow-up", "follow-ups"),
    MessageKind.REMOVAL: ("removal request", "removal requests"),
    MessageKind.ANSWER: ("answer", "answers"),
    MessageKind.TEST: ("test", "tests"),
}


@dataclass(frozen=True)
class ProjectContents:
    """`queued` mails that wait, `mails` that are stored (ours and replies), `threads` they stand in."""

    project: Project
    queued: int
    mails: int
    threads: int = 0


def of_mailbox(mailbox: Mailbox) -> QuerySet[Message]:
    """This mailbox's rows of the outbox, planned ones of its campaigns included."""
    planned = Q(mailbox=None, campaign__mailbox=mailbox, state=MessageState.PLANNED)
    rows: QuerySet[Message] = Message.objects.filter(Q(mailbox=mailbox) | planned)
    return rows


def stored_mails(mailbox: Mailbox) -> QuerySet[Message]:
    """Mails of ours that left, or may have left, and are not erased."""
    rows: QuerySet[Message] = Message.objects.filter(mailbox=mailbox, state__in=COUNTED).exclude(
        reason=ERASED
    )
    return rows


def contents(mailbox: Mailbox) -> list[ProjectContents]:
    """Every project that has mail of this mailbox, by name. Three queries, however many projects."""
    waiting = _by_project(of_mailbox(mailbox).filter(state__in=STOPPABLE))
    ours = _by_project(stored_mails(mailbox))
    replies: Counter[uuid.UUID] = Counter(
        dict(
            Reply.objects.filter(mailbox=mailbox)
            .order_by()
            .values_list("thread__project")
            .annotate(n=Count("pk"))
        )
    )
    threads: Counter[uuid.UUID] = Counter(
        dict(
            Message.objects.filter(mailbox=mailbox, thread__isnull=False)
            .order_by()
            .values_list("project")
            .annotate(n=Count("thread", distinct=True))
        )
    )
    ids = set(waiting) | set(ours) | set(replies)
    return [
        ProjectContents(
            project=project,
            queued=waiting[project.pk],
            mails=ours[project.pk] + replies[project.pk],
            threads=threads[project.pk],
        )
        for project in Project.objects.filter(pk__in=ids).order_by("name")
    ]


def in_words(kinds: Counter[str]) -> str:
    """19 removal requests, 4 follow-ups."""
    parts = []
    for kind, (one, many) in KIND_WORDS.items():
        if kinds[kind]:
            parts.append(f"{kinds[kind]:,} {one if kinds[kind] == 1 else many}")
    return ", ".join(parts)


def waiting_kinds(mailbox: Mailbox) -> Counter[str]:
    """How many mails of each kind wait."""
    rows = of_mailbox(mailbox).filter(state__in=STOPPABLE).order_by()
    return Counter(dict(rows.values_list("kind").annotate(n=Count("pk"))))


def _by_project(rows: QuerySet[Message]) -> Counter[uuid.UUID]:
    return Counter(dict(rows.order_by().values_list("project").annotate(n=Count("pk"))))
