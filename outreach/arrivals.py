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
from mailbox.parsing import autoreplies, bounces, html, quoting
from mailbox.parsing.autoreplies import AutoReply
from mailbox.parsing.bounces import BounceReport, Category, FailedRecipient
from mailbox.parsing.content import Content, read_content
from mailbox.types import InboundEmail
from outreach import opting_out, sequences, suppression, threads
from outreach.inbox import places
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
# What is stored of a mail that finally did not arrive. Where no cause is said, the person stays as they are.
_STORED = {
    Category.INVALID: "hard",
    Category.TEMPORARY: "soft",
    Category.BLOCKED: "blocked",
    Category.UNKNOWN: "blocked",
    Category.COMPLAINT: "spam",
}
# Its server still tries: no category is final before it gives up.
DELAYED = "delayed"


@dataclass(frozen=True)
class Arrival:
    """One mail of ours, read: exactly one of `bounce`, `auto` or neither (a person's reply)."""

    match: threads.Match
    content: Content
    new: str
    quoted: str
    bounce: BounceReport | None
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
    bounce = bounces.parse(email.raw)
    split = quoting.split(content.text)
    pairs = tuple(content.headers.pairs) or match.header.headers
    auto = autoreplies.detect(pairs, match.header.subject, split.new) if bounce is None else None
    return Arrival(
        match=match,
        content=content,
        new=split.new,
        # Folded away with the quote: "unsubscribe" under a name is no wish of the person's.
        quoted="\n\n".join(part for part in (split.signature, split.quoted) if part),
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
    if threads.is_report(header) and arrival.bounce is None:
        # A mail system's notice that says nothing about a mail of ours is no person's answer, nor that of a
        # machine which a person left behind: nobody returns.
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
        html=html.keep(arrival.content.html) if arrival.content.html else None,
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
    places.heard(thread, reply, by_person=failed is None and arrival.auto is None)
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
        waits_since=None, snoozed_until=None, stands_at=places.back(), last_at=Greatest("last_at", at)
    )


# --- consequences -----------------------------------------------------------------------------------


def _answered(arrival: Arrival, message: Message | None, *, opted_out: bool) -> None:
    """A person wrote: the sequence stops, the conversation waits for us (F27, F35)."""
    thread, at = arrival.match.thread, arrival.match.header.received_at
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
    """Invalid: never again. Blocked: not this way again. Full or late: recorded, nothing more (F39)."""
    kind = _kind(failed)
    rows = Message.objects.filter(pk=message.pk)
    if kind == DELAYED:
        # The server still tries; a later report that it gave up counts more.
        rows.filter(bounce_kind__in=["", kind]).update(bounced_at=Now(), bounce_kind=kind)
        return
    rows.update(bounced_at=Now(), bounce_kind=kind)
    if message.enrollment is not None and kind in ("hard", "blocked"):
        reason = "bounced" if kind == "hard" else "blocked"
        sequences.stop(message.enrollment, EnrollmentState.BOUNCED, reason=reason)
    if failed.category is Category.INVALID:
        suppression.suppress(
            message.to_address, reason=SuppressionReason.BOUNCED, note=failed.status or "Address not found"
        )
    elif failed.category is Category.COMPLAINT:
        suppression.suppress(message.to_address, reason=SuppressionReason.COMPLAINED)
    audit.record("message.bounced", f"Mail to {message.to_address} came back", object_id=message.pk)


def _about_ours(arrival: Arrival, message: Message | None) -> FailedRecipient | None:
    """The part of a report that is about the recipient we wrote to; None makes it backscatter.

    So is a report that the mail arrived: no failure, no reply.
    """
    bounce = arrival.bounce
    if bounce is None or message is None:
        return None
    to = normal_address(message.to_address)
    named = [one for one in bounce.recipients if to in map(normal_address, (one.address, one.original))]
    failed = next((one for one in named if one.action in ("failed", DELAYED)), None)
    if failed is not None:
        return failed
    if bounce.category is Category.COMPLAINT and not bounce.recipients:
        return FailedRecipient(message.to_address, Category.COMPLAINT, "", "")
    return None


def _kind(failed: FailedRecipient) -> str:
    return DELAYED if failed.action == DELAYED else _STORED[failed.category]
