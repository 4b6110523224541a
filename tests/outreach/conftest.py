"""Campaigns whose mails are queued in a mailbox that the sandbox knows, and the pipeline's turns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from accounts.models import Workspace
from config.celery import app
from mailbox.models import Mailbox
from outreach import conversation, rendering, tasks
from outreach.models import Campaign, CampaignState, EnrollmentState, Message, MessageState
from outreach.pipeline import claim, send
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_contact,
    make_enrollment,
    make_message,
    make_thread,
)
from tests.mailbox.conftest import connected
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.receiving import Sent

__all__ = ["connected"]

Queue = Callable[..., list[Message]]
TURN_SECONDS = 300.0


def queued(campaign: Campaign, address: str, **values: object) -> Message:
    """The first mail of one person, with its text frozen as the queue stage freezes it."""
    contact = make_contact(address, name="Ana Berg")
    enrollment = make_enrollment(campaign, contact, state=EnrollmentState.RUNNING)
    row = make_message(enrollment)
    assert row.step is not None
    assert campaign.mailbox is not None
    mail = rendering.render_step(row.step, contact, mailbox=campaign.mailbox, campaign=campaign, key=row.pk)
    row.thread = make_thread(enrollment, subject=mail.subject)
    row.state = MessageState.QUEUED
    row.to_address, row.to_index, row.to_name = contact.address, contact.address_index, contact.name
    row.subject, row.text, row.html = mail.subject, mail.text, mail.html
    row.headers = conversation.pack_headers(mail.headers)
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row


@pytest.fixture
def open_ws(transactional_db: None, in_ws: Workspace) -> Workspace:
    """The owner's workspace, open, and no transaction around it: providers may be called."""
    return in_ws


@pytest.fixture
def queue(open_ws: Workspace, connected: Callable[..., Mailbox]) -> Queue:
    """`queue("google", "ana.silent@site.example", …)`: queued first mails of a running campaign."""

    def make(
        provider: str, *addresses: str, steps: Sequence[tuple[str, str]] = (FIRST_MAIL,), **account: object
    ) -> list[Message]:
        campaign = make_campaign(
            mailbox=connected(provider, **account), steps=steps, state=CampaignState.RUNNING
        )
        return [queued(campaign, address) for address in addresses]

    return make


def send_now(message: Message) -> send.Sent:
    """Claim this mailbox's next row and send it: one worker's turn."""
    assert message.mailbox is not None
    (row,) = claim.claim_batch(Mailbox.objects.get(pk=message.mailbox.pk))
    assert row.id == message.pk
    # The settings of the tests leave 1.5 s from here to the last gate; behind them the mail stays `drafted`.
    return send.send(row.id, row.fence, until=time.monotonic() + TURN_SECONDS)


@pytest.fixture
def sent(queue: Queue) -> Sent:
    """`sent("google", "ana.reply@site.example")`: accepted, and a follow-up is planned."""

    def make(provider: str, address: str = "ana.silent@site.example", **account: object) -> Message:
        (row,) = queue(provider, address, steps=(FIRST_MAIL, FOLLOW_UP), **account)
        send_now(row)
        row.refresh_from_db()
        assert row.state == MessageState.SENT
        return row

    return make


@pytest.fixture
def at_once() -> object:
    """Tasks that a task starts run inside it: the wake-ups alone drive the product."""
    app.conf.task_always_eager = True
    yield tasks
    app.conf.task_always_eager = False


@pytest.fixture
def revokes_end(providers: Running, transactional_db: None) -> Iterator[None]:
    """Google's revoke runs on a thread of its own; it may not outlive the test's database."""
    yield
    for thread in threading.enumerate():
        if thread.name == "revoke":
            thread.join(20)
