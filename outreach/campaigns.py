"""What a person does with a campaign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Q

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from accounts.viewpoint import whole_workspace
from mailbox.models import Mailbox
from outreach import rendering, unqueueing
from outreach.enrollments import OPEN
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    Project,
    Step,
    StepCondition,
    Thread,
)
from outreach.models.campaigns import MOST_STEPS
from outreach.models.messages import FINAL
from outreach.pipeline import compose

# A site is asked once and reminded twice (design/07): more would be pressure.
MOST_REQUESTS = 3
_LAUNCHED = [CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.FINISHED]


class NotAllowed(Exception):
    """The act does not fit the campaign's state; the message is the sentence for the screen."""


@dataclass(frozen=True)
class Added:
    """`held_back` is filled where the campaign already runs."""

    added: int
    known: int
    held_back: int = 0


def most_steps(campaign: Campaign) -> int:
    return MOST_REQUESTS if campaign.kind == CampaignKind.REMOVAL else MOST_STEPS


def create(
    *,
    name: str,
    project: Project,
    mailbox: Mailbox | None,
    timezone: str,
    text_only: bool = False,
    actor: User | None,
) -> Campaign:
    """A draft with an empty first step."""
    with transaction.atomic():
        row = Campaign.objects.create(
            name=name,
            project=project,
            mailbox=mailbox,
            timezone=timezone,
            text_only=text_only,
            created_by=actor,
        )
        Step.objects.create(campaign=row, position=1, subject="", body="")
        _tell("created", f"Campaign {row.name} made", row, actor)
    return row


def save_step(
    campaign: Campaign,
    position: int,
    *,
    subject: str,
    body: str,
    wait_days: int = 4,
    working_days: bool = False,
    new_thread: bool = False,
    condition: str = StepCondition.ALWAYS,
    actor: User | None = None,
) -> Step:
    """Store a step's text; mails of it that are queued return to planned and are queued anew (decisions 3).

    A mail that a worker holds, or that lies in the mailbox as a draft, keeps its text. Raises NotAllowed.
    """
    if campaign.state == CampaignState.CANCELLED:
        raise NotAllowed("The campaign was cancelled. Duplicate it to go on.")
    last = campaign.steps.aggregate(last=Max("position"))["last"] or 0
    if not 1 <= position <= min(last + 1, most_steps(campaign)):
        raise NotAllowed(f"It has at most {most_steps(campaign)} steps, one behind the other.")
    with transaction.atomic():
        step = campaign.steps.filter(position=position).first() or Step(campaign=campaign, position=position)
        text = body.replace("\r\n", "\n").replace("\x00", "")
        before = (step.subject, step.body, step.new_thread, step.condition)
        step.new_thread = position > 1 and new_thread and campaign.kind != CampaignKind.REMOVAL
        line = rendering.one_line(subject, most=rendering.LONGEST_WRITTEN_SUBJECT)
        step.subject = line if step.position == 1 or step.new_thread else ""
        step.body = text if campaign.text_only else rendering.sanitise(text)
        step.wait_days = 0 if position == 1 else max(0, min(wait_days, 365))
        may_ask = position > 1 and campaign.kind != CampaignKind.REMOVAL
        step.condition = condition if may_ask else StepCondition.ALWAYS
        step.working_days = position > 1 and working_days
        step.save()
        if campaign.state != CampaignState.DRAFT and before != (
            step.subject,
            step.body,
            step.new_thread,
            step.condition,
        ):
            returned = unqueueing.unqueue(Message.objects.filter(step=step))
            audit.record(
                "campaign.edited",
                f"Step {position} of “{campaign.name}” changed; {returned} queued mails are written anew",
                actor=actor,
                object_id=campaign.pk,
            )
    return step


