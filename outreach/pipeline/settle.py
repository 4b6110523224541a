"""The settle stage: what became of a mail whose submit gave no clear answer (faults.md 3.1 rules 7-9).

Nothing is judged before settle_at. Then the provider's drafts and sent mails decide: sent, unused draft, or
no trace. Only this module and a person move a row into or out of doubt; doubt never resends by itself.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import audit, clock
from accounts.clock import Now
from accounts.encryption import seal
from accounts.failpoints import failpoint
from accounts.models import User
from accounts.viewpoint import whole_workspace
from mailbox import gateway, health, limits
from mailbox.errors import Disconnected, MailboxError, Retry
from mailbox.models import Mailbox, MailboxState, Provider
from mailbox.types import Verdict
from outreach import results
from outreach.models import Message, MessageState
from outreach.reasons import DRAFT_EDITED

T_MAX = dt.timedelta(hours=24)
MOST_KILLS = 3
DISCONNECTED = "mailbox_disconnected"
NO_TRACE = "no_trace"
UNSENT_TWICE = "unsent_twice"
TOO_OLD = "too_old"
_WORDS = {
    DISCONNECTED: "Access to the mailbox ended, so we cannot look what became of it.",
    NO_TRACE: "We found neither its draft nor a sent copy.",
    UNSENT_TWICE: "Its draft was left unused twice.",
    TOO_OLD: "More than 24 hours have passed.",
    DRAFT_EDITED: "Its draft was edited in the mailbox before it left.",
}
_LOOKED_AT = [MessageState.SUBMITTING, MessageState.DOUBT]


class Decision(enum.Enum):
    """The three buttons of the doubt screen (decisions 1). The values stand in its form.

    Of an edited draft nobody doubts that it is there: AS_EDITED takes the place of SENT, and SEND_AGAIN means
    our own text.
    """

    SENT = "sent"
    SEND_AGAIN = "send_again"
    DO_NOT_SEND = "do_not_send"
    AS_EDITED = "as_edited"


class NotInDoubt(Exception):
    """Somebody, or a late proof, has decided already, or the word is none for this mail."""


def unsettled() -> QuerySet[Message]:
    """Rows to look at now: unknown outcomes, doubt within T_max, accepted mails without ids, edited drafts.

    A mail in doubt that was never handed over is looked for until its `not_before`: its owner may send it.
    """
    rows: QuerySet[Message] = Message.objects.filter(settle_at__lte=Now())
    return rows.filter(
        Q(state=MessageState.SUBMITTING)
        | Q(state__in=[MessageState.DOUBT, MessageState.SENT], attempted_at__gt=Now() - T_MAX)
        | Q(state=MessageState.DOUBT, attempted_at=None, not_before__gt=Now())
        | Q(state=MessageState.DRAFTED, reason=DRAFT_EDITED, lease_until=None)
    )


def settle_due(mailbox: Mailbox | None = None, *, limit: int = 50) -> int:
    """Settle what is due, in one mailbox or where the mailbox is gone; how many rows were looked at."""
    looked: set[uuid.UUID] = set()
    while len(looked) < limit:
        row = _take(mailbox, but=looked)
        if row is None:
            break
        looked.add(row.pk)
        _settle(row)
    return len(looked)


def _take(mailbox: Mailbox | None, *, but: set[uuid.UUID]) -> Message | None:
    """The next row under a new fence, so that a worker that still believes in it cannot write."""
    with transaction.atomic():
        rows = unsettled().filter(mailbox=mailbox).exclude(pk__in=but)
        row: Message | None = (
            rows.select_for_update(skip_locked=True, of=("self",))
            .select_related("mailbox", "thread", "step", "enrollment", "campaign")
            .order_by("settle_at")
            .first()
        )
        if row is None:
            return None
        # A lease that nobody gave back belongs to a worker that was killed (F23).
        lost = row.state == MessageState.SUBMITTING and row.lease_until is not None
        Message.objects.filter(pk=row.pk).update(
            fence=F("fence") + 1,
            kills=F("kills") + int(lost),
            lease_until=None,
            settle_at=Now() + dt.timedelta(seconds=settings.SETTLE_SECONDS),
        )
        row.refresh_from_db(fields=["fence", "kills", "lease_until", "settle_at"])
        return row


def _settle(row: Message) -> None:
    mailbox = row.mailbox
    if row.state == MessageState.DRAFTED:
        # What the send stage saw; a stop that came since has moved the row.
        _doubt(row, DRAFT_EDITED, not_before=Now() + T_MAX)
        return
    if mailbox is None or mailbox.state == MailboxState.REVOKED:
        if row.state == MessageState.SUBMITTING:
            _doubt(row, DISCONNECTED, look_again=False)
        return
    if not health.may_be_called(mailbox):
        if row.state == MessageState.SUBMITTING:
            Message.objects.filter(pk=row.pk, fence=row.fence).update(reason=DISCONNECTED)
        return
    failpoint("in_reconcile")
    draft = results.draft_of(row)
    moment = row.attempted_at or row.queued_at or clock.now()
    try:
        if row.state == MessageState.SENT:
            found = gateway.confirm(
                mailbox,
                draft,
                key=str(row.pk),
                to_address=row.to_address,
                attempted_at=moment,
                provider_id=row.provider_id or "",
            )
            if found is not None:
                results.store_ids(row, found)
            return
        outcome = gateway.outcome(
            mailbox, draft, key=str(row.pk), to_address=row.to_address, attempted_at=moment
        )
    except Retry as error:
        health.wait(mailbox, error)
        return
    except Disconnected as error:
        health.broke(mailbox, error)
        if row.state == MessageState.SUBMITTING:
            Message.objects.filter(pk=row.pk, fence=row.fence).update(reason=DISCONNECTED)
        return
    except MailboxError:
        # A look that told nothing is repeated at the next settle time.
        return
    if outcome.verdict is Verdict.SENT:
        results.record_sent(row, fence=row.fence, was=_LOOKED_AT, sent=outcome.sent, copies=outcome.copies)
    elif row.state == MessageState.DOUBT:
        return
    elif outcome.verdict is Verdict.UNSENT:
        _unsent(row, mailbox)
    else:
        _doubt(row, NO_TRACE)


def _unsent(row: Message, mailbox: Mailbox) -> None:
    """The draft is unused: it may go again under the next fence and through the last gate."""
    if row.kills >= MOST_KILLS:
        results.end(row, MessageState.REFUSED, fence=row.fence, reason="quarantined")
        return
    again_at_microsoft = mailbox.provider == Provider.MICROSOFT and row.resends > 0
    if again_at_microsoft:
        _doubt(row, UNSENT_TWICE)
        return
    if row.attempted_at is not None and row.attempted_at < clock.now() - T_MAX:
        _doubt(row, TOO_OLD, look_again=False)
        return
    with transaction.atomic():
        moved = row.move(
            MessageState.DRAFTED,
            fence=row.fence,
            was=[MessageState.SUBMITTING],
            resends=F("resends") + 1,
            settle_at=None,
            not_before=None,
            reason="",
        )
        if moved:
            limits.give_back(row.pk)


def _doubt(row: Message, reason: str, *, look_again: bool = True, **values: Any) -> None:
    with transaction.atomic():
        values |= {} if look_again else {"settle_at": None}
        moved = row.move(
            MessageState.DOUBT,
            fence=row.fence,
            was=[MessageState(row.state)],
            reason=reason,
            **seal(row, detail=_WORDS[reason]),
            **values,
        )
        if moved:
            audit.record("message.in_doubt", f"Mail to {row.to_address} is in doubt", object_id=row.pk)


# --- a person decides -------------------------------------------------------------------------------


@whole_workspace("the mail may stand in a private conversation")
def decide(message: Message, decision: Decision | str, *, actor: User | None) -> Message:
    """A person's word on a mail in doubt, with a line in the activity log. Raises NotInDoubt."""
    decision = Decision(decision)
    with transaction.atomic():
        row: Message | None = (
            Message.objects.select_for_update(of=("self",))
            .select_related("mailbox", "thread", "step", "enrollment", "campaign")
            .filter(pk=message.pk, state=MessageState.DOUBT)
            .first()
        )
        if row is None or (decision is Decision.AS_EDITED and row.reason != DRAFT_EDITED):
            raise NotInDoubt
        if decision is Decision.SENT:
            results.record_sent(row, fence=row.fence, was=[MessageState.DOUBT], sent=None)
            words = "was marked as sent"
        elif decision is Decision.SEND_AGAIN:
            _send_again(row)
            words = "is sent again"
        elif decision is Decision.AS_EDITED:
            _send_again(row, as_edited=True)
            words = "is sent as it was edited"
        else:
            if row.reason == DRAFT_EDITED:
                # What a person wrote is theirs: it is not thrown away.
                Message.objects.filter(pk=row.pk).update(draft_id=None, draft_version=None)
            limits.keep_used(row.pk)
            results.end(row, MessageState.CANCELLED, fence=row.fence, reason="do_not_send")
            words = "is not sent"
        audit.record(
            f"message.decided_{decision.value}",
            f"Mail to {row.to_address}, in doubt until now, {words}",
            actor=actor,
            object_id=row.pk,
        )
    row.refresh_from_db()
    return row


def _send_again(row: Message, *, as_edited: bool = False) -> None:
    """Queue it anew. A draft that is known to be unused is used; otherwise the mail gets a new one.

    `as_edited`: the draft as it lies there, without another question. Else an edited one is thrown away.
    """
    keeps = (row.reason == UNSENT_TWICE or as_edited) and bool(row.draft_id)
    if keeps or row.reason == DRAFT_EDITED:
        limits.give_back(row.pk)
    else:
        limits.keep_used(row.pk)
    row.move(
        MessageState.DRAFTED if keeps else MessageState.QUEUED,
        fence=row.fence,
        was=[MessageState.DOUBT],
        **({} if keeps else {"draft_id": None, "draft_version": None, "draft_unclear_at": Now()}),
        **({"draft_version": None} if as_edited else {}),
        resends=0,
        kills=0,
        due_at=Now(),
        not_before=None,
        settle_at=None,
        lease_until=None,
        reason="",
    )
