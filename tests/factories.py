"""Rows that tests start from, made without any network. The workspace must be open (`in_ws`)."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models.functions import Greatest

from accounts import clock
from accounts.encryption import platform_index
from accounts.models import User
from mailbox.models import Credential, Mailbox, MailboxIdentity, MailboxState, Provider
from outreach.imports import steps, work
from outreach.models import (
    Attachment,
    Basis,
    Campaign,
    CampaignKind,
    CampaignState,
    Contact,
    ContactImport,
    Enrollment,
    EnrollmentState,
    Group,
    Grouping,
    GroupKind,
    Message,
    MessageKind,
    MessageState,
    Project,
    Reply,
    ReplyKind,
    SavedText,
    SavedView,
    Site,
    Step,
    Suggestion,
    Suppression,
    SuppressionReason,
    Thread,
    ViewPage,
)
from outreach.models.contacts import address_index

_number = itertools.count(1)

FIRST_MAIL = (
    "Your hut table",
    '<p>Hello {{ first_name | default: "there" }},</p><p>I read {{ site | default: "your page" }}.</p>',
)
FOLLOW_UP = ("", '<p>Hello {{ first_name | default: "there" }}, did my first note arrive?</p>')


def make_project(name: str = "", *, website: str = "fernhill.example") -> Project:
    return Project.objects.create(name=name or f"Project {next(_number)}", website=website)


def make_contact(
    address: str = "",
    *,
    name: str = "",
    first_name: str = "",
    country: str = "US",
    basis: str = Basis.LEGITIMATE,
    source: str = "Your page lists you as editor",
    **values: Any,
) -> Contact:
    """A contact whose site is the address's domain. Without an address one is invented."""
    address = address or f"person{next(_number)}@site{next(_number)}.example"
    site, _ = Site.objects.get_or_create(domain=address.rpartition("@")[2].lower())
    return Contact.objects.create(
        address=address,
        address_index=address_index(address),
        name=name,
        first_name=first_name or name.partition(" ")[0],
        country=country,
        basis=basis,
        source=source,
        **{"site": site, **values},
    )


def make_import(
    *addresses: str, filename: str = "people.csv", actor: User | None = None, source: str = "Their imprint"
) -> ContactImport:
    """A list that was read and checked, and waits for a person's word."""
    data = "\n".join(["Email,Name", *[f"{address},Pat Berg" for address in addresses]]).encode()
    row = steps.begin(data, filename=filename, basis=Basis.LEGITIMATE, source=source, actor=actor)
    while work.go_on(row):
        pass
    return row


def make_mailbox(
    provider: str = Provider.GOOGLE,
    *,
    address: str = "mira@fernhill.example",
    owner: User | None = None,
    state: str = MailboxState.CONNECTED,
    consumer: bool = False,
    days_old: int = 0,
    **values: Any,
) -> Mailbox:
    """A connected mailbox with a credential that reaches nothing."""
    now = clock.now()
    subject = f"subject-{uuid.uuid4()}"
    identity = MailboxIdentity.objects.create(
        identity=platform_index("mailbox", f"{provider}:{subject}"),
        consumer=consumer,
        first_seen_at=now - dt.timedelta(days=days_old),
    )
    row = Mailbox.objects.create(
        owner=owner,
        provider=provider,
        identity=identity.identity,
        subject=subject,
        address=address,
        address_index=address_index(address),
        state=state,
        connected_at=now,
        **{"display_name": "Mira Fell", **values},
    )
    if state != MailboxState.REVOKED:
        Credential.objects.create(
            mailbox=row,
            generation=row.generation,
            secret="refresh-token",
            access_token="access-token",
            access_expires_at=now + dt.timedelta(hours=1),
        )
    return row


def make_campaign(
    *,
    project: Project | None = None,
    mailbox: Mailbox | None = None,
    steps: Sequence[tuple[str, str]] = (FIRST_MAIL,),
    contacts: Iterable[Contact] = (),
    kind: str = CampaignKind.OUTREACH,
    state: str = CampaignState.DRAFT,
    **values: Any,
) -> Campaign:
    """A campaign whose window is always open; `contacts` are enrolled as planned."""
    row = Campaign.objects.create(
        project=project or make_project(),
        mailbox=mailbox or make_mailbox(),
        kind=kind,
        state=state,
        **{
            "name": f"Campaign {next(_number)}",
            "window_start": dt.time(0, 0),
            "window_end": dt.time(0, 0),
            "weekdays": [0, 1, 2, 3, 4, 5, 6],
            **values,
        },
    )
    for position, (subject, body) in enumerate(steps, start=1):
        Step.objects.create(campaign=row, position=position, subject=subject, body=body)
    for contact in contacts:
        make_enrollment(row, contact)
    return row


def contact_row(address: str, **values: Any) -> Contact:
    """Not stored yet, for many at once."""
    return Contact(address=address, address_index=address_index(address), **values)


def make_group(name: str = "", *, kind: str = GroupKind.TAG, people: Sequence[Contact] = ()) -> Group:
    row: Group = Group.objects.create(kind=kind, name=name or f"Group {next(_number)}")
    for person in people:
        Grouping.objects.create(group=row, contact=person)
    return row


def make_view(
    owner: User,
    name: str = "Mine",
    *,
    page: str = ViewPage.CONTACTS,
    query: str = "country=PT",
    **values: Any,
) -> SavedView:
    return SavedView.objects.create(owner=owner, name=name, page=page, query=query, **values)


