"""The send stage: draft, last gate, one submit, and what came of it (faults.md 3.1, 4).

The order decides: the draft exists before the last gate, the gate's commit (`submitting`) before the only
submit. Every write names the fence; a worker that lost it stops. An unknown outcome is left as it is:
nothing here ever asks a provider twice to send.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import logging
import time
import uuid

from django.conf import settings
from django.db import transaction

from accounts import clock
from accounts.clock import Now
from accounts.encryption import seal
from accounts.failpoints import failpoint
from mailbox import budgets, gateway, health, limits
from mailbox.errors import Disconnected, MailboxError, Refused, Retry, Uncertain
from mailbox.models import Mailbox, MailboxState
from mailbox.types import Draft
from outreach import edited, in_hand, last_gate, policy, rendering, results, threads
from outreach.models import Message, MessageKind, MessageState
from outreach.models.messages import AT_ONCE

log = logging.getLogger(__name__)
HELD = [MessageState.CLAIMED, MessageState.DRAFTED]
IDS_MISSING = "ids_missing"
DRAFT_UNCLEAR = "draft_unclear"
STALE_POLL = "poll_first"
OUT_OF_TIME = "out_of_time"
# A follow-up leaves only where the mailbox was looked at this recently (F27).
FRESH_SECONDS = 120.0
# How long a sent copy may take to be seen; then a follow-up cannot join its conversation any more.
IDS_WAIT = dt.timedelta(hours=24)
_NO_COPY = "The sent copy of the mail before is not to be found, so this one cannot follow it."
# Of the time between the first call and the last moment of the submit: kept for the way from the gate to
# the socket, because a submit that comes too late has to be settled.
_MARGIN = 0.25


class Sent(enum.Enum):
    """What a call of `send` did."""

    ACCEPTED = "accepted"
    ENDED = "ended"
    WAITS = "waits"
    UNKNOWN = "unknown"
    LOST = "lost"


def needs_fresh_poll(message: Message) -> bool:
    """Whether a reply could have come in that is not known yet: look before writing again (F27)."""
    if message.step is None or message.step.position == 1 or message.mailbox is None:
        return False
    return not is_fresh(message.mailbox)


def is_fresh(mailbox: Mailbox) -> bool:
    """Whether the mailbox was looked at so recently that a follow-up may leave."""
    fresh = Now() - dt.timedelta(seconds=FRESH_SECONDS)
    return Mailbox.objects.filter(pk=mailbox.pk, last_poll_at__gte=fresh).exists()


def send(
    message_id: uuid.UUID, fence: int, *, until: float | None = None, message: Message | None = None
) -> Sent:
    """Bring one claimed row as far as it goes; `message` is the row, where the claim has just read it.

    `until` (time.monotonic) is the last moment at which the submit may begin: behind it the worker's time
    could end in the middle of the call.
    """
    if until is None:
        until = time.monotonic() + settings.WORKER_HARD_LIMIT_SECONDS - settings.HTTP_DEADLINE_SECONDS
    message = message or in_hand.load(message_id, fence)
    if message is None:
        return Sent.LOST
    mailbox, moment = message.mailbox, message.moment  # type: ignore[attr-defined]
    if mailbox is None or mailbox.state == MailboxState.REVOKED:
        return _ended(message, MessageState.CANCELLED, fence, reason="mailbox_disconnected")
    if mailbox.state == MailboxState.BROKEN:
        return _release(message, fence, reason="mailbox_disconnected")
    if mailbox.state == MailboxState.THROTTLED and (mailbox.throttled_until or moment) > moment:
        return _defer(message, fence, reason="provider_wait", until=mailbox.throttled_until)
    if needs_fresh_poll(message):
        return _release(message, fence, reason=STALE_POLL, soon=True)
    if not message.draft_id and (wait := budgets.wait_for_turn(mailbox)):
        return _defer(message, fence, reason="provider_budget", after=wait)
    waited = bool(message.draft_id)
    try:
        draft = _draft(message, mailbox, fence)
        if draft is None:
            return Sent.LOST
        if waited and edited.is_edited(message, mailbox, draft):
            return Sent.WAITS if edited.hold(message, fence) else Sent.LOST
        # Neither provider is asked a second time: its answer to the new draft names all ids.
        failpoint("after_draft_readback")
        # Fetched now, so that whatever goes wrong behind the gate belongs to the submit (providers.md 3.3).
        gateway.ready(mailbox)
    except threads.IdsMissing:
        if threads.newest_sent_before(message, moment - IDS_WAIT):
            return _ended(message, MessageState.CANCELLED, fence, reason=IDS_MISSING, detail=_NO_COPY)
        return _defer(message, fence, reason=IDS_MISSING, after=settings.SETTLE_SECONDS)
    except Uncertain as error:
        health.count(mailbox, error)
        return _defer(message, fence, reason=DRAFT_UNCLEAR, detail=str(error), after=settings.LEASE_SECONDS)
    except Retry as error:
        health.wait(mailbox, error)
        return _defer(message, fence, reason=error.reason, detail=error.detail, after=error.after)
    except Refused as error:
        return _ended(message, MessageState.REFUSED, fence, reason=error.reason, detail=error.detail)
    except Disconnected as error:
        health.broke(mailbox, error)
        return _release(message, fence, reason="mailbox_disconnected")

    failpoint("before_last_gate")
    passed = _pass_last_gate(message, mailbox, fence, until=until)
    if passed is not None:
        return passed
    failpoint("after_submitting_commit")
    return _submit(message, mailbox, draft, fence, until=until)


# --- the draft --------------------------------------------------------------------------------------


def _draft(message: Message, mailbox: Mailbox, fence: int) -> Draft | None:
    """The draft that the row knows, or a new one stored by compare-and-set; None if the fence was lost."""
    if message.draft_id:
        return results.draft_of(message)
    thread = threads.reference(message)
    mail = dataclasses.replace(rendering.finalise(message), thread=thread)
    failpoint("before_draft_create")
    try:
        draft = gateway.prepare(mailbox, mail)
    except (Retry, Uncertain):
        # The answer may have been lost, not the draft: the janitor looks for it by our key.
        Message.objects.filter(pk=message.pk, draft_unclear_at__isnull=True).update(draft_unclear_at=Now())
        raise
    failpoint("after_draft_create")
    try:
        stored = in_hand.store_draft(message, draft, fence, thread=message.thread)
    except results.OtherThread:
        stored = in_hand.store_draft(message, draft, fence, thread=None)
    if not stored:
        _throw_away(mailbox, draft)
        return None
    failpoint("after_draft_stored")
    message.state, message.draft_id = MessageState.DRAFTED, draft.draft_id
    message.rfc_message_id = draft.message_id or message.rfc_message_id
    return draft


def _throw_away(mailbox: Mailbox, draft: Draft) -> None:
    try:
        gateway.discard(mailbox, draft)
    except MailboxError as error:
        log.info("a draft without a row remains for the janitor: %s", error.reason)


# --- the last gate ----------------------------------------------------------------------------------


def _pass_last_gate(message: Message, mailbox: Mailbox, fence: int, *, until: float) -> Sent | None:
    """Commit `submitting`, or say why not. None means that the caller, and only the caller, may submit."""
    with transaction.atomic():
        held = last_gate.hold(message, fence)
        if held is None:
            return Sent.LOST
        row, current, moment = message, held.mailbox, held.now
        if current.state == MailboxState.REVOKED:
            return _ended(row, MessageState.CANCELLED, fence, reason="mailbox_disconnected")
        if current.generation != mailbox.generation:
            # Connected anew since: the next claim goes through the new connection.
            return _release(row, fence, reason="mailbox_disconnected", soon=True)
        verdict = policy.may_send(row, now=moment, facts=held.facts)
        if not verdict.ok:
            return _stopped(row, fence, verdict)
        if row.kind not in AT_ONCE and settings.SEND_SPACING_SECONDS > 0:
            if current.next_send_at is not None and current.next_send_at > moment:
                return _defer(row, fence, reason="spacing", until=current.next_send_at)
            limits.next_slot(current)
        if row.kind != MessageKind.TEST and not limits.take(current, row.pk, now=held.facts.standing):
            return _release(row, fence, reason="cap_reached")
        margin = _MARGIN * (settings.WORKER_HARD_LIMIT_SECONDS - settings.HTTP_DEADLINE_SECONDS)
        late = time.monotonic() > until - margin
        if late:
            transaction.set_rollback(True)
        else:
            last_gate.hand_over(row, held, fence)
    if late:
        return _release(message, fence, reason=OUT_OF_TIME, soon=True)
    # app_now() is the transaction's time, so this is what the row says.
    message.state, message.attempted_at = MessageState.SUBMITTING, moment
    message.generation = current.generation
    return None


def _stopped(message: Message, fence: int, verdict: policy.Verdict) -> Sent:
    """The gate's answer: never, or not before a time."""
    if verdict.ends is not None:
        return _ended(message, verdict.ends, fence, reason=verdict.code, detail=verdict.sentence)
    if verdict.until is None:
        return _release(message, fence, reason=verdict.code, detail=verdict.sentence)
    return _defer(message, fence, reason=verdict.code, detail=verdict.sentence, until=verdict.until)


