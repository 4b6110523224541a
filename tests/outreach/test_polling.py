"""When a mailbox is looked at: one look across workspaces finds what is due, in turns (issue 5, item 1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from accounts.workspaces import create_workspace
from mailbox import turns
from mailbox.models import Mailbox, MailboxState, PollTurn
from outreach import looking, looks, tasks
from outreach.models import CampaignState, EnrollmentState, MessageState
from tests.factories import make_campaign, make_enrollment, make_mailbox, make_message

Later = Callable[..., None]
HOUR = dt.timedelta(hours=1)


def ago(minutes: float) -> dt.datetime:
    return clock.now() - dt.timedelta(minutes=minutes)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The messages that a wake-up would send, without Redis's memory of them."""
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("accounts.bells._start", lambda task, ids: sent.append((task.name, *ids)))
    monkeypatch.setattr("accounts.bells.cache.get_many", lambda keys: {})
    monkeypatch.setattr("accounts.bells.cache.add", lambda *_, **__: True)
    monkeypatch.setattr("accounts.bells.cache.set_many", lambda *_, **__: None)
    return sent


def test_it_finds_what_is_due_in_turns_between_workspaces(in_ws: Workspace, stranger: User) -> None:
    """A workspace with many mailboxes does not stand before one with a single one."""
    many = [make_mailbox(address=f"m{n}@fernhill.example", next_poll_at=ago(60 + n)) for n in range(5)]
    other = create_workspace(stranger, name="Small")
    with workspace(other):
        single = make_mailbox(address="one@small.example", next_poll_at=ago(1))
    found = turns.due(most=3)
    assert found == [(in_ws.pk, many[4].pk), (other.pk, single.pk), (in_ws.pk, many[3].pk)]


def test_it_costs_one_statement_however_many_workspaces_there_are(in_ws: Workspace, stranger: User) -> None:
    for number in range(4):
        create_workspace(stranger, name=f"Quiet {number}")
    make_mailbox(next_poll_at=clock.now() + HOUR)
    with CaptureQueriesContext(connection) as seen:
        tasks.wake_pollers()
    assert len(seen.captured_queries) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"next_poll_at": "later"},
        {"poll_lease_until": "later"},
        {"state": MailboxState.THROTTLED, "throttled_until": "later"},
        {"state": MailboxState.BROKEN},
        {"state": MailboxState.REVOKED},
    ],
)
def test_it_leaves_out_what_cannot_be_looked_at_now(in_ws: Workspace, values: dict[str, object]) -> None:
    box = make_mailbox(next_poll_at=ago(1))
    assert turns.due(most=9) == [(in_ws.pk, box.pk)]
    at = clock.now() + HOUR
    Mailbox.objects.update(**{name: at if value == "later" else value for name, value in values.items()})
    assert turns.due(most=9) == []


def test_it_passes_over_a_suspended_workspace(in_ws: Workspace) -> None:
    make_mailbox(next_poll_at=ago(1))
    Workspace.objects.filter(pk=in_ws.pk).update(suspended_at=clock.now())
    assert turns.due(most=9) == []


def test_it_forgets_the_turn_of_a_mailbox_that_is_gone(in_ws: Workspace) -> None:
    make_mailbox().delete()
    assert not PollTurn.objects.exists()


def test_it_puts_mailboxes_of_several_workspaces_into_one_message(
    in_ws: Workspace, stranger: User, rung: list[tuple[str, ...]], settings: object
) -> None:
    ours = [make_mailbox(address=f"m{n}@fernhill.example", next_poll_at=ago(9)) for n in range(40)]
    other = create_workspace(stranger, name="Small")
    with workspace(other):
        theirs = [make_mailbox(address=f"m{n}@small.example", next_poll_at=ago(9)) for n in range(40)]
    tasks.wake_pollers()
    assert {message[0] for message in rung} == {"outreach.poll_mailboxes"}
    assert len(rung) == 10
    pairs = [pair for message in rung for pair in message[1:]]
    assert sorted(pairs) == sorted(
        [f"{in_ws.pk}/{box.pk}" for box in ours] + [f"{other.pk}/{box.pk}" for box in theirs]
    )


