"""One conversation in the order of time: our mails with their evidence, and what came back."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, QuerySet

from mailbox.parsing import marking
from outreach import attachments, labels, timeline, why
from outreach.models import Message, MessageState, Note, Reply, ReplyKind, Thread
from tracking.models import Event

Row = TypeVar("Row", bound=Model)
# Of a long conversation: a mail costs the page some milliseconds and two kilobytes.
MOST = 20
# Text above this is folded.
LONG_TEXT = 700
_TOLD = [
    MessageState.QUEUED,
    MessageState.CLAIMED,
    MessageState.DRAFTED,
    MessageState.DEFERRED,
    MessageState.SUBMITTING,
    MessageState.DOUBT,
    MessageState.SENT,
    MessageState.REFUSED,
]


@dataclass(frozen=True)
class Ours:
    """A mail of ours. `text` is without the footer, which stands in `foot`."""

    mail: Message
    at: dt.datetime
    shown: why.Shown
    evidence: list[timeline.Entry]
    text: str
    foot: str
    is_long: bool
    who: str
    step: str
    files: list[attachments.Hung]


@dataclass(frozen=True)
class Theirs:
    """Something that came back. `attachments` are (name, size in words)."""

    reply: Reply
    at: dt.datetime
    label: labels.Shown
    attachments: list[tuple[str, str]]
    quoted_lines: int
    effects: list[str]
    is_last: bool

    @property
    def pictures(self) -> bool:
        """Whether there are any to ask for."""
        return f"{marking.REMEMBERED}=" in (self.reply.html or "")


@dataclass(frozen=True)
class Said:
    """A note to colleagues, between the mails."""

    note: Note
    at: dt.datetime
    who: str


@dataclass(frozen=True)
class Conversation:
    """The newest of a conversation, in the order of time; `earlier`: there are others before them."""

    items: list[Ours | Theirs | Said]
    earlier: bool


def of_thread(thread: Thread, *, now: dt.datetime, most: int = MOST) -> Conversation:
    """The newest `most` mails and notes. Six queries at most, whatever their number."""
    mails = _newest(
        Message.objects.filter(thread=thread).select_related(*why.WITH).prefetch_related("replies"),
        "created_at",
        most,
    )
    events: dict[uuid.UUID, list[Event]] = {}
    for event in Event.objects.filter(key__in=[mail.pk for mail in mails]).order_by("at"):
        events.setdefault(event.key, []).append(event)
    told = [mail for mail in mails if mail.state in _TOLD]
    replies = _newest(Reply.objects.filter(thread=thread), "received_at", most)
    last = next((row.pk for row in reversed(replies) if row.kind == ReplyKind.REPLY), None)
    files = attachments.by_message(told)
    found: list[Ours | Theirs | Said] = [
        _ours(mail, events.get(mail.pk, []), files.get(mail.pk, []), now) for mail in told
    ]
    found += [_theirs(row, mails, is_last=row.pk == last) for row in replies]
    for note in _newest(Note.objects.filter(thread=thread).select_related("author"), "created_at", most):
        found.append(
            Said(note, note.created_at, note.author.short_name if note.author else "A former member")
        )
    found.sort(key=lambda item: item.at)
    return Conversation(found[-most:], len(found) > most)


def _newest(rows: QuerySet[Row], at: str, most: int) -> list[Row]:
    """One more than is shown tells that there are others."""
    return list(rows.order_by(f"-{at}", "-pk")[: most + 1])[::-1]


def _ours(mail: Message, events: list[Event], files: list[attachments.Hung], now: dt.datetime) -> Ours:
    text, foot = split_foot(str(mail.text))
    shown = why.of_message(mail, now)
    evidence = [
        entry
        for entry in timeline.of_message(mail, events, now=now)
        if entry.at is not None and entry.words not in ("Queued",)
    ]
    at = mail.sent_at or mail.attempted_at or mail.queued_at or mail.created_at
    who = str(mail.mailbox.display_name or mail.mailbox.address) if mail.mailbox else "You"
    step = f"step {mail.step.position}" if mail.step else mail.get_kind_display().lower()
    return Ours(mail, at, shown, evidence, text, foot, len(text) > LONG_TEXT, who, step, files)


def split_foot(text: str) -> tuple[str, str]:
    """(what was written, the footer behind "-- ")."""
    body, found, foot = text.rpartition("\n-- \n")
    return (body.strip(), foot.strip()) if found else (text.strip(), "")


def _theirs(reply: Reply, mails: list[Message], *, is_last: bool) -> Theirs:
    quoted = str(reply.quoted)
    return Theirs(
        reply,
        reply.received_at,
        labels.shown(reply),
        attachments_of(reply),
        len([line for line in quoted.splitlines() if line.strip()]),
        _effects(mails) if is_last else [],
        is_last,
    )


def attachments_of(reply: Reply) -> list[tuple[str, str]]:
    """Names and sizes: files themselves are never fetched or stored."""
    rows = json.loads(reply.attachments or "[]")
    return [(str(name or "without a name")[:120], _size(int(size or 0))) for name, _, size in rows]


def _size(count: int) -> str:
    if count >= 1024 * 1024:
        return f"{count / 1024 / 1024:.1f} MB"
    return f"{max(1, count // 1024)} kB"


def _effects(mails: list[Message]) -> list[str]:
    """What the answer stopped."""
    steps = sorted(
        mail.step.position
        for mail in mails
        if mail.step is not None and mail.state == MessageState.CANCELLED and mail.reason == "replied"
    )
    if not steps:
        return []
    if len(steps) == 1:
        return [f"Step {steps[0]} was cancelled"]
    return [f"Steps {', '.join(map(str, steps[:-1]))} and {steps[-1]} were cancelled"]