# --- the one submit ---------------------------------------------------------------------------------


def _submit(message: Message, mailbox: Mailbox, draft: Draft, fence: int, *, until: float) -> Sent:
    handed = [MessageState.SUBMITTING]
    try:
        sent = gateway.submit(mailbox, draft, deadline=until)
    except Uncertain as error:
        # The row stays `submitting`; its lease ends now, the settle stage looks at settle_at.
        Message.objects.filter(pk=message.pk, fence=fence, state=MessageState.SUBMITTING).update(
            lease_until=None, reason=error.reason[:60]
        )
        health.count(mailbox, error)
        return Sent.UNKNOWN
    except Retry as error:
        health.wait(mailbox, error)
        with transaction.atomic():
            waits = _defer(
                message, fence, reason=error.reason, detail=error.detail, after=error.after, was=handed
            )
            return _not_accepted(message, waits)
    except Refused as error:
        return _ended(
            message, MessageState.REFUSED, fence, reason=error.reason, detail=error.detail, was=handed
        )
    except Disconnected as error:
        health.broke(mailbox, error)
        if Mailbox.objects.filter(pk=mailbox.pk).exclude(state=MailboxState.REVOKED).exists():
            with transaction.atomic():
                waits = _release(message, fence, reason="mailbox_disconnected", was=handed)
                return _not_accepted(message, waits)
        return _ended(message, MessageState.CANCELLED, fence, reason="mailbox_disconnected", was=handed)
    if not results.record_sent(message, fence=fence, was=handed, sent=sent):
        return Sent.LOST
    if sent is None or not sent.message_id:
        _read_ids(message, mailbox, draft, provider_id=sent.provider_id if sent else "")
    return Sent.ACCEPTED


