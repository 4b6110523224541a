"""An enrollment's way through its campaign: the next step, a pause behind a date, a stop.

Each function is called inside the transaction that records the fact behind it, so that a fact and its
consequence stand or fall together (faults.md 2, point 6).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Coalesce, Greatest

from accounts.tenancy import current_workspace_id
from outreach import holidays
from outreach.models import (
    CampaignKind,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
)
from outreach.window import ONE_DAY, Wait, window_of

_NOT_TEXTED = [MessageState.PLANNED, MessageState.QUEUED, MessageState.DEFERRED]


def days(number: float) -> dt.timedelta:
    """Days of the product's calendar; the demo's are short."""
    return dt.timedelta(seconds=number * settings.DAY_SECONDS)


def plan_next(message: Message, *, after: dt.datetime) -> Message | None:
    """Plan the step behind an accepted mail, or finish the enrollment behind its last one.

    Returns the planned row. Nothing is planned for a mail outside a sequence, or where a reply, a bounce
    or a person has stopped the way already.
    """
    enrollment = message.enrollment
    if enrollment is None or message.step is None or message.kind in (MessageKind.ANSWER, MessageKind.TEST):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"enrollment": enrollment.pk, "position": message.step.position + 1})
        found = cursor.fetchone()
    if found is None:
        return None
    resumes_at, step_id, wait_days, working, new_thread = found
    due = _over(message, Wait(wait_days, working), after=after)
    if resumes_at is not None:
        due = max(due, resumes_at)
    removal = message.campaign is not None and message.campaign.kind == CampaignKind.REMOVAL
    row, _ = Message.objects.get_or_create(
        campaign=message.campaign,
        step_id=step_id,
        enrollment=enrollment,
        defaults={
            "kind": MessageKind.REMOVAL if removal else MessageKind.FOLLOW_UP,
            "project": message.project,
            "contact": message.contact,
            # One of its own is made with its text (pipeline/queue.py).
            "thread": None if new_thread else message.thread,
            "mailbox": message.mailbox,
            "generation": message.generation,
            "state": MessageState.PLANNED,
            "due_at": due,
            "to_address": message.to_address,
            "to_index": message.to_index,
            "to_name": message.to_name,
        },
    )
    Enrollment.objects.filter(pk=enrollment.pk, state=EnrollmentState.PLANNED).update(
        state=EnrollmentState.RUNNING
    )
    return row


def _over(message: Message, wait: Wait, *, after: dt.datetime) -> dt.datetime:
    """When the wait is over; the calendar is asked only where working days are counted."""
    if not wait.working or message.campaign is None:
        return after + days(wait.days)
    window = window_of(message.campaign, message.contact, closed=holidays.closed(after.date() - ONE_DAY))
    return window.after(after, wait, day=days(1))


# A function (migration 0022): three tables in one statement, as MessageQuerySet.cancel does it for the mails.
_STOP = "SELECT outreach_stop_sequence(%(workspace)s, %(enrollment)s, %(to)s, %(reason)s)"
# No row where the way is over: a function (migration 0031) finishes it behind its last step.
_NEXT = "SELECT * FROM outreach_next_step(%(enrollment)s, %(position)s)"


def stop(enrollment: Enrollment, to: EnrollmentState, *, reason: str) -> bool:
    """End the way and cancel what waits in it; whether it was still open."""
    values: dict[str, Any] = {
        "workspace": current_workspace_id(),
        "enrollment": enrollment.pk,
        "to": to.value,
        "reason": reason,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STOP, values)
        return bool(cursor.fetchone()[0])


def postpone(enrollment: Enrollment, *, until: dt.datetime) -> None:
    """Move the next step behind `until`; nothing is stopped (F38)."""
    Enrollment.objects.filter(pk=enrollment.pk).update(
        resumes_at=Greatest(Coalesce("resumes_at", until), until)
    )
    Message.objects.filter(enrollment=enrollment, state__in=_NOT_TEXTED).update(
        due_at=Greatest("due_at", until), not_before=until
    )