def remove_step(step: Step, *, actor: User | None = None) -> None:
    """Take the last step out, with its planned mails. Raises NotAllowed when mails of it have left."""
    if step.campaign.steps.filter(position__gt=step.position).exists():
        raise NotAllowed("Only the last step can be taken out.")
    if step.position == 1:
        raise NotAllowed("The first mail stays: a campaign has at least one step.")
    with transaction.atomic():
        Message.objects.filter(step=step).cancel("step_removed")
        if Message.objects.filter(step=step).exclude(state=MessageState.CANCELLED).exists():
            transaction.set_rollback(True)
            raise NotAllowed("Mails of this step have left already, so it stays.")
        drafts = Message.objects.filter(step=step, draft_id__isnull=False).exists()
        if drafts:
            transaction.set_rollback(True)
            raise NotAllowed("A mail of this step lies as a draft in the mailbox. Try again in a minute.")
        waited = list(Message.objects.filter(step=step).values_list("enrollment", flat=True))
        Message.objects.filter(step=step).delete()
        # Nothing is left ahead of whoever waited for it.
        Enrollment.objects.filter(pk__in=waited, state=EnrollmentState.RUNNING).update(
            state=EnrollmentState.FINISHED, reason="all_accepted", stopped_at=Now()
        )
        campaign, position = step.campaign, step.position
        step.delete()
        _tell("step_removed", f"Step {position} of “{campaign.name}” taken out", campaign, actor)


def pause(campaign: Campaign, *, actor: User | None, reason: str = "") -> bool:
    """Nothing is handed over after this commit; whether it was running."""
    with transaction.atomic():
        paused = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING).update(
            state=CampaignState.PAUSED, pause_reason=reason[:60]
        )
        if paused:
            _tell("paused", f"“{campaign.name}” paused", campaign, actor)
    campaign.refresh_from_db()
    return bool(paused)


def resume(campaign: Campaign, *, actor: User | None) -> bool:
    """Every waiting mail keeps its place and its text; whether it was paused."""
    with transaction.atomic():
        resumed = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.PAUSED).update(
            state=CampaignState.RUNNING, pause_reason=""
        )
        if resumed:
            Message.objects.stoppable().filter(campaign=campaign, reason="campaign_paused").update(
                not_before=Now(), reason=""
            )
            _tell("resumed", f"“{campaign.name}” resumed", campaign, actor)
    campaign.refresh_from_db()
    return bool(resumed)


@whole_workspace("a stop also concerns private conversations")
def cancel(campaign: Campaign, *, actor: User | None) -> int:
    """End the campaign for good: how many waiting mails were cancelled. A second call cancels nothing."""
    with transaction.atomic():
        ended = Campaign.objects.filter(pk=campaign.pk).exclude(
            state__in=[CampaignState.CANCELLED, CampaignState.FINISHED]
        )
        stopped = 0
        if ended.update(state=CampaignState.CANCELLED, finished_at=Now()):
            stopped = Message.objects.filter(campaign=campaign).cancel("campaign_cancelled")
            Enrollment.objects.filter(campaign=campaign, state__in=OPEN).update(
                state=EnrollmentState.CANCELLED, reason="campaign_cancelled", stopped_at=Now()
            )
            _tell(
                "cancelled", f"“{campaign.name}” cancelled; {stopped} mails will not leave", campaign, actor
            )
    campaign.refresh_from_db()
    return stopped


def duplicate(campaign: Campaign, *, actor: User | None, with_people: bool = False) -> Campaign:
    """The same text and settings as a new draft; with `with_people` also the same people."""
    if campaign.kind == CampaignKind.REMOVAL:
        raise NotAllowed("A project has one campaign of removal requests.")
    with transaction.atomic():
        copy = Campaign.objects.create(
            project=campaign.project,
            name=f"{campaign.name[:112]} (copy)",
            mailbox=campaign.mailbox if campaign.mailbox and campaign.mailbox.is_live else None,
            text_only=campaign.text_only,
            tracks_opens=campaign.tracks_opens,
            tracks_clicks=campaign.tracks_clicks,
            window_start=campaign.window_start,
            window_end=campaign.window_end,
            weekdays=campaign.weekdays,
            timezone=campaign.timezone,
            observes_holidays=campaign.observes_holidays,
            created_by=actor,
        )
        for step in campaign.steps.all():
            Step.objects.create(
                campaign=copy,
                position=step.position,
                subject=step.subject,
                body=step.body,
                wait_days=step.wait_days,
                working_days=step.working_days,
                new_thread=step.new_thread,
                condition=step.condition,
            )
        if with_people:
            contacts = Contact.objects.filter(enrollments__campaign=campaign)
            add_contacts(copy, contacts, actor=actor)
        _tell("duplicated", f"“{campaign.name}” copied to “{copy.name}”", copy, actor)
    return copy


