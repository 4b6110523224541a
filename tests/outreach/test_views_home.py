"""Home: the first steps of a new workspace, then what needs somebody and what goes on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User, Workspace
from mailbox.models import MailboxState
from outreach import today
from outreach.inbox import listing
from outreach.models import EnrollmentState, Message, MessageState, Reply, Thread
from outreach.views import campaign_counts
from tests import factories, roles
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
    assert "Google ended our access" in body
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


def test_it_counts_no_further_than_it_tells(
    me: Client, in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting what waits must not take longer the more there is."""
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    for _ in range(4):
        reply = factories.make_reply(factories.make_message(state=MessageState.SENT))
        Thread.objects.filter(pk=reply.thread_id).update(waits_since=reply.received_at)
    with CaptureQueriesContext(connection) as asked:
        body = home(me, in_ws)
    assert '<a href="#replies">2+ replies wait</a> for an answer' in body
    waiting = '"waits_since" IS NOT'
    counts = [one["sql"] for one in asked if "COUNT(*)" in one["sql"] and waiting in one["sql"]]
    assert counts
    assert all("LIMIT 3" in sql for sql in counts)


def test_it_looks_at_no_mail_older_than_its_chart(in_ws: Workspace) -> None:
    """All mails of years for one sentence would be read with each look at Home."""
    now = clock.now()
    one, two, three = (factories.make_contact() for _ in range(3))
    for contact, days, replied_at in ((one, 1, now), (one, 5, None), (two, 6, None), (three, 20, now)):
        row = factories.make_enrollment(factories.make_campaign(), contact)
        sent_at = now - dt.timedelta(days=days)
        factories.make_message(row, state=MessageState.SENT, sent_at=sent_at, replied_at=replied_at)
    assert today.answered_of_written(now=now) == (1, 2, 1)


@pytest.mark.django_db(transaction=True)
def test_it_reads_no_row_for_what_it_tells_of_days_and_campaigns(in_ws: Workspace) -> None:
    """Indexes alone answer, so that a workspace's years of mail do not pass by with each look."""
    now = clock.now()
    campaign = factories.make_campaign()
    for _ in range(20):
        row = factories.make_enrollment(campaign, factories.make_contact())
        factories.make_reply(factories.make_message(row, state=MessageState.SENT, sent_at=now))
    roles.vacuum(Message._meta.db_table, Reply._meta.db_table)
    with CaptureQueriesContext(connection) as asked:
        today.chart(now=now)
        today.answered_of_written(now=now)
        list(campaign_counts.with_counts(today.running()))
    plans = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        for one in asked:
            # Behind what names the workspace, which goes in the same message.
            _, _, sql = one["sql"].rpartition("true);")
            cursor.execute(f"EXPLAIN {sql}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    found = [re.findall(r"Index Only Scan using (\w+)", plan) for plan in plans]
    # Of the first, an older index may do as well.
    assert found[0] in (["message_sent_by_time"], ["message_newest_sent"])
    assert found[1:3] == [["reply_by_time"], ["message_sent_by_time"]], plans
    assert "message_written" in found[3], plans


def test_it_counts_each_person_of_a_campaign_once(in_ws: Workspace) -> None:
    for kind in ("outreach", "removal"):
        campaign = factories.make_campaign(
            kind=kind, state="running", steps=[("One", "Text"), ("Two", "Text")]
        )
        people = [factories.make_enrollment(campaign) for _ in range(3)]
        factories.make_enrollment(campaign, state=EnrollmentState.REPLIED)
        for row, position in ((people[0], 1), (people[0], 2), (people[1], 1)):
            factories.make_message(row, position=position, state=MessageState.SENT)
        factories.make_message(people[2])
    rows = [vars(row) for row in campaign_counts.with_counts(today.running())]
    assert [(row["people"], row["written"], row["replied"]) for row in rows] == [(4, 2, 1)] * 2


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
    assert (replied, written, early) == (0, 1, 0)


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
