"""A wake-up opens the workspaces that have work, and no others; their number alone costs nothing here."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User, Workspace
from accounts.tenancy import open_workspace_id, workspace
from accounts.workspaces import create_workspace
from outreach import tasks
from outreach.models import CampaignState, Message, MessageState
from outreach.pipeline import claim, queue, settle
from outreach.working import with_work
from tests.factories import make_campaign, make_mailbox, make_message

Wake = Callable[[], None]
WAKES: dict[str, Wake] = {
    "queue": tasks.wake_queue,
    "send": tasks.wake_senders,
    "settle": tasks.wake_settle,
    "finish": tasks.wake_finish,
}


@pytest.mark.parametrize("kind", WAKES)
def test_it_asks_one_question_however_many_workspaces_are_idle(
    in_ws: Workspace, stranger: User, kind: str
) -> None:
    for number in range(5):
        create_workspace(stranger, name=f"Idle {number}")
    with CaptureQueriesContext(connection) as seen:
        WAKES[kind]()
    assert len(seen.captured_queries) == 1


def test_it_finds_the_one_that_has_work(in_ws: Workspace, stranger: User) -> None:
    other = create_workspace(stranger, name="Busy")
    with workspace(other):
        make_campaign(mailbox=make_mailbox(), state=CampaignState.RUNNING)
    assert [(pk, open_workspace_id()) for pk in with_work("finish")] == [(other.pk, other.pk)]
    assert open_workspace_id() == in_ws.pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM outreach_campaign")
        assert cursor.fetchone()[0] == 0, "the variable was not put back"


def test_it_passes_over_no_workspace_that_has_work(in_ws: Workspace) -> None:
    """What the stages call due is a part of what the function looks for, in each state and at each time."""
    now = clock.now()
    past, future = now - dt.timedelta(minutes=1), now + dt.timedelta(hours=1)
    row = make_message(state=MessageState.QUEUED)
    seen = set()
    times = itertools.product(MessageState.values, (past, future), (None, past, future), (None, past, future))
    for state, due, waits, lease in times:
        Message.objects.filter(pk=row.pk).update(
            state=state, due_at=due, not_before=waits, lease_until=lease, settle_at=waits, attempted_at=now
        )
        exact = {
            "queue": queue.due().exists(),
            "send": claim.claimable().exists(),
            "settle": settle.unsettled().exists(),
        }
        missed = [kind for kind, due_now in exact.items() if due_now and not list(with_work(kind))]
        assert missed == [], (state, due, waits, lease)
        seen |= {kind for kind, due_now in exact.items() if due_now}
    assert seen == {"queue", "send", "settle"}


def test_it_refuses_a_kind_that_nobody_knows(in_ws: Workspace) -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        list(with_work("elsewhere"))
