"""What a recipient's page says about our mail to them, and what they may do there besides opting out.

Nothing internal leaves here: no name of a project, a campaign or a list (threats 3).
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db.models import Min

from accounts import audit
from accounts.clock import Now
from accounts.models import AuditEvent
from mailbox.models import Mailbox
from outreach import sequences, suppression
from outreach.models import (
    Backlink,
    Basis,
    CampaignKind,
    CaseState,
    EnrollmentState,
    LinkState,
    Message,
    MessageState,
    RemovalCase,
    Reply,
    Suppression,
)
from outreach.models.contacts import address_index
from tracking.recipient import Act, RecipientFacts

_STILL_THERE = [LinkState.NOT_CHECKED, LinkState.LIVE, LinkState.NOFOLLOW, LinkState.COULD_NOT_CHECK]


def describe(key: uuid.UUID) -> RecipientFacts | None:
    """The page's facts; None for a mail that is no longer known."""
    message = (
        Message.objects.select_related("workspace", "mailbox", "contact__site", "campaign", "project")
        .filter(pk=key)
        .first()
    )
    if message is None:
        return None
    contact, mailbox, case = message.contact, message.mailbox, _case_of(message)
    address = message.to_address or (contact.address if contact is not None else "")
    if not address:
        return None
    sent = Message.objects.filter(to_index=address_index(address), state=MessageState.SENT)
    times = sent.filter(sent_at__isnull=False).order_by("sent_at").values_list("sent_at", flat=True)
    row = suppression.is_suppressed(address)
    stopped = "" if row is None else str(row.scope)
    return RecipientFacts(
        sender_name=_sender_name(mailbox, message),
        sender_address=mailbox.address if mailbox is not None else "",
        workspace_name=message.workspace.name,
        postal_address=message.workspace.postal_address,
        recipient_address=address,
        why=f"How they found you: {contact.source.rstrip('.')}."
        if contact is not None and contact.source
        else "",
        is_removal=case is not None,
        links=tuple(_links(case)),
        site=case.site.domain if case is not None else "",
        target_site=message.project.website if case is not None else "",
        first_name=contact.first_name if contact is not None else "",
        sent_at=tuple(at for at in times if at is not None),
        answers=Reply.objects.filter(thread__contact=contact).count() if contact is not None else 0,
        basis=Basis(contact.basis).label if contact is not None else "",
        stopped=stopped if stopped in Suppression.Scope.values else "",
        says_removed=case is not None and _all_said_removed(case),
        deletion_asked_at=_deletion_asked_at(key),
    )


def act(key: uuid.UUID, what: Act, note: str) -> None:
    """A claim or a wish of the recipient, inside the transaction that stored it. Unknown mails: nothing."""
    message = Message.objects.select_related("contact", "enrollment").filter(pk=key).first()
    if message is None:
        return
    said = f": {note}" if note else ""
    if what is Act.REMOVED:
        case = _case_of(message)
        if case is None:
            return
        # Their word is a claim and stays one until somebody looked (decisions 19).
        Backlink.objects.filter(case=case, state__in=_STILL_THERE).update(
            state=LinkState.SAYS_REMOVED, state_at=Now()
        )
        RemovalCase.objects.filter(pk=case.pk, state=CaseState.OPEN).update(state=CaseState.YOUR_TURN)
        if case.enrollment is not None:
            sequences.stop(case.enrollment, EnrollmentState.REPLIED, reason="says_removed")
        audit.record(
            "recipient.says_removed", f"{message.to_address} says the links are removed{said}", object_id=key
        )
    elif what is Act.WRONG_PERSON:
        if message.enrollment is not None:
            sequences.stop(message.enrollment, EnrollmentState.REPLIED, reason="wrong_person")
        audit.record(
            "recipient.wrong_person", f"{message.to_address} is the wrong person{said}", object_id=key
        )
    elif what is Act.DELETE_DATA:
        audit.record(
            "recipient.asks_deletion",
            f"{message.to_address} asks for the deletion of what is stored about them{said}",
            object_id=key,
        )


def _sender_name(mailbox: Mailbox | None, message: Message) -> str:
    return str(mailbox.display_name) if mailbox is not None else message.workspace.name


def _case_of(message: Message) -> RemovalCase | None:
    if message.enrollment_id is None or message.campaign is None:
        return None
    if message.campaign.kind != CampaignKind.REMOVAL:
        return None
    rows = RemovalCase.objects.select_related("site", "enrollment")
    found: RemovalCase | None = rows.filter(enrollment_id=message.enrollment_id).first()
    return found


def _found(source: str) -> str:
    return f"How they found you: {source.rstrip('.')}."


def _all_said_removed(case: RemovalCase) -> bool:
    links = Backlink.objects.filter(case=case)
    return links.exists() and not links.filter(state__in=_STILL_THERE).exists()


def _deletion_asked_at(key: uuid.UUID) -> dt.datetime | None:
    """The first time counts: asking again does not put the answer off."""
    asked = AuditEvent.objects.filter(action="recipient.asks_deletion", object_id=str(key))
    first: dt.datetime | None = asked.aggregate(first=Min("at"))["first"]
    return first


def _links(case: RemovalCase | None) -> list[str]:
    if case is None:
        return []
    return list(
        Backlink.objects.filter(case=case).order_by("source_url").values_list("source_url", flat=True)
    )
