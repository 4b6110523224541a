"""Stage 1, compose: who is ready, and the rows of the mails that are meant to leave."""

from __future__ import annotations

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from accounts.tenancy import current_workspace_id
from mailbox.models import USABLE, Mailbox, Replies
from outreach import attachments, conversation, hand_edits, policy, rendering, templating
from outreach.inbox import places
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Project,
    RemovalCase,
    ReplyKind,
    Step,
    Thread,
)
from outreach.models import Verdict as CaseVerdict
from outreach.models.contacts import address_index
from outreach.policy import Verdict
from outreach.problems import Problem
from outreach.readiness import Readiness, readiness
from outreach.removal_texts import presets
from outreach.suppression import is_suppressed

__all__ = [
    "Blocked",
    "Launched",
    "NeedsConfirmation",
    "NotReady",
    "Readiness",
    "ask_for_removal",
    "launch",
    "readiness",
    "removal_campaign",
    "write_answer",
    "write_test",
]


# Not under way yet; a stop that commits meanwhile is not undone by a launch.
_WAITING = [EnrollmentState.PLANNED, EnrollmentState.HELD_BACK]


@dataclass(frozen=True)
class Launched:
    """People whose first mail was planned by this call, and people left out by name."""

    ready: int
    held_back: int


class NotReady(Exception):
    """The launch is stopped by `problems`."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.sentence for problem in problems))
        self.problems = problems


class Blocked(Exception):
    """A hand-written mail may not go: `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.sentence)
        self.verdict = verdict


class NeedsConfirmation(Blocked):
    """The person is suppressed: an answer goes only when somebody confirms it."""


def launch(campaign: Campaign, *, actor: User | None, newcomers: bool = False) -> Launched:
    """Plan the first mail of everybody who is ready, and let the campaign run.

    In a campaign that runs already only those are planned who were not yet. With `newcomers` it is no
    problem when all of them are held back. Raises NotReady.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
        found = readiness(campaign)
        problems = [row for row in found.problems if not (newcomers and row.code == "nobody_ready")]
        if problems:
            raise NotReady(problems)
        plan_first(campaign, found.ready)
        _hold_back([row for row, _ in found.held_back])
        if found.ready and campaign.state in (CampaignState.DRAFT, CampaignState.FINISHED):
            Campaign.objects.filter(pk=campaign.pk).update(
                state=CampaignState.RUNNING,
                launched_at=campaign.launched_at or Now(),
                finished_at=None,
            )
        audit.record(
            "campaign.launched",
            f"“{campaign.name}” queued {len(found.ready)} mails; "
            f"{len(found.held_back)} people were held back",
            actor=actor,
            object_id=campaign.pk,
        )
    return Launched(len(found.ready), len(found.held_back))


def plan_first(campaign: Campaign, rows: list[Enrollment]) -> None:
    """One planned row each; a second call makes no second row (the unique key)."""
    step = campaign.steps.get(position=1)
    kind = MessageKind.REMOVAL if campaign.kind == CampaignKind.REMOVAL else MessageKind.FIRST
    Message.objects.bulk_create(
        [
            Message(
                kind=kind,
                project_id=campaign.project_id,
                campaign=campaign,
                step=step,
                enrollment=row,
                contact=row.contact,
                mailbox=campaign.mailbox,
                to_address=row.contact.address,
                to_index=row.contact.address_index,
                to_name=row.contact.name,
            )
            for row in rows
        ],
        ignore_conflicts=True,
    )
    Enrollment.objects.filter(pk__in=[row.pk for row in rows], state__in=_WAITING).update(
        state=EnrollmentState.RUNNING, reason="", stopped_at=None
    )


def _hold_back(rows: list[Enrollment]) -> None:
    by_code: dict[str, list[uuid.UUID]] = defaultdict(list)
    for row in rows:
        by_code[row.reason].append(row.pk)
    for code, ids in by_code.items():
        Enrollment.objects.filter(pk__in=ids, state__in=_WAITING).update(
            state=EnrollmentState.HELD_BACK, reason=code
        )


def write_answer(
    thread: Thread, *, compose_id: uuid.UUID, text: str, actor: User, confirmed: bool = False
) -> Message:
    """A person's answer, queued at once. The same `compose_id` again gives the same row.

    It goes to whoever wrote last in the thread. Raises Blocked, NeedsConfirmation.
    """
    known = Message.objects.filter(compose_id=compose_id).first()
    if known is not None:
        return known
    words = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not words:
        raise Blocked(Verdict(ok=False, code="empty", sentence="The answer is empty."))
    last = thread.replies.filter(kind=ReplyKind.REPLY).order_by("-received_at").first()
    to = last.from_address if last else thread.contact.address
    blocked = is_suppressed(to) or is_suppressed(thread.contact.address)
    if blocked is not None and not confirmed:
        raise NeedsConfirmation(policy.suppressed_by(blocked))
    mailbox = thread.mailbox
    signature = mailbox.signature.strip() if mailbox else ""
    message = Message(
        kind=MessageKind.ANSWER,
        project_id=thread.project_id,
        compose_id=compose_id,
        contact=thread.contact,
        thread=thread,
        mailbox=mailbox,
        to_address=to,
        to_name=rendering.one_line((last.from_name if last else "") or thread.contact.name),
        subject=conversation.answering(rendering.one_line((last.subject if last else "") or thread.subject)),
        text=f"{words}\n\n{signature}\n" if signature else f"{words}\n",
    )
    row = _queue_by_hand(message, actor=actor)
    places.written(thread, row)
    private = mailbox is not None and mailbox.replies == Replies.PRIVATE
    sentence = "Answer in a private conversation written" if private else f"Answer to {to} written"
    audit.record("thread.answered", sentence, actor=actor, object_id=thread.pk)
    return row


def write_test(
    step: Step,
    contact: Contact | None,
    *,
    compose_id: uuid.UUID,
    user: User,
    enrollment: Enrollment | None = None,
) -> Message:
    """What `contact` would get, sent to `user` from the campaign's mailbox; its links act on nothing.

    Without a contact the user stands in for one. `enrollment` brings what was edited by hand.
    Raises Blocked, NotReady.
    """
    known = Message.objects.filter(compose_id=compose_id).first()
    if known is not None:
        return known
    campaign = step.campaign
    someone = contact or Contact(
        workspace_id=current_workspace_id(),
        address=user.email,
        name=user.name,
        first_name=user.short_name,
        source="a test to yourself",
    )
    others = Contact.objects.filter(enrollments__campaign=campaign)
    fields = rendering.known_fields([someone, *others.only("pk", "workspace_id", "fields")])
    found = rendering.check_template(step.body, known=fields, html=not campaign.text_only)
    broken = [row for row in found if row.code in ("liquid", "unknown_field")]
    if broken:
        raise NotReady([dataclasses.replace(row, step=step.position, field="body") for row in broken])
    try:
        mail = rendering.preview(step, someone, by_hand=hand_edits.of(enrollment))
    except templating.BadTemplate as error:
        raise NotReady([Problem("template", str(error), step=step.position)]) from error
    return _queue_by_hand(
        Message(
            kind=MessageKind.TEST,
            project_id=campaign.project_id,
            campaign=campaign,
            compose_id=compose_id,
            mailbox=campaign.mailbox,
            to_address=user.email,
            to_name=rendering.one_line(user.name),
            subject=mail.subject or "(no subject)",
            text=mail.text,
            html=mail.html,
        )
    )


def _queue_by_hand(message: Message, *, actor: User | None = None) -> Message:
    """Store a hand-written mail as queued. Two calls for one composer end in one row."""
    message.workspace_id = current_workspace_id()
    verdict = policy.may_queue(message)
    if message.mailbox is None or (not verdict.ok and verdict.code != "provider_wait"):
        raise Blocked(verdict)
    message.state = MessageState.QUEUED
    message.generation = message.mailbox.generation
    message.to_index = address_index(message.to_address)
    message.content_hash = rendering.content_hash(message.subject, message.text, message.html)
    try:
        with transaction.atomic():
            message.save()
            if actor is not None:
                attachments.claim(message, actor=actor)
            Message.objects.filter(pk=message.pk).update(queued_at=Now())
    except IntegrityError:
        return Message.objects.get(compose_id=message.compose_id)
    message.refresh_from_db()
    return message


def removal_campaign(project: Project, *, actor: User | None, mailbox: Mailbox | None = None) -> Campaign:
    """The project's one removal campaign, made with its preset text on first use (decisions 2).

    `mailbox` becomes the one it leaves from; without it a campaign that has none takes the first usable.
    """
    with transaction.atomic():
        campaign, made = Campaign.objects.get_or_create(
            project=project,
            kind=CampaignKind.REMOVAL,
            defaults={"name": "Removal requests", "created_by": actor},
        )
        if made:
            for position, preset in enumerate(presets(project.website), start=1):
                Step.objects.create(
                    campaign=campaign,
                    position=position,
                    subject=preset.subject,
                    body=rendering.sanitise(preset.body),
                    wait_days=preset.wait_days,
                )
        chosen = mailbox
        if chosen is None and (campaign.mailbox is None or not campaign.mailbox.is_live):
            chosen = Mailbox.objects.filter(state__in=USABLE).order_by("connected_at").first()
        if chosen is not None and chosen.pk != campaign.mailbox_id:
            campaign.mailbox = chosen
            campaign.save(update_fields=["mailbox"])
    return campaign


def ask_for_removal(
    cases: Iterable[RemovalCase], *, actor: User | None, mailbox: Mailbox | None = None
) -> tuple[list[RemovalCase], list[tuple[RemovalCase, str]]]:
    """Plan the first request of each case: (asked, held back with a sentence).

    The cases are of one project. A case that was held back before is asked anew. Raises NotReady.
    """
    wanted = list(cases)
    if not wanted:
        return [], []
    asked: list[RemovalCase] = []
    held: list[tuple[RemovalCase, str]] = []
    by_enrollment: dict[uuid.UUID, RemovalCase] = {}
    with transaction.atomic():
        made = removal_campaign(wanted[0].project, actor=actor, mailbox=mailbox)
        campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=made.pk)
        for case in wanted:
            sentence = _enrol(campaign, case)
            if sentence:
                held.append((case, sentence))
            elif case.enrollment is not None:
                by_enrollment[case.enrollment.pk] = case
        found = readiness(campaign)
        stops = [problem for problem in found.problems if problem.code not in ("nobody", "nobody_ready")]
        if stops:
            raise NotReady(stops)
        mine = [row for row in found.ready if row.pk in by_enrollment]
        back = [(row, sentence) for row, sentence in found.held_back if row.pk in by_enrollment]
        plan_first(campaign, mine)
        _hold_back([row for row, _ in back])
        asked = [by_enrollment[row.pk] for row in mine]
        held += [(by_enrollment[row.pk], sentence) for row, sentence in back]
        if asked and campaign.state != CampaignState.PAUSED:
            Campaign.objects.filter(pk=campaign.pk).update(
                state=CampaignState.RUNNING, launched_at=campaign.launched_at or Now(), finished_at=None
            )
        audit.record(
            "removal.asked",
            f"{len(asked)} removal requests queued in “{campaign.project.name}”; {len(held)} held back",
            actor=actor,
            object_id=campaign.pk,
        )
    return asked, held


def _enrol(campaign: Campaign, case: RemovalCase) -> str:
    """Put the case's contact into the campaign; a sentence where that cannot be."""
    if case.verdict != CaseVerdict.REMOVE:
        return "The verdict for this site is not “Ask to remove”."
    if case.contact is None:
        return "Nobody is named who could be asked."
    if case.enrollment is not None and case.enrollment.contact_id != case.contact.pk:
        if case.enrollment.state in (EnrollmentState.PLANNED, EnrollmentState.RUNNING):
            return "Somebody else at this site is being asked already."
        case.enrollment = None
    if case.enrollment is None:
        row, made = Enrollment.objects.get_or_create(campaign=campaign, contact=case.contact)
        other = RemovalCase.objects.filter(enrollment=row).exclude(pk=case.pk).exists()
        if other:
            return "The same person is asked about another site; one request at a time."
        case.enrollment = row
        RemovalCase.objects.filter(pk=case.pk).update(enrollment=row)
        if not made and row.messages.exists():
            return "This person was asked before."
    if case.enrollment.state not in (EnrollmentState.PLANNED, EnrollmentState.HELD_BACK):
        return "This site was asked already."
    return ""