@whole_workspace("private conversations go with their campaign")
def delete(campaign: Campaign, *, actor: User | None) -> None:
    """The campaign with its mails, conversations and replies. What waits is stopped first."""
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CANCELLED)
        Thread.objects.filter(campaign=campaign).delete()
        Message.objects.filter(campaign=campaign).delete()
        _tell("deleted", f"“{campaign.name}” deleted with its mail", campaign, actor)
        campaign.delete()


@whole_workspace("private conversations go with their project")
def delete_project(project: Project, *, actor: User | None) -> None:
    """The project with its campaigns, removal work and all their mail (promise 9)."""
    with transaction.atomic():
        Campaign.objects.filter(project=project).update(state=CampaignState.CANCELLED)
        Thread.objects.filter(project=project).delete()
        Message.objects.filter(project=project).delete()
        audit.record(
            "project.deleted",
            f"Project “{project.name}” deleted with its mail",
            actor=actor,
            object_id=project.pk,
        )
        project.delete()


def add_contacts(campaign: Campaign, contacts: Iterable[Contact], *, actor: User | None = None) -> Added:
    """Put people into the campaign, each once; in a launched one the newcomers' first mails are planned.

    Raises NotAllowed, compose.NotReady.
    """
    if campaign.state == CampaignState.CANCELLED:
        raise NotAllowed("The campaign was cancelled. Duplicate it to go on.")
    people = list({contact.pk: contact for contact in contacts}.values())
    with transaction.atomic():
        known = set(
            Enrollment.objects.filter(campaign=campaign, contact__in=people).values_list("contact", flat=True)
        )
        fresh = [contact for contact in people if contact.pk not in known]
        Enrollment.objects.bulk_create(
            [Enrollment(campaign=campaign, contact=contact) for contact in fresh], ignore_conflicts=True
        )
        held = 0
        if fresh and campaign.state in _LAUNCHED:
            compose.launch(campaign, actor=actor, newcomers=True)
            held = Enrollment.objects.filter(
                campaign=campaign, contact__in=fresh, state=EnrollmentState.HELD_BACK
            ).count()
        if fresh:
            people_words = "1 person" if len(fresh) == 1 else f"{len(fresh)} people"
            _tell("people_added", f"{people_words} put into “{campaign.name}”", campaign, actor)
    return Added(len(fresh), len(known), held)


def finish_idle() -> int:
    """Finish running campaigns in which nothing is left to happen; how many.

    A mail in doubt keeps its campaign open: somebody has to decide.
    """
    busy = Q(messages__isnull=False) & ~Q(messages__state__in=FINAL)
    running = Campaign.objects.filter(state=CampaignState.RUNNING)
    idle = (
        running.exclude(pk__in=running.filter(busy).values("pk"))
        .exclude(enrollments__state__in=[EnrollmentState.PLANNED, EnrollmentState.RUNNING])
        .values_list("pk", flat=True)
    )
    return Campaign.objects.filter(pk__in=list(idle), state=CampaignState.RUNNING).update(
        state=CampaignState.FINISHED, finished_at=Now()
    )


def _tell(act: str, sentence: str, campaign: Campaign, actor: User | None) -> None:
    audit.record(f"campaign.{act}", sentence, actor=actor, object_id=campaign.pk)
