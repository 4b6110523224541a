"""What came back in one of our conversations: read once, then stored with all that follows from it.

`read` needs no database; `store` runs inside the transaction that also moves the mailbox's cursor. Nothing
is ever answered by software (F38), and a report counts only for the recipient we wrote to (F39).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from django.conf import settings
from django.db.models.functions import Coalesce, Greatest

from accounts import audit, clock
from accounts.clock import Now
from mailbox.models import Mailbox
from mailbox.parsing import html
from mailbox.parsing.autoreplies import AutoReply, read_auto_reply
from mailbox.parsing.bounces import Bounce, BounceKind, FailedRecipient, read_bounce
from mailbox.parsing.content import Content, read_content
from mailbox.parsing.quoting import split_text
from mailbox.types import InboundEmail
from outreach import opting_out, sequences, suppression, threads
from outreach.models import (
    EnrollmentState,
    Label,
    Message,
    Reply,
    ReplyKind,
    SuppressionReason,
    Thread,
)
from outreach.models.contacts import normal_address

# An answering machine that names a far day is not waited for longer than this.
MOST_DAYS_AWAY = 60
# The column is short.
_STORED_KIND = {BounceKind.COMPLAINT: "spam"}


@dataclass(frozen=True)
class Arrival:
    """One mail of ours, read: exactly one of `bounce`, `auto` or neither (a person's reply)."""

    match: threads.Match
    content: Content
    new: str
    quoted: str
    bounce: Bounce | None
    auto: AutoReply | None
    truncated: bool

    @property
    def kind(self) -> ReplyKind:
        if self.bounce is not None:
            return ReplyKind.BOUNCE
        return ReplyKind.AUTO_REPLY if self.auto is not None else ReplyKind.REPLY


def read(match: threads.Match, email: InboundEmail) -> Arrival:
    """Never raises on what a stranger wrote (F33)."""
    content = read_content(email.raw)
    bounce = read_bounce(email.raw)
    split = split_text(content.text)
    pairs = tuple(content.headers.pairs) or match.header.headers
    auto = read_auto_reply(pairs, match.header.subject, split.new) if bounce is None else None
    return Arrival(
        match=match,
        content=content,
        new=split.new,
        quoted=split.quoted,
        bounce=bounce,
        auto=auto,
        truncated=email.truncated or content.truncated,
    )


def store(mailbox: Mailbox, arrival: Arrival) -> Reply | None:
    """Store it once, and act on it; None for a report that is not about a mail of ours."""
    header, message = arrival.match.header, arrival.match.message
    failed = _about_ours(arrival, message)
    if arrival.bounce is not None and failed is None:
        return None
    if threads.is_report(header) and arrival.bounce is None and arrival.auto is None:
        # A mail system's notice that says nothing about a mail of ours is no person's answer.
        return None
    thread = arrival.match.thread
    index = threads.provider_index(header.provider_id)
    if Reply.objects.filter(mailbox=mailbox, provider_index=index).exists():
        return None
    other = message is not None and normal_address(header.from_address) != normal_address(message.to_address)
    stops = arrival.kind == ReplyKind.REPLY and opting_out.asks_to_stop(arrival.new)
    reply: Reply = Reply.objects.create(
        thread=thread,
        mailbox=mailbox,
        message=message,
        kind=arrival.kind,
        provider_id=header.provider_id,
        provider_index=index,
        rfc_message_id=header.message_id,
        rfc_message_index=threads.message_id_index(header.message_id),
        from_address=header.from_address,
        from_name=header.from_name,
        subject=header.subject,
        text=arrival.new,
        quoted=arrival.quoted,
        html=html.sanitise(arrival.content.html) if arrival.content.html else None,
        attachments=json.dumps([[a.name, a.content_type, a.size] for a in arrival.content.attachments]),
        size=header.size,
        truncated=arrival.truncated,
        different_sender=other and arrival.bounce is None,
        label=Label.OPTED_OUT if stops else "",
        labelled_at=clock.now() if stops else None,
        bounce_kind=_kind(failed) if failed else "",
        bounce_status=failed.status[:12] if failed else "",
        diagnostic=failed.diagnostic if failed else None,
        received_at=header.received_at,
    )
    Thread.objects.filter(pk=thread.pk).update(last_at=Greatest("last_at", header.received_at))
    if failed is not None and message is not None:
        _bounced(message, failed)
    elif arrival.auto is not None:
        _answered_by_machine(arrival, arrival.auto, message)
    else:
        _answered(arrival, message, opted_out=stops)
    return reply


def seen_by_hand(thread: Thread, at: dt.datetime) -> None:
    """The user answered in the mailbox itself: the conversation waits for nobody any more."""
    Thread.objects.filter(pk=thread.pk, waits_since__lte=at).update(
        waits_since=None, last_at=Greatest("last_at", at)
    )


# --- consequences -----------------------------------------------------------------------------------


def _answered(arrival: Arrival, message: Message | None, *, opted_out: bool) -> None:
    """A person wrote: the sequence stops, the conversation waits for us (F27, F35)."""
    thread, at = arrival.match.thread, arrival.match.header.received_at
    Thread.objects.filter(pk=thread.pk).update(waits_since=Coalesce("waits_since", at), done_at=None)
    if message is not None:
        Message.objects.filter(pk=message.pk).update(replied_at=Coalesce("replied_at", at))
    if thread.enrollment is not None:
        sequences.stop(thread.enrollment, EnrollmentState.REPLIED, reason="replied")
    if opted_out:
        suppression.suppress(
            thread.contact.address,
            reason=SuppressionReason.OPTED_OUT,
            note="Asked for it in a reply",
        )


def _answered_by_machine(arrival: Arrival, auto: AutoReply, message: Message | None) -> None:
    """Not an answer: nothing stops, the next step moves behind the return (F38)."""
    thread, at = arrival.match.thread, arrival.match.header.received_at
    if message is not None:
        Message.objects.filter(pk=message.pk).update(auto_replied_at=Coalesce("auto_replied_at", at))
    if thread.enrollment is None:
        return
    now = clock.now()
    away = float(settings.AUTO_REPLY_DAYS)
    if auto.back_on is not None:
        # Whole days from today, so that a demo's short days shorten the absence as well.
        away = float(min(max((auto.back_on - now.date()).days, 1), MOST_DAYS_AWAY))
    sequences.postpone(thread.enrollment, until=now + sequences.days(away))


def _bounced(message: Message, failed: FailedRecipient) -> None:
    """Hard: never again. Blocked: not this way again. Full or late: recorded, nothing more (F39)."""
    kind = failed.kind
    rows = Message.objects.filter(pk=message.pk)
    if kind == BounceKind.DELAYED:
        # The server still tries; a later report that it gave up counts more.
        rows.filter(bounce_kind__in=["", kind.value]).update(bounced_at=Now(), bounce_kind=kind.value)
        return
    rows.update(bounced_at=Now(), bounce_kind=_kind(failed))
    if message.enrollment is not None and kind in (BounceKind.HARD, BounceKind.BLOCKED):
        reason = "bounced" if kind == BounceKind.HARD else "blocked"
        sequences.stop(message.enrollment, EnrollmentState.BOUNCED, reason=reason)
    if kind == BounceKind.HARD:
        suppression.suppress(
            message.to_address, reason=SuppressionReason.BOUNCED, note=failed.status or "Address not found"
        )
    elif kind == BounceKind.COMPLAINT:
        suppression.suppress(message.to_address, reason=SuppressionReason.COMPLAINED)
    audit.record("message.bounced", f"Mail to {message.to_address} came back", object_id=message.pk)


def _about_ours(arrival: Arrival, message: Message | None) -> FailedRecipient | None:
    """The part of a report that is about the recipient we wrote to; None makes it backscatter."""
    bounce = arrival.bounce
    if bounce is None or message is None:
        return None
    to = normal_address(message.to_address)
    for failed in bounce.recipients:
        if normal_address(failed.address) == to:
            return failed
    if bounce.kind == BounceKind.COMPLAINT and not bounce.recipients:
        return FailedRecipient(message.to_address, "failed", "", "", BounceKind.COMPLAINT)
    return None


def _kind(failed: FailedRecipient) -> str:
    return _STORED_KIND.get(failed.kind, failed.kind.value)
