"""Whose mails go next: a workspace has its share of a turn, and what has waited longest comes first."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from accounts import clock
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach import tasks
from outreach.models import Message, MessageState, Thread
from outreach.pipeline.send import Sent
from tests.factories import make_mailbox, make_message
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now


def waiting(count: int, *, minutes: int) -> list[str]:
    """Mailboxes with a due mail each, the first due the longest ago."""
    found = []
    for number in range(count):
        row = make_message(state=MessageState.QUEUED)
        box = make_mailbox(address=f"box{number}.{minutes}@fernhill.example")
        assert row.thread is not None
        Thread.objects.filter(pk=row.thread.pk).update(mailbox=box)
        due = clock.now() - dt.timedelta(minutes=minutes - number)
        Message.objects.filter(pk=row.pk).update(mailbox=box, due_at=due)
        found.append(str(box.pk))
    return found


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    bells: list[tuple[str, str]] = []

    def ring_together(task: Any, workspace_id: str, ids: list[str], *, most: int) -> int:
        bells.extend((workspace_id, one) for one in ids)
        return len(ids)

    monkeypatch.setattr(tasks, "ring_together", ring_together)
    return bells


def test_it_gives_each_workspace_its_share_of_a_turn(
    ws: Workspace, stranger: User, settings: Settings, rung: list[tuple[str, str]]
) -> None:
    """A campaign over many mailboxes does not delay another workspace's ten mails."""
    settings.SEND_SHARE = 3
    elsewhere = Workspace.objects.exclude(pk=ws.pk).get()
    with workspace(ws):
        many = waiting(8, minutes=60)
    with workspace(elsewhere):
        few = waiting(1, minutes=1)
    tasks.wake_senders()
    assert [box for here, box in rung if here == str(ws.pk)] == many[:3]
    assert [box for here, box in rung if here == str(elsewhere.pk)] == few


def test_it_keeps_a_mail_for_the_next_minute_when_the_project_s_units_are_used(
    queue: Queue, providers: Running, settings: Settings
) -> None:
    """G7: certainly not accepted, so it waits with a reason and nothing was called."""
    settings.GMAIL_PROJECT_UNITS, settings.GMAIL_MAIL_UNITS = 150, 130
    cache.clear()
    first, row = queue("google", "ana.silent@site.example", "bo.silent@other.example")
    assert send_now(first) is Sent.ACCEPTED
    before = len(providers.get("calls"))
    assert send_now(row) is Sent.WAITS
    row.refresh_from_db()
    assert (row.state, row.reason) == (MessageState.DEFERRED, "provider_budget")
    assert row.not_before is not None
    assert len(providers.get("calls")) == before
