"""What a person does about somebody in a campaign: pause, go on, skip a step, take out.

A pause touches the waiting mails as well as the enrollment: at those rows it meets the last gate, so that
nothing is handed over behind its commit.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, clock
from accounts.clock import Now
from accounts.models import User
from outreach import sequences
from outreach.gates.state import GOING
from outreach.models import Enrollment, EnrollmentState, Message, MessageKind, MessageState

# Still in the campaign, whether something is planned for them or not.
OPEN = [*GOING, EnrollmentState.HELD_BACK]
PAUSED, SKIPPED = "person_paused", "skipped"
# A first mail opens the conversation that later steps stand in; and what a worker holds is about to go.
_SKIPPABLE = {
    "kind": MessageKind.FOLLOW_UP,
    "state__in": [MessageState.PLANNED, MessageState.QUEUED, MessageState.DEFERRED],
}


class NotSkipped(Exception):
    """No step waits that could be skipped; the message is the sentence for the screen."""

    def __init__(self) -> None:
        super().__init__("This step is on its way or has gone, so it cannot be skipped any more.")


def going() -> QuerySet[Enrollment]:
    """Those whose way has not ended."""
    return Enrollment.objects.filter(state__in=GOING)


def beside(enrollment: Enrollment) -> QuerySet[Enrollment]:
    """Everybody of the same site in the same campaign, this person too."""
    rows = going().filter(campaign=enrollment.campaign_id)
    site = enrollment.contact.site_id
    return rows.filter(contact__site=site) if site else rows.filter(pk=enrollment.pk)


def pause(rows: QuerySet[Enrollment], *, actor: User | None) -> int:
    """Nothing more goes to these people until somebody says so; how many were paused by it."""
    with transaction.atomic():
        found = list(rows.filter(paused_at=None, state__in=GOING).select_related("contact", "campaign"))
        ids = [row.pk for row in found]
        paused = going().filter(pk__in=ids, paused_at=None).update(paused_at=Now())
        Message.objects.stoppable().filter(enrollment__in=ids).update(reason=PAUSED)
        for row in found:
            _tell("paused", f"{row.contact.address} paused in “{row.campaign.name}”", row, actor)
    return paused


def go_on(rows: QuerySet[Enrollment], *, actor: User | None) -> int:
    """Every waiting mail keeps its place and its text; how many people go on by it."""
    with transaction.atomic():
        found = list(rows.filter(paused_at__isnull=False).select_related("contact", "campaign"))
        ids = [row.pk for row in found]
        gone_on = Enrollment.objects.filter(pk__in=ids, paused_at__isnull=False).update(paused_at=None)
        waiting = Message.objects.stoppable().filter(enrollment__in=ids, reason=PAUSED)
        waiting.update(not_before=Now(), reason="")
        for row in found:
            _tell("resumed", f"{row.contact.address} goes on in “{row.campaign.name}”", row, actor)
    return gone_on


def skippable(enrollment: Enrollment) -> Message | None:
    """The follow-up that waits, where it can be skipped."""
    rows = enrollment.messages.filter(**_SKIPPABLE).select_related("step")
    return rows.order_by("step__position").first()


def skip(enrollment: Enrollment, message: Message, *, actor: User | None) -> Message | None:
    """Leave this step out and plan the one behind it, its wait counted from now; what was planned.

    None where no step follows: the way is finished. Raises NotSkipped where the mail has left meanwhile.
    """
    with transaction.atomic():
        if not Message.objects.filter(pk=message.pk, enrollment=enrollment, **_SKIPPABLE).cancel(SKIPPED):
            raise NotSkipped
        position = message.step.position if message.step else 0
        words = f"Step {position} to {enrollment.contact.address} skipped in “{enrollment.campaign.name}”"
        _tell("skipped", words, enrollment, actor)
        planned = sequences.plan_next(message, after=clock.now())
        if planned is None:
            ended = Enrollment.objects.filter(pk=enrollment.pk, state=EnrollmentState.FINISHED)
            ended.update(reason=SKIPPED)
    return planned


def take_out(*rows: Enrollment, actor: User | None) -> None:
    """Before the launch the row goes; afterwards the person's waiting mails are cancelled."""
    with transaction.atomic():
        for row in rows:
            words = f"{row.contact.address} taken out of “{row.campaign.name}”"
            _tell("removed", words, row, actor)
            if row.messages.exists():
                sequences.stop(row, EnrollmentState.CANCELLED, reason="removed")
            else:
                row.delete()


def _tell(act: str, sentence: str, enrollment: Enrollment, actor: User | None) -> None:
    audit.record(f"enrollment.{act}", sentence, actor=actor, object_id=enrollment.campaign_id)