def test_it_asks_for_a_look_at_most_once_until_it_has_begun(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("accounts.bells._start", lambda task, ids: sent.append(ids))
    make_mailbox(next_poll_at=ago(1))
    tasks.wake_pollers()
    tasks.wake_pollers()
    assert len(sent) == 1
    tasks.poll_mailboxes(*sent[0])
    Mailbox.objects.update(next_poll_at=ago(1), poll_lease_until=None, state=MailboxState.CONNECTED)
    tasks.wake_pollers()
    assert len(sent) == 2


# --- the pace --------------------------------------------------------------------------------------------


def pause_of(mailbox: Mailbox) -> float:
    """Seconds until the next look, as a look that ends now sets it."""
    look = looks.begin(mailbox.pk)
    assert look is not None
    looks.finish(look.mailbox, at_once=False)
    mailbox.refresh_from_db()
    assert mailbox.next_poll_at is not None
    return (mailbox.next_poll_at - clock.now()).total_seconds()


def test_it_looks_often_while_a_step_is_to_come(in_ws: Workspace, settings: object) -> None:
    settings.POLL_SECONDS, settings.POLL_IDLE_SECONDS = 60.0, 900.0  # type: ignore[attr-defined]
    box = make_mailbox()
    campaign = make_campaign(mailbox=box, state=CampaignState.RUNNING)
    make_message(make_enrollment(campaign, state=EnrollmentState.RUNNING))
    assert 55 < pause_of(box) <= 120


def test_it_looks_often_while_a_mail_is_fresh_and_seldom_afterwards(
    in_ws: Workspace, settings: object, later: Later
) -> None:
    settings.POLL_SECONDS, settings.POLL_IDLE_SECONDS = 60.0, 900.0  # type: ignore[attr-defined]
    settings.POLL_OPEN_DAYS, settings.DAY_SECONDS = 14.0, 86_400.0  # type: ignore[attr-defined]
    box = make_mailbox()
    campaign = make_campaign(mailbox=box, state=CampaignState.RUNNING)
    make_message(make_enrollment(campaign, state=EnrollmentState.RUNNING), state=MessageState.SENT)
    assert 55 < pause_of(box) <= 120
    later(days=15)
    assert 600 < pause_of(box) <= 900


def test_it_spreads_what_was_looked_at_together(in_ws: Workspace, settings: object) -> None:
    """After a restart everything is due at once; a minute later no longer."""
    settings.POLL_SECONDS, settings.POLL_IDLE_SECONDS = 60.0, 900.0  # type: ignore[attr-defined]
    box = make_mailbox()
    pauses = [pause_of(box) for _ in range(12)]
    assert max(pauses) - min(pauses) > 30


# --- hints -----------------------------------------------------------------------------------------------


def test_it_keeps_a_hint_that_comes_while_somebody_looks(in_ws: Workspace) -> None:
    """What the push told may lie behind the place that the look under way has passed."""
    box = make_mailbox()
    look = looks.begin(box.pk)
    assert look is not None
    assert turns.due(most=9) == []
    turns.hint(box)
    looks.finish(look.mailbox, at_once=False)
    assert turns.due(most=9) == [(in_ws.pk, box.pk)]


def test_it_asks_nobody_when_the_inbox_is_opened_behind_a_fresh_look(
    in_ws: Workspace, rung: list[tuple[str, ...]]
) -> None:
    box = make_mailbox(last_poll_at=clock.now())
    old = make_mailbox(address="old@fernhill.example", last_poll_at=ago(5), next_poll_at=clock.now() + HOUR)
    make_mailbox(address="gone@fernhill.example", state=MailboxState.REVOKED)
    looking.inbox_opened()
    assert rung == [("outreach.poll_mailbox", str(in_ws.pk), str(old.pk))]
    assert box.pk != old.pk
