"""One person's mail written over by hand: until it is frozen, and taken back with one press.

What is stored is the mail as it goes out, so nothing of it may be left to fill in. It holds whatever becomes
of the step's text; the preview and the checks say when that has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from outreach import content, rendering
from outreach.models import Campaign, CampaignState, Enrollment, HandEdit, Message, MessageState, Step
from outreach.problems import Problem
from outreach.rendering import ByHand

# A queued mail is written anew, as after an edit of its step; what a worker holds is not touched.
_NOT_FROZEN = [MessageState.PLANNED]


class NotAllowed(Exception):
    """The mail has left, is being sent, or waits with its text frozen: the sentence for the screen."""


class NotFinal(ValueError):
    """`problems` stand in what was typed; nothing is stored."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.sentence for problem in problems))
        self.problems = problems


def of(enrollment: Enrollment | None) -> dict[int, ByHand]:
    """By the step's position: what rendering takes."""
    if enrollment is None:
        return {}
    rows = HandEdit.objects.filter(enrollment=enrollment).select_related("step")
    return {row.step.position: ByHand(row.subject, row.body) for row in rows}


def steps_by_enrollment(enrollments: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """The steps that were edited, per person; one query for all."""
    found: dict[UUID, set[UUID]] = {}
    rows = HandEdit.objects.filter(enrollment__in=list(enrollments))
    for enrollment, step in rows.values_list("enrollment", "step"):
        found.setdefault(enrollment, set()).add(step)
    return found


def exists() -> Exists:
    """For annotate() on people of a campaign: whether one of their mails was edited."""
    return Exists(HandEdit.objects.filter(enrollment=OuterRef("pk")))


def changed_since(campaign: Campaign, steps: Iterable[Step]) -> dict[int, int]:
    """By position: how many edited mails of a step that have not left were written over an older text."""
    found = {}
    frozen = Message.objects.filter(campaign=campaign).exclude(state__in=_NOT_FROZEN)
    for step in steps:
        rows = HandEdit.objects.filter(step=step).exclude(of_text=text_hash(step))
        rows = rows.exclude(enrollment__in=frozen.filter(step=step).values("enrollment"))
        count = rows.count()
        if count:
            found[step.position] = count
    return found


def text_hash(step: Step) -> str:
    return rendering.content_hash(step.subject, step.body, None)


def may_edit(enrollment: Enrollment, step: Step) -> str:
    """Why this person's mail cannot be edited any more; empty while it can."""
    if enrollment.campaign.state in (CampaignState.CANCELLED, CampaignState.FINISHED):
        return "The campaign is over."
    row = Message.objects.filter(enrollment=enrollment, step=step).first()
    if row is None or row.state in _NOT_FROZEN:
        return ""
    if row.state in (MessageState.QUEUED, MessageState.DEFERRED):
        return "This mail is queued: its text is frozen, and goes as it stands."
    return "This mail has left, is leaving or will not go. Its text stays as it was."


def save(enrollment: Enrollment, step: Step, *, subject: str, body: str, actor: User) -> HandEdit:
    """Store what this person gets in place of the step's text. Raises NotAllowed, NotFinal."""
    campaign = enrollment.campaign
    text = body.replace("\r\n", "\n").replace("\x00", "")
    text = text if campaign.text_only else rendering.sanitise(text)
    line = rendering.one_line(subject) if step.begins_thread else ""
    found = _problems(step, line, text, html=not campaign.text_only)
    if found:
        raise NotFinal(found)
    with transaction.atomic():
        # The queue takes this row first, too: a mail is frozen before the edit, or with it.
        locked = Step.objects.select_for_update(of=("self",), no_key=True).get(pk=step.pk)
        no = may_edit(enrollment, locked)
        if no:
            raise NotAllowed(no)
        row = HandEdit.objects.filter(enrollment=enrollment, step=locked).first()
        row = row or HandEdit(enrollment=enrollment, step=locked)
        row.subject, row.body, row.of_text, row.edited_by = line, text, text_hash(locked), actor
        row.save()
        HandEdit.objects.filter(pk=row.pk).update(edited_at=Now())
        _tell("edited_by_hand", f"Step {step.position} to one person edited by hand", campaign, actor)
    return row


def revert(enrollment: Enrollment, step: Step, *, actor: User) -> bool:
    """The person gets the step's text again; whether there was an edit. Raises NotAllowed."""
    with transaction.atomic():
        locked = Step.objects.select_for_update(of=("self",), no_key=True).get(pk=step.pk)
        no = may_edit(enrollment, locked)
        if no:
            raise NotAllowed(no)
        gone, _ = HandEdit.objects.filter(enrollment=enrollment, step=locked).delete()
        if gone:
            words = f"Step {step.position} to one person goes by the campaign’s text again"
            _tell("hand_edit_undone", words, enrollment.campaign, actor)
    return bool(gone)


def _problems(step: Step, subject: str, body: str, *, html: bool) -> list[Problem]:
    text = rendering.text_of(body) if html else body
    found: list[Problem] = []
    if step.begins_thread and not subject:
        found.append(Problem("no_text", "The subject is empty.", field="subject"))
    if not text.strip():
        found.append(Problem("no_text", "The text is empty.", field="body"))
    for problem in (
        content.pretends(subject) if step.begins_thread else None,
        content.leftover(subject, ""),
        content.leftover("", text),
        content.hidden_host(text, body if html else None),
    ):
        if problem is not None:
            found.append(problem)
    return found


def _tell(act: str, sentence: str, campaign: Campaign, actor: User) -> None:
    audit.record(f"campaign.{act}", f"{sentence}, in “{campaign.name}”", actor=actor, object_id=campaign.pk)
