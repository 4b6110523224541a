"""Stage 2, queue: due planned rows pass the gates, and their text is frozen (decisions 3).

A row that may not go yet stays planned and says why; one that may never go ends here, before anything of
it reached a provider.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.clock import Now
from accounts.encryption import seal
from mailbox.models import Mailbox
from outreach import conditions, conversation, hand_edits, policy, rendering, results, templating
from outreach.holding import blank_code, held_sentence
from outreach.inbox import search
from outreach.models import (
    CampaignKind,
    CampaignState,
    Contact,
    Message,
    MessageState,
    Step,
    Thread,
)
from outreach.policy import Verdict
from outreach.readiness import links_by_enrollment
from tracking.defaults import may_track

# How soon a row is asked again that waits for a person.
ASK_AGAIN = dt.timedelta(seconds=30)
_ROW = ("workspace", "mailbox", "campaign__project", "campaign__workspace", "campaign__mailbox",
        "contact__site", "step", "enrollment__case", "thread")  # fmt: skip


def due() -> QuerySet[Message]:
    """Planned rows whose time has come. Those of a paused campaign stay as they are."""
    rows: QuerySet[Message] = (
        Message.objects.filter(state=MessageState.PLANNED, due_at__lte=Now())
        .filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()))
        .exclude(campaign__state__in=[CampaignState.PAUSED, CampaignState.DRAFT])
    )
    return rows


def queue_due(limit: int | None = None) -> int:
    """How many rows of the open workspace were queued; each in a transaction of its own."""
    # Who was never asked comes first: rows that wait for a person are asked in turn and hold nobody up.
    turn = due().order_by(F("not_before").asc(nulls_first=True), "due_at", "pk")
    ids = list(turn.values_list("pk", flat=True)[: limit or settings.BATCH_SIZE])
    return sum(_queue_one(pk) for pk in ids)


def _queue_one(pk: uuid.UUID) -> bool:
    with transaction.atomic():
        # The text's row first: an edit under way is waited for and read, a later one finds the row queued.
        Step.objects.select_for_update(of=("self",), no_key=True).filter(messages=pk).first()
        locked = due().select_for_update(skip_locked=True, of=("self",))
        message = locked.select_related(*_ROW).filter(pk=pk).first()
        if message is None:
            return False
        _join(message)
        if message.thread is None and message.campaign is not None:
            # A first mail leaves from the mailbox that the campaign has now.
            message.mailbox = message.campaign.mailbox
        verdict = policy.may_queue(message)
        mail = None
        why = conditions.unmet(message) if verdict.ok else None
        if why is not None:
            conditions.pass_over(message, why)
            return False
        if verdict.ok:
            mail, verdict = _render(message)
        if mail is not None:
            message.subject, message.text, message.html = mail.subject, mail.text, mail.html
            message.headers = conversation.pack_headers(mail.headers)
            verdict = policy.may_queue_text(message)
        if mail is None or message.contact is None or message.mailbox is None or not verdict.ok:
            _leave(message, verdict)
            return False
        return _freeze(message, mail, to=message.contact, mailbox=message.mailbox)


def _render(message: Message) -> tuple[rendering.Rendered | None, Verdict]:
    """The mail, or why it cannot be written: a blank or a broken field waits for a person (F24)."""
    campaign, contact, step, mailbox = message.campaign, message.contact, message.step, message.mailbox
    if campaign is None or contact is None or step is None or mailbox is None:
        return None, Verdict(ok=False, code="incomplete", sentence="A part of this mail was deleted.")
    here = message.workspace
    message.tracks_opens, message.tracks_clicks = may_track(
        contact.country,
        contact.tracking_consent,
        workspace_opens=here.tracks_opens,
        workspace_clicks=here.tracks_clicks,
        campaign_opens=campaign.tracks_opens,
        campaign_clicks=campaign.tracks_clicks,
        text_only=campaign.text_only,
    )
    links: list[str] = []
    if campaign.kind == CampaignKind.REMOVAL and message.enrollment is not None:
        links = links_by_enrollment([message.enrollment])[message.enrollment.pk]
    opening = None
    if not step.begins_thread and message.thread_id is not None:
        # The subject of the conversation that it goes on with; a step between them may have been left out.
        opening = Step.objects.filter(messages__thread=message.thread_id).order_by("position").first()
    try:
        mail = rendering.render_step(
            step,
            contact,
            mailbox=mailbox,
            campaign=campaign,
            first=opening,
            links=links,
            key=message.pk,
            opens=message.tracks_opens,
            clicks=message.tracks_clicks,
            by_hand=hand_edits.of(message.enrollment),
        )
    except templating.BadTemplate as error:
        return None, Verdict(ok=False, code="template", sentence=str(error))
    if mail.blanks:
        code = blank_code(mail.blanks)
        return None, Verdict(ok=False, code=code, sentence=held_sentence(code))
    return mail, Verdict(ok=True)


def _leave(message: Message, verdict: Verdict) -> None:
    """Not now, or never."""
    if verdict.ends is not None:
        results.end(
            message,
            verdict.ends,
            fence=message.fence,
            reason=verdict.code,
            detail=verdict.sentence,
            was=[MessageState.PLANNED],
        )
        return
    Message.objects.filter(pk=message.pk, state=MessageState.PLANNED).update(
        reason=verdict.code,
        not_before=Coalesce(verdict.until, Now() + ASK_AGAIN),
        **seal(message, detail=verdict.sentence),
    )


def _join(message: Message) -> None:
    """The conversation that a later step stands in, as its text says now: a step may have been changed since
    it was planned, and one that began a conversation may have been left out."""
    step = message.step
    if step is None or step.position == 1 or message.enrollment_id is None:
        return
    sent = Message.objects.filter(
        enrollment=message.enrollment_id, state=MessageState.SENT, step__isnull=False, thread__isnull=False
    )
    last = sent.select_related("thread").order_by("-step__position").first()
    if not step.new_thread:
        message.thread = last.thread if last is not None else message.thread
    elif message.thread_id is not None and sent.filter(thread=message.thread_id).exists():
        message.thread = None


def _freeze(message: Message, mail: rendering.Rendered, *, to: Contact, mailbox: Mailbox) -> bool:
    thread = message.thread or _thread_of(message, to, subject=mail.subject)
    values = seal(
        message,
        to_address=to.address,
        to_name=rendering.one_line(to.name),
        subject=mail.subject,
        text=mail.text,
        headers=message.headers or "[]",
    )
    if mail.html is not None:
        values |= seal(message, html=mail.html)
    moved = Message.objects.filter(pk=message.pk, state=MessageState.PLANNED).update(
        state=MessageState.QUEUED,
        thread=thread,
        mailbox=mailbox,
        generation=mailbox.generation,
        to_index=to.address_index,
        content_hash=rendering.content_hash(mail.subject, mail.text, mail.html),
        tracks_opens=message.tracks_opens,
        tracks_clicks=message.tracks_clicks,
        queued_at=Now(),
        not_before=None,
        reason="",
        detail=None,
        **({} if mail.html is not None else {"html": None}),
        **values,
    )
    if moved and thread.indexed:
        search.forget(Thread.objects.filter(pk=thread.pk))
    return bool(moved)


def _thread_of(message: Message, contact: Contact, *, subject: str) -> Thread:
    """The person's conversation: made with the mail that begins it, kept when that one is queued anew."""
    begins = message.step is not None and message.step.new_thread
    known = message.enrollment_id and not begins
    found = Thread.objects.filter(enrollment=message.enrollment).first() if known else None
    if found is not None:
        return found
    return Thread.objects.create(
        project_id=message.project_id,
        campaign=message.campaign,
        enrollment=message.enrollment,
        contact=contact,
        mailbox=message.mailbox,
        subject=subject,
    )
