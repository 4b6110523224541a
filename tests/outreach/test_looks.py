"""What a look into a mailbox costs that finds nothing, and when it has more to do than to look."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import Workspace
from mailbox import oauth, tokens
from mailbox.models import Mailbox, MailboxState
from outreach import looks, tasks
from outreach.models import CampaignState, Message, MessageState
from outreach.models.messages import STOPPABLE
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_enrollment,
    make_mailbox,
    make_message,
    make_thread,
)
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

# One before each request: one history at Google, three folders at Microsoft.
REQUESTS = {"google": 1, "microsoft": 3}
TO = "ana.silent@site.example"


def look_at(box: Mailbox) -> int:
    """The statements of a worker's look at a mailbox that is due."""
    Mailbox.objects.update(next_poll_at=None)
    with CaptureQueriesContext(connection) as asked:
        tasks.poll_mailboxes(f"{box.workspace_id}/{box.pk}")
    box.refresh_from_db()
    assert box.next_poll_at is not None
    return len(asked.captured_queries)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_costs_two_statements_and_one_for_each_request(
    queue: Queue, providers: Running, provider: str
) -> None:
    """10,000 mailboxes want a look every minute or two, and hardly any has something new."""
    (row,) = queue(provider, TO)
    send_now(row)
    box = Mailbox.objects.get()
    for _ in range(3):
        look_at(box)  # finds its place, passes our own mail
    before = box.last_poll_at
    assert look_at(box) == 2 + REQUESTS[provider]
    assert box.last_poll_at is not None
    assert before is not None
    assert box.last_poll_at > before


@pytest.mark.parametrize("state", MessageState.values)
def test_it_follows_what_is_written_to_next(in_ws: Workspace, state: str) -> None:
    box = make_mailbox()
    campaign = make_campaign(mailbox=box, state=CampaignState.RUNNING, steps=(FIRST_MAIL, FOLLOW_UP))
    enrollment = make_enrollment(campaign)
    row = make_message(enrollment, thread=make_thread(enrollment))
    step = campaign.steps.get(position=2)
    Message.objects.filter(pk=row.pk).update(step=step, state=state, due_at=clock.now())
    assert follows(box) is (state in STOPPABLE)
    Message.objects.filter(pk=row.pk).update(not_before=clock.now() + dt.timedelta(hours=1))
    assert not follows(box)


def follows(box: Mailbox) -> bool:
    look = looks.begin(box.pk)
    assert look is not None
    looks.finish(look.mailbox, at_once=True)
    return look.follows


def test_it_hands_a_token_over_that_is_good_for_the_look(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_mailbox()
    monkeypatch.setattr(oauth, "living", lambda _: pytest.fail("the credential was looked up again"))
    look = looks.begin(box.pk)
    assert look is not None
    assert tokens.access(look.mailbox).token
    tokens.forget(box)


def test_it_begins_at_no_mailbox_that_waits_or_is_cut_off(in_ws: Workspace) -> None:
    box = make_mailbox()
    for state in (MailboxState.REVOKED, MailboxState.BROKEN):
        Mailbox.objects.update(state=state)
        assert looks.begin(box.pk) is None
    soon = clock.now() + dt.timedelta(minutes=1)
    Mailbox.objects.update(state=MailboxState.THROTTLED, throttled_until=soon, state_reason="quota")
    assert looks.begin(box.pk) is None
    Mailbox.objects.update(throttled_until=clock.now())
    look = looks.begin(box.pk)
    assert look is not None
    box.refresh_from_db()
    assert (box.state, box.state_reason, box.throttled_until) == (MailboxState.CONNECTED, "", None)


def test_it_begins_at_no_mailbox_of_another_generation_or_a_suspended_workspace(in_ws: Workspace) -> None:
    box = make_mailbox()
    assert looks.begin(box.pk, generation=box.generation + 1) is None
    Workspace.objects.update(suspended_at=clock.now())
    assert looks.begin(box.pk) is None


def test_it_stores_nothing_for_a_mailbox_that_was_connected_anew(in_ws: Workspace) -> None:
    box = make_mailbox()
    look = looks.begin(box.pk)
    assert look is not None
    Mailbox.objects.update(generation=box.generation + 1)
    looks.finish(look.mailbox, at_once=False, cursor="there", seen=True)
    box.refresh_from_db()
    assert (box.last_poll_at, box.next_poll_at) == (None, None)
    assert box.cursor != "there"
