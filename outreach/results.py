"""What became of a mail, written with all that follows from it: the rows' last word.

The send stage and the settle stage learn results at different times; what a result means is the same. Each
function writes under the fence that its caller holds and says whether it still held it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from psycopg2 import Binary

from accounts import audit, clock
from accounts.clock import Now
from accounts.encryption import seal
from accounts.failpoints import failpoint
from mailbox import limits
from mailbox.types import Draft, SentEmail
from outreach import sequences, threads
from outreach.models import EnrollmentState, Message, MessageKind, MessageState, Thread
from outreach.models.messages import has_draft


class OtherThread(Exception):
    """Another of our threads has this conversation at the provider already."""


def record_sent(
    message: Message, *, fence: int, was: list[MessageState], sent: SentEmail | None, copies: int = 0
) -> bool:
    """The provider accepted: the row, its thread, the next step and the activity log, in one transaction.

    `sent` is None, or lacks its Message-ID, where the provider gave no more yet: the settle stage reads the
    rest at settle_at.
    """
    complete = sent is not None and bool(sent.message_id)
    values = _ids(message, sent)
    values |= {
        "message": message.pk,
        "fence": fence,
        "was": [str(state) for state in was],
        "again": None if complete else settings.SETTLE_SECONDS,
        "copies": copies,
        "answers": message.kind == MessageKind.ANSWER,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_RECORD_SENT, values)
            if not cursor.fetchone()[0]:
                return False
        message.state, message.sent_at = MessageState.SENT, message.attempted_at or clock.now()
        if message.thread is not None and sent:
            name_thread(message.thread, sent.thread_id)
        sequences.plan_next(message, after=message.sent_at)
        company = message.mailbox.company if message.mailbox else "the provider"
        audit.record(
            "message.accepted", f"Mail to {message.to_address} accepted by {company}", object_id=message.pk
        )
        failpoint("before_sent_commit")
    failpoint("after_sent_commit")
    return True


def store_ids(message: Message, sent: SentEmail) -> None:
    """Ids that were read after the mail was recorded as accepted."""
    with connection.cursor() as cursor:
        cursor.execute(_STORE_IDS, _ids(message, sent) | {"message": message.pk})
    if message.thread is not None:
        name_thread(message.thread, sent.thread_id)


def name_thread(thread: Thread, provider_thread_id: str) -> None:
    """Remember which conversation at the provider this is."""
    if not provider_thread_id or thread.provider_thread_id == provider_thread_id:
        return
    try:
        with transaction.atomic():
            write_name(thread, provider_thread_id)
    except OtherThread:
        # Replies are then matched by Message-ID.
        return


def write_name(thread: Thread, provider_thread_id: str) -> None:
    """The same, as a part of the caller's transaction, which is over where this raises OtherThread."""
    try:
        Thread.objects.filter(pk=thread.pk).update(
            provider_thread_index=threads.thread_index(provider_thread_id),
            **seal(thread, provider_thread_id=provider_thread_id),
        )
    except IntegrityError as taken:
        raise OtherThread from taken
    thread.provider_thread_id = provider_thread_id


def draft_of(message: Message) -> Draft:
    """The draft as the row remembers it."""
    thread_id = (message.thread.provider_thread_id or "") if message.thread is not None else ""
    return Draft(
        message.draft_id or "", thread_id, message.rfc_message_id or "", version=message.draft_version or ""
    )


def end(
    message: Message,
    state: MessageState,
    *,
    fence: int,
    reason: str,
    detail: str = "",
    was: list[MessageState] | None = None,
    **values: Any,
) -> bool:
    """Refused, cancelled or suppressed for good: the slot is free again, the person's sequence is over.

    A draft that remains is marked for the janitor.
    """
    with transaction.atomic():
        moved = message.move(
            state,
            fence=fence,
            was=was,
            reason=reason,
            lease_until=None,
            not_before=None,
            settle_at=None,
            ended_at=Now(),
            draft_left=has_draft(),
            **seal(message, detail=detail),
            **values,
        )
        if not moved:
            return False
        limits.give_back(message.pk)
        if message.enrollment is not None:
            to = EnrollmentState.SUPPRESSED if state == MessageState.SUPPRESSED else EnrollmentState.CANCELLED
            sequences.stop(message.enrollment, to, reason=reason)
    return True


def _ids(message: Message, sent: SentEmail | None) -> dict[str, Any]:
    """The provider's names as the statements below want them; None for what it has not told."""
    provider, stamped = (sent.provider_id, sent.message_id) if sent is not None else ("", "")
    return {
        "provider": Binary(seal(message, provider_id=provider)["provider_id"]) if provider else None,
        "provider_index": threads.provider_index(provider) if provider else None,
        "stamped": Binary(seal(message, rfc_message_id=stamped)["rfc_message_id"]) if stamped else None,
        "stamped_index": threads.message_id_index(stamped) if stamped else None,
    }


_NAMES = "%(provider)s, %(provider_index)s, %(stamped)s, %(stamped_index)s"
# Functions (migration 0011), which PostgreSQL plans once a connection.
_RECORD_SENT = f"""
SELECT outreach_accepted(%(message)s, %(fence)s, %(was)s, make_interval(secs => %(again)s), %(copies)s,
    {_NAMES}, %(answers)s)
"""  # nosec B608  (our own constants)
_STORE_IDS = f"SELECT outreach_store_ids(%(message)s, {_NAMES})"  # nosec B608  (our own constants)
