"""The bin's work on our side: the queue stops inside the revoking transaction, the mail goes behind it.

What stays of an erased mail, and why. A row of a sequence keeps its id, campaign, step, enrollment, contact,
kind and state (reason `mail_erased`): the unique key (campaign, step, enrollment) then still refuses a second
mail to the same person, and an opt-out link in a mail that left keeps working, because it leads from the
row's id to the contact. Its addresses, names, subject, text, headers, provider and Message-IDs, indexes,
times of acceptance, replies and bounces are emptied. Rows outside a sequence (answers, tests), threads,
replies and what receiving remembered (suggestions, mails passed over, comparisons) are deleted. Suppressions
stay: they are the recipients' own wish. Google's mail always goes; of Microsoft's a person may keep projects.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import audit
from accounts.clock import Now
from accounts.encryption import seal
from accounts.viewpoint import whole_workspace
from mailbox.models import Mailbox, Receipt, StepState
from mailbox.receipts import line
from outreach.mailbox_contents import ERASED, contents, in_words, of_mailbox, waiting_kinds
from outreach.models import (
    Campaign,
    CampaignState,
    Comparison,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    PassedOver,
    Reply,
    Suggestion,
    Thread,
)
from outreach.models.messages import COUNTED

REASON = "mailbox_removed"
IN_DOUBT = "mailbox_disconnected"
CHUNK = 50
# A worker that read a mail just before the bin may still store it: later passes take that too.
SWEEP = dt.timedelta(hours=1)
EMPTIED: dict[str, Any] = {
    "html": None,
    "headers": None,
    "detail": None,
    "to_index": None,
    "content_hash": "",
    "draft_id": None,
    "draft_version": None,
    "provider_id": None,
    "provider_index": None,
    "rfc_message_id": None,
    "rfc_message_index": None,
    "thread": None,
    "sent_at": None,
    "bounced_at": None,
    "bounce_kind": "",
    "replied_at": None,
    "auto_replied_at": None,
    "reason": ERASED,
}


@whole_workspace("a stop concerns every project")
def stop_mailbox(mailbox: Mailbox, receipt: Receipt) -> None:
    """Cancel what waits, mark what is unclear, pause the campaigns. Runs in the revoking transaction."""
    found = contents(mailbox)
    kinds = waiting_kinds(mailbox)
    rows = of_mailbox(mailbox)
    left = rows.filter(draft_id__isnull=False, state__in=[MessageState.DRAFTED, MessageState.DEFERRED])
    drafts = left.update(draft_left=True)
    cancelled = Message.objects.filter(pk__in=rows.values("pk")).cancel(REASON)
    unclear = rows.filter(state__in=[MessageState.SUBMITTING, MessageState.DOUBT]).update(reason=IN_DOUBT)
    open_campaigns = Campaign.objects.filter(
        mailbox=mailbox, state__in=[CampaignState.RUNNING, CampaignState.PAUSED]
    )
    Enrollment.objects.filter(
        campaign__in=open_campaigns, state__in=[EnrollmentState.PLANNED, EnrollmentState.RUNNING]
    ).update(state=EnrollmentState.CANCELLED, reason=REASON, stopped_at=Now())
    Campaign.objects.filter(mailbox=mailbox, state=CampaignState.RUNNING).update(
        state=CampaignState.PAUSED, pause_reason=REASON
    )
    kept = [part for part in found if str(part.project.pk) in receipt.kept_projects]
    gone = [part for part in found if part not in kept]
    numbers = {
        "cancelled": cancelled,
        "to_delete": sum(part.mails for part in gone),
        "kept": sum(part.mails for part in kept),
    }
    Receipt.objects.filter(pk=receipt.pk).update(**numbers)
    receipt.refresh_from_db()
    words = in_words(kinds)
    line(receipt, "queue", StepState.DONE, f"{_mails(cancelled, 'queued')} cancelled: {words}." if cancelled
         else "No mail was waiting.")  # fmt: skip
    line(receipt, "unclear", StepState.DONE, _unclear_words(unclear, drafts))
    for part in kept:
        who = receipt.actor.short_name if receipt.actor else "the product"
        sentence = (
            f"{part.project.name}: {_mails(part.mails)} stay, chosen by {who}. They go with the project."
        )
        line(receipt, f"kept:{part.project.pk.hex[:24]}", StepState.DONE, sentence)
        audit.record(
            "mailbox.mail_kept",
            f"{_mails(part.mails)} of {receipt.address} kept in {part.project.name}",
            actor=receipt.actor,
            object_id=receipt.pk,
        )
    line(receipt, "mail", StepState.DOING, f"{_mails(receipt.to_delete)} to delete.")


def unfinished() -> QuerySet[Receipt]:
    """Receipts whose mail is not all gone yet, and those of the last hour once more."""
    rows: QuerySet[Receipt] = Receipt.objects.filter(Q(erased_at=None) | Q(at__gt=Now() - SWEEP))
    return rows.order_by("at")


def erase_mailbox_mail(receipt: Receipt) -> bool:
    """Delete the mail behind this receipt, in small transactions. May run any number of times, side by side.

    False while a worker still holds a mail that was handed over when the bin was pressed.
    """
    if receipt.mailbox_id is None:
        return True
    while _erase_threads(receipt):
        pass
    while _erase_rest(receipt):
        pass
    _forget(receipt)
    if _rest(receipt).exists() or _threads(receipt).exists():
        return False
    if Receipt.objects.filter(pk=receipt.pk, erased_at=None).update(erased_at=Now()) == 1:
        receipt.refresh_from_db()
        what = "with their subjects, texts, addresses and ids. Encrypted backups expire within 28 days."
        sentence = (
            f"{_mails(receipt.deleted)} deleted, {what}"
            if receipt.deleted
            else "There was no mail to delete."
        )
        line(receipt, "mail", StepState.DONE, sentence)
        audit.record(
            "mailbox.mail_erased",
            f"{_mails(receipt.deleted)} of {receipt.address} deleted",
            object_id=receipt.pk,
        )
    return True


def _forget(receipt: Receipt) -> None:
    """What receiving remembered of that connection."""
    PassedOver.objects.filter(mailbox=receipt.mailbox, at__lte=receipt.at).delete()
    Comparison.objects.filter(mailbox=receipt.mailbox, started_at__lte=receipt.at).delete()
    kept = Suggestion.objects.filter(mailbox=receipt.mailbox, made_at__lte=receipt.at)
    kept.exclude(thread__project_id__in=_kept(receipt)).delete()


def _threads(receipt: Receipt) -> QuerySet[Thread]:
    """Conversations of that connection: one begun after a reconnect is not part of it."""
    rows: QuerySet[Thread] = Thread.objects.filter(mailbox=receipt.mailbox, created_at__lte=receipt.at)
    return rows.exclude(project_id__in=_kept(receipt)).exclude(messages__in=_in_flight(receipt))


def _rest(receipt: Receipt) -> QuerySet[Message]:
    rows: QuerySet[Message] = Message.objects.filter(
        mailbox=receipt.mailbox, created_at__lte=receipt.at
    ).exclude(reason=ERASED)
    return rows.exclude(project_id__in=_kept(receipt))


def _in_flight(receipt: Receipt) -> QuerySet[Message]:
    """Handed over before the bin, and the worker that did so may still be writing its end."""
    rows: QuerySet[Message] = Message.objects.filter(
        mailbox=receipt.mailbox, state=MessageState.SUBMITTING, lease_until__gt=Now()
    )
    return rows


def _kept(receipt: Receipt) -> list[uuid.UUID]:
    return [uuid.UUID(project) for project in receipt.kept_projects]


@transaction.atomic
def _erase_threads(receipt: Receipt) -> int:
    threads = list(_threads(receipt).select_for_update(skip_locked=True, of=("self",))[:CHUNK])
    ids = [thread.pk for thread in threads]
    replies = Reply.objects.filter(thread_id__in=ids).count()
    gone = _empty(list(Message.objects.filter(thread_id__in=ids).select_for_update()))
    Thread.objects.filter(pk__in=ids).delete()
    _count(receipt, replies + gone)
    return len(ids)


@transaction.atomic
def _erase_rest(receipt: Receipt) -> int:
    """Mails without a conversation, and those whose conversation waits for one under way."""
    rows = list(
        _rest(receipt)
        .exclude(pk__in=_in_flight(receipt))
        .select_for_update(skip_locked=True, of=("self",))[:CHUNK]
    )
    _count(receipt, _empty(rows))
    return len(rows)


def _empty(rows: list[Message]) -> int:
    """Empty or delete these rows; how many of them were stored mails."""
    stored = sum(row.state in COUNTED and row.reason != ERASED for row in rows)
    for row in rows:
        if row.enrollment_id is None:
            Message.objects.filter(pk=row.pk).delete()
        else:
            bare = seal(row, to_address="", to_name="", subject="", text="")
            # The fence grows: a worker that still holds the row writes nothing more into it.
            Message.objects.filter(pk=row.pk).update(**EMPTIED, **bare, fence=F("fence") + 1)
    return stored


def _count(receipt: Receipt, number: int) -> None:
    if number:
        Receipt.objects.filter(pk=receipt.pk).update(deleted=F("deleted") + number)


def _mails(number: int, kind: str = "") -> str:
    noun = "mail" if number == 1 else "mails"
    return f"{number:,} {kind} {noun}" if kind else f"{number:,} {noun}"


def _unclear_words(unclear: int, drafts: int) -> str:
    words = "None was in doubt."
    if unclear:
        verb = "was" if unclear == 1 else "were"
        words = f"{_mails(unclear)} {verb} handed over without an answer yet: unknown, mailbox disconnected."
    if drafts:
        noun = "draft" if drafts == 1 else "drafts"
        words += f" {drafts:,} unsent {noun} may remain in the Drafts folder; we can no longer remove it."
    return words
