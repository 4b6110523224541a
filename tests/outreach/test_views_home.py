"""Home: the first steps of a new workspace, then what needs somebody and what goes on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from mailbox.models import MailboxState
from outreach import today
from outreach.models import EnrollmentState, MessageState, Thread
from tests import factories
from tests.outreach.removal_cast import make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


def home(me: Client, ws: Workspace) -> str:
    answer = me.get(f"/w/{ws.slug}/")
    assert answer.status_code == 200
    body = answer.content.decode()
    assert body.count("<h1") == 1
    return body


def test_it_leads_a_new_workspace_through_its_first_steps(me: Client, in_ws: Workspace) -> None:
    body = home(me, in_ws)
    assert "Connect a mailbox" in body
    assert "Gmail or Workspace" in body
    assert "Not asked" in body
    factories.make_mailbox()
    start = today.start()
    assert start is not None
    assert (start.open, start.has_mailbox) == ("people", True)
    factories.make_contact()
    start = today.start()
    assert start is not None
    assert start.open == "write"
    assert "Gmail or Workspace" not in home(me, in_ws)


def test_it_is_home_once_there_is_a_mailbox_and_a_campaign(me: Client, in_ws: Workspace) -> None:
    factories.make_campaign()
    assert today.start() is None
    body = home(me, in_ws)
    assert "No reply waits for an answer" in body
    assert "Nothing more goes out today." in body


def test_it_shows_a_draft_that_waits_to_be_queued(me: Client, in_ws: Workspace) -> None:
    people = [factories.make_contact(), factories.make_contact()]
    draft = factories.make_campaign(name="Winter round-ups", contacts=people)
    factories.make_campaign(name="Nobody in it yet")
    body = home(me, in_ws)
    assert "1 draft waits to be queued." in body
    assert f'href="/w/{in_ws.slug}/campaigns/{draft.pk}/compose/"' in body
    assert "2 people, nothing sent" in body
    assert "Nobody in it yet" not in body
    assert "No campaign is running." not in body


def test_it_shows_no_draft_of_a_removal_and_none_without_a_mailbox(me: Client, in_ws: Workspace) -> None:
    row = factories.make_campaign(name="No mailbox yet", contacts=[factories.make_contact()])
    row.mailbox = None
    row.save()
    factories.make_campaign(kind="removal", name="Asking for removal", contacts=[factories.make_contact()])
    assert "Asking for removal" not in home(me, in_ws)
    assert "to be queued" not in home(me, in_ws)


def test_it_says_first_what_needs_somebody(me: Client, in_ws: Workspace) -> None:
    mailbox = factories.make_mailbox(state=MailboxState.BROKEN, state_reason="grant_ended")
    campaign = factories.make_campaign(mailbox=mailbox, state="running")
    for _ in range(2):
        row = factories.make_enrollment(campaign, state=EnrollmentState.RUNNING)
        factories.make_message(row, state=MessageState.QUEUED)
    doubted = factories.make_message(
        factories.make_enrollment(campaign), state=MessageState.DOUBT, attempted_at=clock.now()
    )
    body = home(me, in_ws)
    assert "mira@fernhill.example needs reconnecting." in body
    assert "Google ended our access." in body
    assert "2 mails are held; none is lost, none will go twice." in body
    assert "1 mail is in doubt." in body
    assert f"/doubt/{doubted.pk}/" in body
    assert "2 problems" in body


def test_it_shows_replies_that_wait_and_sites_to_decide(me: Client, in_ws: Workspace) -> None:
    mail = factories.make_message(state=MessageState.SENT)
    reply = factories.make_reply(mail, text="Could you send the table?")
    Thread.objects.filter(pk=reply.thread_id).update(waits_since=reply.received_at)
    make_list(factories.make_project("Clean-up"), sites=4)
    body = home(me, in_ws)
    assert "1 reply waits" in body
    assert "Could you send the table?" in body
    assert "4 sites with no verdict" in body


def test_it_counts_today_and_the_last_days(in_ws: Workspace) -> None:
    now = clock.now()
    mail = factories.make_message(state=MessageState.SENT, sent_at=now - dt.timedelta(days=3))
    factories.make_reply(mail, received_at=now - dt.timedelta(days=1))
    factories.make_message(state=MessageState.SENT, sent_at=now - dt.timedelta(days=20))
    factories.make_message(state=MessageState.QUEUED, due_at=now)
    found = today.chart(now=now)
    assert (found.accepted, found.replies, len(found.days)) == (1, 1, 14)
    assert found.days[-4].accepted == 1
    assert found.days[-2].replies == 1
    assert found.days[-4].accepted_y + found.days[-4].accepted_height == 74
    assert sum(row.coming for row in today.sending(now=now)) == 1
    assert len(today.next_mails(now=now)) == 1
    replied, written, early = today.answered_of_written(now=now)
    assert (replied, written, early) == (0, 2, 0)


def test_it_counts_nothing_that_is_paused_as_going_out(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(state="paused")
    row = factories.make_enrollment(campaign, state=EnrollmentState.RUNNING)
    factories.make_message(row, state=MessageState.QUEUED)
    assert sum(each.coming for each in today.sending(now=clock.now())) == 0
    assert today.next_mails(now=clock.now()) == []


def test_it_is_no_home_for_a_stranger(
    signed_in: Callable[[User], Client], stranger: User, in_ws: Workspace
) -> None:
    assert signed_in(stranger).get(f"/w/{in_ws.slug}/").status_code == 404