def make_text(name: str = "", *, body: str = "<p>A kept text</p>", **values: Any) -> SavedText:
    """A text of the library; `is_snippet=True` makes a piece of one."""
    return SavedText.objects.create(name=name or f"Text {next(_number)}", body=body, **values)


def make_enrollment(
    campaign: Campaign, contact: Contact | None = None, *, state: str = EnrollmentState.PLANNED, **values: Any
) -> Enrollment:
    return Enrollment.objects.create(
        campaign=campaign, contact=contact or make_contact(), state=state, **values
    )


def make_thread(enrollment: Enrollment, **values: Any) -> Thread:
    campaign = enrollment.campaign
    return Thread.objects.create(
        project=campaign.project,
        campaign=campaign,
        enrollment=enrollment,
        contact=enrollment.contact,
        mailbox=campaign.mailbox,
        **{"subject": "Your hut table", **values},
    )


def make_message(
    enrollment: Enrollment | None = None,
    *,
    position: int = 1,
    state: str = MessageState.PLANNED,
    **values: Any,
) -> Message:
    """A row of a sequence in any state, with text as it would be frozen; its thread where it has text."""
    if enrollment is None:
        campaign = make_campaign(state=CampaignState.RUNNING)
        enrollment = make_enrollment(campaign, state=EnrollmentState.RUNNING)
    campaign, contact = enrollment.campaign, enrollment.contact
    kind = MessageKind.FIRST if position == 1 else MessageKind.FOLLOW_UP
    if campaign.kind == CampaignKind.REMOVAL:
        kind = MessageKind.REMOVAL
    fixed: dict[str, Any] = {}
    if state != MessageState.PLANNED:
        fixed = {
            "thread": Thread.objects.filter(enrollment=enrollment).first() or make_thread(enrollment),
            "to_address": contact.address,
            "to_index": contact.address_index,
            "to_name": contact.name,
            "subject": "Your hut table",
            "text": "Hello",
            "html": "<p>Hello</p>",
        }
    if state == MessageState.SENT:
        fixed["sent_at"] = clock.now()
    return Message.objects.create(
        **{
            "kind": kind,
            "project": campaign.project,
            "campaign": campaign,
            "step": campaign.steps.get(position=position),
            "enrollment": enrollment,
            "contact": contact,
            "mailbox": campaign.mailbox,
            "generation": campaign.mailbox.generation if campaign.mailbox else 0,
            "state": state,
            **fixed,
            **values,
        }
    )


def make_answer(message: Message, **values: Any) -> Message:
    """A person's answer in the conversation of `message`, accepted."""
    return Message.objects.create(
        **{
            "kind": MessageKind.ANSWER,
            "project": message.project,
            "compose_id": uuid.uuid4(),
            "contact": message.contact,
            "thread": message.thread,
            "mailbox": message.mailbox,
            "generation": message.generation,
            "state": MessageState.SENT,
            "sent_at": clock.now(),
            "to_address": message.to_address,
            "to_name": message.to_name,
            "subject": f"Re: {message.subject}",
            "text": "Here you are.",
            **values,
        }
    )


def make_attachment(answer: Message, *, content: bytes = b"%PDF-1.7", **values: Any) -> Attachment:
    """A file of an answer."""
    assert answer.thread is not None
    assert answer.compose_id is not None
    return Attachment.objects.create(
        thread=answer.thread,
        compose_id=answer.compose_id,
        message=answer,
        **{
            "name": "Price list.pdf",
            "content_type": "application/pdf",
            "size": len(content),
            "content": content,
            **values,
        },
    )


def make_reply(
    message: Message, *, kind: str = ReplyKind.REPLY, text: str = "Thank you", **values: Any
) -> Reply:
    """With its place in the inbox; who waits and what is unread, a test says itself."""
    assert message.thread is not None
    mark = f"{uuid.uuid4()}"
    reply = Reply.objects.create(
        thread=message.thread,
        mailbox=message.mailbox,
        message=message,
        kind=kind,
        **{
            "provider_id": mark,
            "provider_index": address_index(mark),
            "rfc_message_id": f"<{mark}@site.example>",
            "rfc_message_index": address_index(f"rfc-{mark}"),
            "from_address": message.to_address,
            "from_name": message.to_name,
            "subject": f"Re: {message.subject}",
            "text": text,
            "received_at": clock.now(),
            **values,
        },
    )
    rows = Thread.objects.filter(pk=message.thread.pk)
    rows.update(stands_at=Greatest("stands_at", reply.received_at))
    if kind == ReplyKind.REPLY:
        rows.update(replied_at=Greatest("replied_at", reply.received_at))
    return reply


def make_suggestion(message: Message, **values: Any) -> Suggestion:
    """A mail that may answer `message`."""
    assert message.thread is not None
    mark = f"{uuid.uuid4()}"
    return Suggestion.objects.create(
        thread=message.thread,
        mailbox=message.mailbox,
        **{
            "provider_id": mark,
            "provider_index": address_index(mark),
            "from_address": message.to_address,
            "from_name": message.to_name,
            "subject": "A question",
            "received_at": clock.now(),
            **values,
        },
    )


def make_suppression(
    value: str, *, scope: str = Suppression.Scope.ADDRESS, reason: str = SuppressionReason.BY_HAND
) -> Suppression:
    """Through the product's own door, as a person would add it."""
    from outreach.suppression import suppress

    return suppress(value, reason=SuppressionReason(reason), scope=Suppression.Scope(scope))
