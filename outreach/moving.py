"""People go from one campaign to another, and back while nothing has left there.

Whoever would be held back there stays where they are: a move must not quietly end somebody's way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from accounts import audit
from accounts.clock import Now
from accounts.encryption import seal
from accounts.models import User
from outreach.enrollments import OPEN
from outreach.holding import held_sentence
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Thread,
)
from outreach.models.messages import FINAL, STOPPABLE
from outreach.pipeline import compose

MOVED = "moved"
ALREADY_THERE = "They are in that campaign already."
ON_ITS_WAY = "A mail to them is on its way or in doubt."
MAY_HAVE_ANSWERED = "A mail came that may be their answer. Say in the inbox whether it is."
OVER = "Their way in this campaign is over."
WRITTEN_THERE = "A mail has left there, or lies in the mailbox as a draft."
UNSEEN_THERE = "They are in a project that you do not see."
CANCELLED_HERE = "This campaign was cancelled meanwhile."
DRAFT_HERE = "Their mail lay as a draft in the mailbox, so it cannot wait again as it did."


class NotMoved(Exception):
    """Nobody was moved; the message is the sentence for the screen."""


@dataclass(frozen=True)
class Moved:
    """How many changed the campaign, in which moment, and who stayed with the sentence why."""

    count: int
    at: dt.datetime | None = None
    stayed: list[tuple[Enrollment, str]] = field(default_factory=list)


def targets(campaign: Campaign) -> QuerySet[Campaign]:
    """Where people of this campaign may go: campaigns that the viewer sees and that still may send."""
    rows: QuerySet[Campaign] = Campaign.objects.filter(kind=CampaignKind.OUTREACH)
    rows = rows.exclude(state=CampaignState.CANCELLED).exclude(pk=campaign.pk)
    return rows.select_related("project").order_by("-created_at", "-id")


def with_names(rows: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
    """Each with `moved_name`, the campaign that they went to, where the viewer sees it."""
    there = Campaign.objects.filter(pk=OuterRef("moved_to")).values("name")[:1]
    return rows.annotate(moved_name=Subquery(there))


def move(rows: QuerySet[Enrollment], to: Campaign, *, actor: User | None) -> Moved:
    """All of one campaign. Raises NotMoved, compose.NotReady."""
    with transaction.atomic():
        to = Campaign.objects.select_for_update(of=("self",)).get(pk=to.pk)
        if to.state == CampaignState.CANCELLED or to.kind != CampaignKind.OUTREACH:
            raise NotMoved("That campaign takes nobody any more. Choose another one.")
        chosen = _locked(rows.exclude(campaign=to))
        stays = _stays(chosen, to)
        free = [row for row in chosen if row.pk not in stays]
        while free:
            # Their own mails here must have ended before the other campaign is asked whether they may come;
            # with those who may not, all of it is taken back, and the others are tried again.
            with transaction.atomic():
                held = _put_over(free, to, actor=actor)
                if held:
                    transaction.set_rollback(True)
            if not held:
                break
            stays |= held
            free = [row for row in free if row.pk not in held]
        for row in free:
            words = f"{row.contact.address} moved from “{row.campaign.name}” to “{to.name}”"
            audit.record("enrollment.moved", words, actor=actor, object_id=row.campaign_id)
        at = Enrollment.objects.get(pk=free[0].pk).stopped_at if free else None
    return Moved(len(free), at, [(row, stays[row.pk]) for row in chosen if row.pk in stays])


def move_back(rows: QuerySet[Enrollment], *, actor: User | None) -> Moved:
    """Undo: each waits here again as before, where nothing has left for them in the other campaign."""
    back: list[Enrollment] = []
    stayed: list[tuple[Enrollment, str]] = []
    with transaction.atomic():
        for row in _locked(rows.filter(state=EnrollmentState.CANCELLED, reason=MOVED)):
            with transaction.atomic():
                problem = _taken_back(row)
                if problem:
                    transaction.set_rollback(True)
            if problem:
                stayed.append((row, problem))
                continue
            back.append(row)
            words = f"{row.contact.address} moved back to “{row.campaign.name}”"
            audit.record("enrollment.moved_back", words, actor=actor, object_id=row.campaign_id)
    return Moved(len(back), None, stayed)


def _locked(rows: QuerySet[Enrollment]) -> list[Enrollment]:
    """With the lock first on the people, then on their open mails, in the order of a pause."""
    ids = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    open_mails = Message.objects.filter(enrollment__in=ids).exclude(state__in=FINAL)
    list(open_mails.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    return list(Enrollment.objects.filter(pk__in=ids).select_related("contact", "campaign").order_by("pk"))


def _stays(chosen: Sequence[Enrollment], to: Campaign) -> dict[object, str]:
    people = [row.contact_id for row in chosen]
    there = set(Enrollment.objects.filter(campaign=to, contact__in=people).values_list("contact", flat=True))
    leaving = Message.objects.filter(enrollment__in=chosen).exclude(state__in=[*FINAL, *STOPPABLE])
    busy = set(leaving.exclude(kind=MessageKind.ANSWER).values_list("enrollment", flat=True))
    stays: dict[object, str] = {}
    for row in chosen:
        if row.state not in OPEN:
            stays[row.pk] = OVER
        elif row.contact_id in there:
            stays[row.pk] = ALREADY_THERE
        elif row.pk in busy:
            stays[row.pk] = ON_ITS_WAY
        elif row.answer_suspected_at is not None:
            stays[row.pk] = MAY_HAVE_ANSWERED
    return stays


def _put_over(free: Sequence[Enrollment], to: Campaign, *, actor: User | None) -> dict[object, str]:
    """Ends these ways here and begins them there; who would be held back there, and why."""
    ids = [row.pk for row in free]
    Enrollment.objects.filter(pk__in=ids, state__in=OPEN).update(
        state=EnrollmentState.CANCELLED, reason=MOVED, moved_to=to, stopped_at=Now()
    )
    Message.objects.filter(enrollment__in=ids).exclude(kind=MessageKind.ANSWER).cancel(MOVED)
    # Whoever was paused stays paused, and whoever is away is away for the other campaign too.
    made = Enrollment.objects.bulk_create(
        [
            Enrollment(campaign=to, contact=row.contact, paused_at=row.paused_at, resumes_at=row.resumes_at)
            for row in free
        ]
    )
    mine = {row.pk: old.pk for row, old in zip(made, free, strict=True)}
    if to.state == CampaignState.DRAFT:
        held = compose.readiness(to).held_back
        return {mine[row.pk]: sentence for row, sentence in held if row.pk in mine}
    compose.launch(to, actor=actor, newcomers=True)
    waiting = Enrollment.objects.filter(pk__in=mine, state=EnrollmentState.HELD_BACK)
    return {mine[row.pk]: held_sentence(row.reason) for row in waiting}


def _taken_back(row: Enrollment) -> str:
    """Empty where it worked, else the sentence why not."""
    here = Campaign.objects.select_for_update(of=("self",)).get(pk=row.campaign_id)
    if here.state == CampaignState.CANCELLED:
        return CANCELLED_HERE
    if row.moved_to_id is not None and not Campaign.objects.filter(pk=row.moved_to_id).exists():
        return UNSEEN_THERE
    if Message.objects.filter(enrollment=row, reason=MOVED, draft_id__isnull=False).exists():
        return DRAFT_HERE
    there = Enrollment.objects.filter(campaign=row.moved_to_id, contact=row.contact_id).first()
    if there is not None:
        mails = Message.objects.filter(enrollment=there)
        mails.cancel(MOVED)
        if mails.exclude(state=MessageState.CANCELLED, draft_id__isnull=True).exists():
            return WRITTEN_THERE
        mails.delete()
        Thread.objects.filter(enrollment=there).delete()
        there.delete()
    waiting = Message.objects.filter(enrollment=row, state=MessageState.CANCELLED, reason=MOVED)
    for mail in waiting:
        # As a mail that is planned anew because its text changed (unqueueing.py).
        Message.objects.filter(pk=mail.pk, state=MessageState.CANCELLED).update(
            state=MessageState.PLANNED,
            fence=F("fence") + 1,
            queued_at=None,
            not_before=None,
            ended_at=None,
            reason="",
            detail=None,
            html=None,
            headers=None,
            content_hash="",
            **seal(mail, subject="", text=""),
        )
    began = row.messages.exists()
    if began:
        # Without them it may have come to its end.
        ended = Campaign.objects.filter(pk=here.pk, state=CampaignState.FINISHED)
        ended.update(state=CampaignState.RUNNING, finished_at=None)
    Enrollment.objects.filter(pk=row.pk, state=EnrollmentState.CANCELLED, reason=MOVED).update(
        state=EnrollmentState.RUNNING if began else EnrollmentState.PLANNED,
        reason="",
        moved_to=None,
        stopped_at=None,
    )
    return ""
