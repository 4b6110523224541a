"""Mails in doubt: what is known of each, and when the product looks once more by itself (decisions 1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from outreach import why
from outreach.models import Message, MessageState
from outreach.pipeline import settle
from outreach.reasons import DRAFT_EDITED

# reason → (what became of the draft, of a copy among the sent mails, why that proves nothing)
_SEEN = {
    settle.NO_TRACE: ("gone", "not found", "A draft that is gone may have been sent or thrown away."),
    settle.UNSENT_TWICE: (
        "there, unused",
        "not found",
        "The mail was handed over twice, and its draft was still there both times.",
    ),
    settle.TOO_OLD: (
        "there, unused",
        "not found",
        "More than 24 hours had passed, so we did not send it again on our own.",
    ),
    DRAFT_EDITED: (
        "there, edited",
        "not found",
        "Somebody changed the draft in the mailbox before it left, so it was not handed over.",
    ),
    settle.DISCONNECTED: ("not looked at", "not looked at", "Access to the mailbox ended before we could."),
}
_NOTHING = ("not known", "not known", "The provider did not say what became of it.")


@dataclass(frozen=True)
class Doubtful:
    """`draft` and `copy` end the sentences "Its draft is …" and "A sent copy is …"; `why` is a sentence.

    `looks_at`: when the product looks again; None where only a person can decide.
    """

    mail: Message
    draft: str
    copy: str
    why: str
    looks_at: dt.datetime | None
    company: str
    person: str
    edited: bool


def in_doubt() -> QuerySet[Message]:
    """The rows that whoever looks may see, the oldest first, with all that `known` asks for."""
    rows: QuerySet[Message] = Message.objects.filter(state=MessageState.DOUBT)
    return rows.select_related(*why.WITH).order_by("attempted_at", "pk")


def known(rows: Iterable[Message]) -> list[Doubtful]:
    """No query: rows of `in_doubt()`."""
    return [_known(row) for row in rows]


def _known(row: Message) -> Doubtful:
    draft, copy, because = _SEEN.get(row.reason, _NOTHING)
    person = (row.contact.greeting if row.contact else "") or row.to_name or row.to_address
    return Doubtful(
        row,
        draft,
        copy,
        because,
        _looks_at(row),
        why.product(row.mailbox),
        person,
        row.reason == DRAFT_EDITED,
    )


def _looks_at(row: Message) -> dt.datetime | None:
    """As `settle.unsettled` takes rows: within T_MAX of the attempt, and while a mailbox is there."""
    last = row.attempted_at + settle.T_MAX if row.attempted_at else row.not_before
    if row.settle_at is None or last is None or row.mailbox is None or not row.mailbox.is_live:
        return None
    return row.settle_at if row.settle_at < last else None