def _not_accepted(message: Message, done: Sent) -> Sent:
    """Its place in the cap is free again, unless another worker has taken the mail over."""
    if done is not Sent.LOST:
        limits.give_back(message.pk)
    return done


def _read_ids(message: Message, mailbox: Mailbox, draft: Draft, *, provider_id: str) -> None:
    """Read the ids back; a read that does not work changes nothing, the settle stage reads again."""
    failpoint("before_id_readback")
    try:
        found = gateway.confirm(
            mailbox,
            draft,
            key=str(message.pk),
            to_address=message.to_address,
            attempted_at=message.attempted_at or clock.now(),
            provider_id=provider_id,
        )
    except MailboxError as error:
        log.info("ids of %s are read later: %s", message.pk, error.reason)
        return
    if found is not None:
        results.store_ids(message, found)


# --- letting go -------------------------------------------------------------------------------------


def _ended(
    message: Message,
    state: MessageState,
    fence: int,
    *,
    reason: str,
    detail: str = "",
    was: list[MessageState] | None = None,
) -> Sent:
    done = results.end(message, state, fence=fence, reason=reason[:60], detail=detail, was=was or HELD)
    return Sent.ENDED if done else Sent.LOST


def _release(
    message: Message,
    fence: int,
    *,
    reason: str,
    detail: str = "",
    soon: bool = False,
    was: list[MessageState] | None = None,
) -> Sent:
    """Nothing is wrong with the mail: give the row back as it is, to be claimed and asked again later."""
    drafted = bool(message.draft_id)
    done = message.move(
        MessageState.DRAFTED if drafted else MessageState.QUEUED,
        fence=fence,
        was=was or HELD,
        lease_until=None,
        settle_at=None,
        not_before=Now() + dt.timedelta(seconds=settings.WAKE_SECONDS if soon else settings.LEASE_SECONDS),
        reason=reason[:60],
        **seal(message, detail=detail),
    )
    return Sent.WAITS if done else Sent.LOST


def _defer(
    message: Message,
    fence: int,
    *,
    reason: str,
    detail: str = "",
    after: float = 0.0,
    until: dt.datetime | None = None,
    was: list[MessageState] | None = None,
) -> Sent:
    """Certainly not accepted: wait for `after` seconds or `until`, with the draft if there is one."""
    done = message.move(
        MessageState.DEFERRED,
        fence=fence,
        was=was or HELD,
        lease_until=None,
        settle_at=None,
        not_before=until or Now() + dt.timedelta(seconds=after),
        reason=reason[:60],
        **seal(message, detail=detail),
    )
    return Sent.WAITS if done else Sent.LOST
