"""Mails of our conversations whose text the provider refuses to hand out.

They are known by their headers, so the sequence waits from the first refusal on. The next looks ask again,
and the cursor stays; after some the look goes on without them, the mailbox says so, and a person decides as
of a mail that may be an answer. The nightly comparison still asks for the text.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from accounts.clock import Now
from mailbox.models import Mailbox
from outreach import threads
from outreach.models import Enrollment, EnrollmentState, Message, Suggested, Suggestion, Thread

# Refusals after which a look goes on without a mail: some minutes where a conversation is open.
MOST_LOOKS = 5
REASON = "answer_suspected"


def refused(mailbox: Mailbox, match: threads.Match) -> bool:
    """Count it, and let the sequence wait; whether it was asked for often enough."""
    header = match.header
    with transaction.atomic():
        row, made = Suggestion.objects.get_or_create(
            mailbox=mailbox,
            provider_index=threads.provider_index(header.provider_id),
            defaults={
                "thread": match.thread,
                "provider_id": header.provider_id,
                "from_address": header.from_address,
                "from_name": header.from_name,
                "subject": header.subject,
                "received_at": header.received_at,
                "looks": 1,
            },
        )
        if made:
            suspect(match.thread)
            return False
        count(row)
    return bool(row.looks + 1 >= MOST_LOOKS)


def count(row: Suggestion) -> None:
    """Refused once more. It ends at the most: a figure that only grows says nothing."""
    Suggestion.objects.filter(pk=row.pk, looks__lt=MOST_LOOKS).update(looks=F("looks") + 1)


def taken_in(mailbox: Mailbox, indexes: Iterable[bytes]) -> None:
    """Their text came after all: nobody has to be asked. Inside the transaction that stores them."""
    rows = Suggestion.objects.filter(mailbox=mailbox, provider_index__in=list(indexes))
    for row in rows.select_related("thread__enrollment"):
        if row.state == Suggested.YES:
            Suggestion.objects.filter(pk=row.pk, stored_at=None).update(stored_at=Now())
            continue
        row.delete()
        trust(row.thread)


def unreadable(mailbox: Mailbox) -> int:
    """How many mails of our conversations the provider keeps from us; not those behind a no."""
    rows = Suggestion.objects.filter(mailbox=mailbox, looks__gte=MOST_LOOKS, stored_at=None)
    return int(rows.exclude(state=Suggested.NO).count())


def suspect(thread: Thread) -> None:
    """A mail may be the answer: the next step waits until somebody, or its text, tells."""
    if thread.enrollment_id is not None:
        going = [EnrollmentState.PLANNED, EnrollmentState.RUNNING]
        Enrollment.objects.filter(pk=thread.enrollment_id, state__in=going, answer_suspected_at=None).update(
            answer_suspected_at=Now()
        )


def trust(thread: Thread, *, told: bool = False) -> None:
    """The next step waits no longer, unless another mail is still to be told; `told`: whatever others are."""
    enrollment = thread.enrollment
    if enrollment is None:
        return
    if told or not Suggestion.objects.filter(thread__enrollment=enrollment, state=Suggested.OPEN).exists():
        Enrollment.objects.filter(pk=enrollment.pk).update(answer_suspected_at=None)
        Message.objects.filter(enrollment=enrollment).ask_again(REASON)
