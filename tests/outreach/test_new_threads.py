"""A step with a conversation of its own: its subject, its place, and an answer to either stops everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from mailbox.models import Mailbox
from outreach import campaigns, enrollments, policy, rendering, threads
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    Step,
    Thread,
)
from outreach.pipeline import compose
from outreach.pipeline import queue as queueing
from outreach.pipeline.send import Sent
from tests import factories
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now
from tests.outreach.receiving import inbound, poll, poll_until

SignedIn = Callable[[User], Client]
TO = "ana.silent@site.example"
OTHER = "A second idea"
BODY = "<p>Hello again</p>"


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def goes(position: int) -> Message:
    """The planned mail of a step is due, queued and sent."""
    poll()
    rows = Message.objects.filter(step__position=position)
    rows.update(due_at=clock.now())
    assert queueing.queue_due() == 1
    row: Message = rows.get()
    assert send_now(row) is Sent.ACCEPTED
    row.refresh_from_db()
    return row


@pytest.fixture
def two(queue: Queue) -> Callable[[str], tuple[Message, Message]]:
    """`two("google")`: a first mail and a second one in a new thread, both sent; a third is planned."""

    def make(provider: str) -> tuple[Message, Message]:
        (row,) = queue(provider, TO, steps=(FIRST_MAIL, FOLLOW_UP, FOLLOW_UP))
        campaigns.save_step(Campaign.objects.get(), 2, subject=OTHER, body=BODY, new_thread=True)
        send_now(row)
        row.refresh_from_db()
        return row, goes(2)

    return make


BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])


@BOTH
def test_it_begins_a_conversation_and_the_next_step_goes_on_in_it(
    two: Callable[[str], tuple[Message, Message]], providers: Running, provider: str
) -> None:
    first, second = two(provider)
    assert second.subject == OTHER
    assert second.thread is not None
    assert second.thread != first.thread
    assert threads.reference(second) is None
    one, other = providers.get("ledger")
    assert one["thread"] != other["thread"]
    assert other["subject"] == OTHER
    third = goes(3)
    assert (third.thread, third.subject) == (second.thread, f"Re: {OTHER}")
    last = providers.get("ledger")[-1]
    assert last["thread"] == other["thread"]


@BOTH
@pytest.mark.parametrize("answered", [0, 1], ids=["the first thread", "the second thread"])
def test_an_answer_to_either_thread_stops_everything_and_lands_in_its_own(
    two: Callable[[str], tuple[Message, Message]], providers: Running, provider: str, answered: int
) -> None:
    mails = two(provider)
    poll()
    inbound(providers, mails[answered], subject="Re: yours", **{"from": f"Ana Berg <{TO}>"})
    reply = poll_until(providers)
    assert reply.thread == mails[answered].thread
    assert Enrollment.objects.get().state == EnrollmentState.REPLIED
    waiting = Message.objects.get(step__position=3)
    assert (waiting.state, waiting.reason) == (MessageState.CANCELLED, "replied")
    assert queueing.queue_due() == 0
    assert len(providers.get("ledger")) == 2


def test_a_reply_to_the_first_thread_is_looked_for_before_a_new_one_begins(queue: Queue) -> None:
    (row,) = queue("google", TO, steps=(FIRST_MAIL, FOLLOW_UP))
    campaigns.save_step(Campaign.objects.get(), 2, subject=OTHER, body=BODY, new_thread=True)
    send_now(row)
    row.refresh_from_db()
    following = Message.objects.get(step__position=2)
    assert following.thread is None
    Message.objects.filter(pk=following.pk).update(due_at=clock.now())
    assert row.thread is not None
    found = threads.followed_soon(Mailbox.objects.get(), within=dt.timedelta(minutes=5), limit=5)
    assert found == [Thread.objects.get().provider_thread_id]


def test_a_skipped_beginning_leaves_the_next_step_in_the_thread_before(queue: Queue) -> None:
    (row,) = queue("google", TO, steps=(FIRST_MAIL, FOLLOW_UP, FOLLOW_UP))
    campaigns.save_step(Campaign.objects.get(), 2, subject=OTHER, body=BODY, new_thread=True)
    send_now(row)
    row.refresh_from_db()
    person = Enrollment.objects.get()
    Message.objects.filter(step__position=2).update(due_at=clock.now())
    poll()
    assert queueing.queue_due() == 1  # its thread is made with its text
    waiting = enrollments.skippable(person)
    assert waiting is not None
    enrollments.skip(person, waiting, actor=None)
    third = goes(3)
    assert (third.thread, third.subject) == (row.thread, "Re: Your hut table")


def test_a_step_that_is_changed_to_the_same_thread_joins_it_again(queue: Queue) -> None:
    """The text and the place are fixed when the mail is queued; an edit queues it anew."""
    (row,) = queue("google", TO, steps=(FIRST_MAIL, FOLLOW_UP))
    campaign = Campaign.objects.get()
    campaigns.save_step(campaign, 2, subject=OTHER, body=BODY, new_thread=True)
    send_now(row)
    row.refresh_from_db()
    Message.objects.filter(step__position=2).update(due_at=clock.now())
    poll()
    assert queueing.queue_due() == 1
    campaigns.save_step(campaign, 2, subject=OTHER, body=BODY)
    second = goes(2)
    assert (second.thread, second.subject) == (row.thread, "Re: Your hut table")


def test_the_composer_keeps_and_shows_the_thread_of_a_step(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign(steps=(FIRST_MAIL, FOLLOW_UP, FOLLOW_UP))
    url = f"/w/{in_ws.slug}/campaigns/{campaign.pk}/compose/"
    client.post(f"{url}?step=2", {"subject": OTHER, "body": BODY, "wait_days": "4", "new_thread": "True"})
    step = campaign.steps.get(position=2)
    assert (step.subject, step.new_thread, step.begins_thread) == (OTHER, True, True)
    assert "no reply · new thread" in client.get(url).content.decode()
    third = client.get(f"{url}?step=3").content.decode()
    assert OTHER in third
    assert rendering.opening_of(campaign.steps.get(position=3)) == step
    client.post(f"{url}?step=2", {"subject": OTHER, "body": BODY, "wait_days": "4", "new_thread": "False"})
    step.refresh_from_db()
    assert (step.subject, step.new_thread) == ("", False)
    assert client.post(f"{url}?step=2", {"body": BODY, "new_thread": "other"}).status_code == 422


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("", "The subject of step 2 is empty."),
        ("Re: yours", "must not begin with “Re:”"),
        ("{{ nothing }}", "nothing"),
    ],
)
def test_the_launch_asks_for_a_fitting_subject(in_ws: Workspace, subject: str, words: str) -> None:
    campaign = factories.make_campaign(steps=(FIRST_MAIL, FOLLOW_UP), contacts=[factories.make_contact()])
    campaigns.save_step(campaign, 2, subject=subject, body=BODY, new_thread=True)
    with pytest.raises(compose.NotReady) as stopped:
        compose.launch(campaign, actor=None)
    (problem,) = stopped.value.problems
    assert (problem.step, words in problem.sentence) == (2, True)


def test_a_new_thread_that_pretends_to_answer_is_stopped_at_the_gate(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(state=CampaignState.RUNNING, steps=(FIRST_MAIL, FOLLOW_UP))
    campaign.steps.filter(position=2).update(new_thread=True)
    row = factories.make_message(factories.make_enrollment(campaign), position=2)
    row.subject, row.text = "Re: our talk", "Hello"
    assert policy.may_queue_text(row).code == "pretends"
    row.step = Step(campaign=campaign, position=2)
    assert policy.may_queue_text(row).code != "pretends"


def test_removal_requests_stay_in_one_thread(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(steps=(FIRST_MAIL, FOLLOW_UP), kind=CampaignKind.REMOVAL)
    campaigns.save_step(campaign, 2, subject=OTHER, body=BODY, new_thread=True)
    assert not campaign.steps.get(position=2).new_thread
