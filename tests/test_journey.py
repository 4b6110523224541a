"""The main job from end to end, without a browser: pages over HTTP, the beat's wake-ups, the sandbox.

A person connects a mailbox, writes a campaign with two follow-ups to ten people and launches it. Everything
else is the product's doing, and the sandbox's ledger is the judge.
"""

from __future__ import annotations

import base64
import email
import email.policy
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from config.celery import app
from mailbox.models import Mailbox
from outreach import tasks
from outreach.models import (
    Campaign,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    Project,
    Reply,
    ReplyKind,
    Suppression,
    Thread,
)
from outreach.models.contacts import address_index
from outreach.pipeline import compose
from tests.mailbox.consenting import connect
from tests.mailbox.sandbox.conftest import Running

MAILS = [
    (
        'Your hut table, {{ company | default: "friends" }}',
        "<p>Hello {{ first_name }},</p><p>a short note.</p>",
    ),
    ("", "<p>Hello {{ first_name }}, did it arrive?</p>"),
    ("", "<p>Hello {{ first_name }}, a last word.</p>"),
]
PEOPLE = {
    "ana.reply@a.example": EnrollmentState.REPLIED,
    "bo.other@b.example": EnrollmentState.REPLIED,
    "cy.replyde@c.example": EnrollmentState.REPLIED,
    "di.reply2@d.example": EnrollmentState.REPLIED,
    "ed.ooo@e.example": EnrollmentState.FINISHED,
    "fe.silent@f.example": EnrollmentState.FINISHED,
    "gi.softbounce@g.example": EnrollmentState.FINISHED,
    "hu.bounce@h.example": EnrollmentState.BOUNCED,
    "io.stop@i.example": EnrollmentState.REPLIED,
    "jo.silent@j.example": EnrollmentState.SUPPRESSED,
}
STEPS = {
    "di.reply2@d.example": 2,
    "ed.ooo@e.example": 3,
    "fe.silent@f.example": 3,
    "gi.softbounce@g.example": 3,
}
FIRST_ANSWERS = 8  # everybody but di, fe, jo; the soft bounce comes in two reports


@pytest.fixture
def turn(transactional_db: None) -> Iterator[Callable[[], None]]:
    """What the beat and the workers do within a few seconds."""
    app.conf.task_always_eager = True

    def once() -> None:
        for wake in (
            tasks.wake_queue,
            tasks.wake_senders,
            tasks.wake_pollers,
            tasks.wake_settle,
            tasks.wake_finish,
            tasks.wake_janitor,
        ):
            wake()

    yield once
    app.conf.task_always_eager = False


