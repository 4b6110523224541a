"""The bin is pressed while a worker writes: both get through (F14; found by `make races`, seed 4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from accounts.models import Workspace
from accounts.tenancy import workspace
from mailbox import revocation
from mailbox.models import Credential, Mailbox, MailboxState
from outreach import results, sequences
from outreach.models import CampaignState, EnrollmentState, Message, MessageState
from outreach.pipeline import queue as queueing
from tests.factories import FIRST_MAIL, FOLLOW_UP, make_campaign, make_enrollment, make_mailbox, make_message
from tests.roles import as_owner

_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def wait_for_a_lock() -> None:
    """Until somebody waits for a row that another holds."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(_WAITING)
            if cursor.fetchone():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits for a row")


class Meeting:
    """A worker's act that stops in its middle until the bin waits for what it holds."""

    def __init__(self, ws: Workspace, mailbox: Mailbox) -> None:
        self.ws, self.mailbox = ws, mailbox
        self.holds, self.may_go_on = threading.Event(), threading.Event()
        self.failed: list[BaseException] = []

    def pause(self) -> None:
        if not self.holds.is_set():
            self.holds.set()
            self.may_go_on.wait(30)

    def meet(self, act: Callable[[], object]) -> None:
        worker = self._thread(act)
        assert self.holds.wait(20)
        pressed = self._thread(lambda: revocation.revoke(self.mailbox, actor=None))
        try:
            wait_for_a_lock()
        finally:
            self.may_go_on.set()
            worker.join()
            pressed.join()

    def _thread(self, act: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                with workspace(self.ws):
                    act()
            except BaseException as problem:  # noqa: BLE001  (shown by the test)
                self.failed.append(problem)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread


def removed(mailbox: Mailbox) -> bool:
    mailbox.refresh_from_db()
    return mailbox.state == MailboxState.REVOKED and not Credential.objects.exists()


def test_the_bin_gets_through_while_a_worker_plans_the_next_mail(
    open_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker holds the mail and refers to the mailbox, which the bin holds while it waits."""
    mailbox = make_mailbox("microsoft")
    campaign = make_campaign(mailbox=mailbox, steps=(FIRST_MAIL, FOLLOW_UP), state=CampaignState.RUNNING)
    row = make_message(
        make_enrollment(campaign, state=EnrollmentState.RUNNING), state=MessageState.SUBMITTING, fence=3
    )
    meeting, plan_next = Meeting(open_ws, mailbox), sequences.plan_next

    def plan_later(*args: Any, **kwargs: Any) -> object:
        meeting.pause()
        return plan_next(*args, **kwargs)

    monkeypatch.setattr(sequences, "plan_next", plan_later)
    meeting.meet(lambda: results.record_sent(row, fence=3, was=[MessageState.SUBMITTING], sent=None))
    assert meeting.failed == []
    assert removed(mailbox)
    row.refresh_from_db()
    assert row.state == MessageState.SENT


def test_the_bin_gets_through_while_a_worker_queues_a_mail(
    open_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker holds the mail's row and opens its conversation, which refers to the mailbox."""
    mailbox = make_mailbox("microsoft")
    campaign = make_campaign(mailbox=mailbox, state=CampaignState.RUNNING)
    row = make_message(make_enrollment(campaign, state=EnrollmentState.RUNNING))
    meeting, freeze = Meeting(open_ws, mailbox), queueing._freeze

    def freeze_later(*args: Any, **kwargs: Any) -> object:
        meeting.pause()
        return freeze(*args, **kwargs)

    monkeypatch.setattr(queueing, "_freeze", freeze_later)
    meeting.meet(queueing.queue_due)
    assert meeting.failed == []
    assert removed(mailbox)
    row.refresh_from_db()
    assert Message.objects.filter(pk=row.pk, state=MessageState.CANCELLED).exists()
