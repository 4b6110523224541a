"""Whether a step goes to somebody, by what is known of their clicks, and never by image loads.

"No reply" is no condition: it holds for every step. Clicks that look automatic are none. Where no earlier
mail counted the person's clicks, nothing can be known, and the step is left out either way: "you had no look
yet" is worse than silence to somebody who had one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import F

from accounts import clock
from accounts.clock import Now
from accounts.encryption import seal
from outreach import sequences, unqueueing
from outreach.models import Enrollment, EnrollmentState, Message, MessageState, StepCondition

NOT_CLICKED, CLICKED, UNKNOWN = "no_click", "clicked", "clicks_unknown"


@dataclass(frozen=True)
class Unmet:
    """A stable code (outreach/reasons.py) and the sentence for the screen."""

    code: str
    sentence: str


def unmet(message: Message) -> Unmet | None:
    """Why the step does not go to this person; None where it goes."""
    step = message.step
    if step is None or step.condition == StepCondition.ALWAYS or message.enrollment_id is None:
        return None
    rows = Message.objects.filter(
        enrollment=message.enrollment_id, state=MessageState.SENT, step__position__lt=step.position
    )
    mails = list(rows.order_by("step__position").values_list("step__position", "tracks_clicks", "clicks"))
    counted = [position for position, counts, _ in mails if counts]
    clicked = [position for position, _, clicks in mails if clicks]
    if not counted and not clicked:
        return Unmet(UNKNOWN, "Skipped: clicks of this person are not counted, so nobody knows.")
    if step.condition == StepCondition.CLICKED and not clicked:
        return Unmet(NOT_CLICKED, f"Skipped: no click on {_steps(counted)}.")
    if step.condition == StepCondition.NOT_CLICKED and clicked:
        return Unmet(CLICKED, f"Skipped: a link of {_steps(clicked)} was opened.")
    return None


def pass_over(message: Message, why: Unmet) -> bool:
    """Leave the step out and plan the next one, its wait counted from now; whether it still waited.

    Inside the caller's transaction.
    """
    moved = Message.objects.filter(pk=message.pk, state=MessageState.PLANNED).update(
        state=MessageState.CANCELLED,
        reason=why.code,
        fence=F("fence") + 1,
        ended_at=Now(),
        **seal(message, detail=why.sentence),
    )
    if moved and message.enrollment and sequences.plan_next(message, after=clock.now()) is None:
        ended = Enrollment.objects.filter(pk=message.enrollment.pk, state=EnrollmentState.FINISHED)
        ended.update(reason=why.code)
    return bool(moved)


def ask_anew(key: uuid.UUID) -> int:
    """A click came: what waits with its text because there was none is asked again; how many mails."""
    waiting = Message.objects.filter(enrollment__messages=key, step__condition=StepCondition.NOT_CLICKED)
    return unqueueing.unqueue(waiting)


def _steps(positions: list[int]) -> str:
    if len(positions) == 1:
        return f"step {positions[0]}"
    return f"steps {', '.join(map(str, positions[:-1]))} and {positions[-1]}"