def parsed(entry: dict[str, Any]) -> EmailMessage:
    found = email.message_from_bytes(base64.b64decode(entry["raw"]), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def words(entry: dict[str, Any]) -> str:
    """What the mail says, in every form it has: Graph carries one of text and HTML."""
    texts = [part for part in parsed(entry).walk() if part.get_content_maintype() == "text"]
    return "".join(str(part.get_content()) for part in texts if isinstance(part, EmailMessage))


def written(client: Client, ws: Workspace, mailbox: Mailbox) -> Campaign:
    """A draft campaign with three mails and ten people, made on its pages."""
    client.post(
        f"/w/{ws.slug}/campaigns/new/",
        {"name": "Hut tables", "new_project": "Guides", "mailbox": str(mailbox.pk)},
    )
    campaign: Campaign = Campaign.objects.get()
    base = f"/w/{ws.slug}/campaigns/{campaign.pk}/"
    client.post(
        f"{base}settings/",
        {
            "name": "Hut tables",
            "mailbox": str(mailbox.pk),
            "weekdays": ["0", "1", "2", "3", "4", "5", "6"],
            "window_start": "00:00",
            "window_end": "00:00",
            "timezone": "UTC",
        },
    )
    for position, (subject, body) in enumerate(MAILS, start=1):
        if position > 1:
            client.post(f"{base}compose/steps/")
        client.post(f"{base}compose/?step={position}", {"subject": subject, "body": body, "wait_days": "4"})
    lines = "\n".join(f"{address.partition('.')[0].title()} Berg <{address}>" for address in PEOPLE)
    client.post(f"{base}people/", {"lines": lines, "basis": "legitimate", "source": "Your imprint"})
    return campaign


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_brings_a_campaign_to_its_end(
    provider: str,
    turn: Callable[[], None],
    in_ws: Workspace,
    owner: User,
    signed_in: Callable[[User], Client],
    providers: Running,
    later: Callable[..., None],
) -> None:
    client = signed_in(owner)
    address = "maya@studio.example" if provider == "google" else "max@firm.example"
    providers.post("accounts", provider=provider, email=address, private_mails=50)
    connect(client, in_ws, provider, address)
    mailbox = Mailbox.objects.get()
    campaign = written(client, in_ws, mailbox)
    answer = client.post(f"/w/{in_ws.slug}/campaigns/{campaign.pk}/launch/", follow=True)
    assert answer.status_code == 200
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.RUNNING

    def ledger() -> list[dict[str, Any]]:
        turn()
        found: list[dict[str, Any]] = providers.get("ledger")
        return found

    def turns(until: Callable[[], object]) -> None:
        for _ in range(60):
            turn()
            if until():
                return
            later(seconds=3)
        pytest.fail("it came to no end")

    # The first mails, and what comes of them within minutes.
    turns(lambda: len(providers.get("ledger")) == 10)
    turns(lambda: Reply.objects.count() == FIRST_ANSWERS)
    text = words(next(entry for entry in ledger() if entry["to"] == ["jo.silent@j.example"]))
    assert "Hello Jo," in text
    assert "14 Quay Lane" in text
    stop = re.search(r"http://localhost:8000(/u/[\w-]+)", text)
    assert stop is not None
    assert Client().post(stop.group(1)).status_code == 200
    assert Suppression.objects.count() == 3

    # The follow-ups: in the same conversation, to those alone who have not answered. An absence is over.
    later(days=12)
    turns(lambda: len(providers.get("ledger")) == 14)
    turns(lambda: Reply.objects.filter(message__step__position=2, kind=ReplyKind.REPLY).exists())
    later(days=70)
    turns(lambda: Campaign.objects.get().state == CampaignState.FINISHED)

    sent = Counter(entry["to"][0] for entry in ledger())
    assert sent == {person: STEPS.get(person, 1) for person in PEOPLE}
    ends = {row.contact.address: row.state for row in Enrollment.objects.select_related("contact")}
    assert ends == PEOPLE
    assert not Message.objects.exclude(
        state__in=[MessageState.SENT, MessageState.CANCELLED, MessageState.SUPPRESSED]
    ).exists()
    first, second, third = (entry for entry in ledger() if entry["to"] == ["fe.silent@f.example"])
    assert first["thread"] == second["thread"] == third["thread"]
    assert first["message_id"] in str(parsed(third)["References"])
    # createReply writes "RE: ", as Outlook does.
    assert str(parsed(second)["Subject"]).lower().startswith("re: your hut table")

    # A person answers from the browser's side; a test goes to oneself.
    thread = Thread.objects.get(contact__address_index=address_index("ana.reply@a.example"))
    assert thread.waits_since is not None
    reply = Reply.objects.get(thread=thread)
    compose.write_answer(thread, compose_id=uuid.uuid4(), text="With pleasure.", actor=owner)
    assert Thread.objects.get(pk=thread.pk).waits_since is None
    compose.write_test(campaign.steps.get(position=1), None, compose_id=uuid.uuid4(), user=owner)
    turns(lambda: len(providers.get("ledger")) == len(sent) + 7 + 2)
    answered = next(entry for entry in ledger() if "With pleasure." in words(entry))
    assert answered["to"] == ["ana.reply@a.example"]
    assert reply.rfc_message_id in str(parsed(answered)["References"])

    # Nothing but our own conversations was read, and nothing of ours lies about.
    private = set(providers.get("private", mailbox=address))
    calls = [call for call in providers.get("calls", mailbox=address) if call["full_read"]]
    assert len(private) == 50
    assert not private & {message for call in calls for message in call["message_ids"]}
    assert not [row for row in providers.get("messages", mailbox=address) if row["draft"]]
    assert Project.objects.count() == 1
