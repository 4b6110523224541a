"""Asking to be told of new mail: daily, and nothing hangs on whether it is promised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from accounts import clock
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from accounts.workspaces import create_workspace
from mailbox import figures, gateway, tasks, watches
from mailbox.connecting import connect
from mailbox.errors import Disconnected, MailboxError, Refused, Retry
from mailbox.models import Mailbox, MailboxState, PushRoute
from mailbox.types import Connection, Watch
from tests.factories import make_mailbox
from tests.mailbox.sandbox.conftest import Running

Later = Callable[..., None]
DAY = dt.timedelta(days=1)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the provider was asked, each with the name that it was asked to go on with; it agrees."""
    asked: list[tuple[str, str]] = []

    def watch(mailbox: Mailbox, known: str, *, to: str, secret: str) -> Watch:
        asked.append((known, secret))
        return Watch(known or f"sub-{len(asked)}", clock.now() + dt.timedelta(minutes=4200))

    monkeypatch.setattr(gateway, "watch", watch)
    return asked


def begun(provider: str = "microsoft", **values: Any) -> Mailbox:
    box = make_mailbox(provider, **values)
    watches.begin(box)
    return box


def standing() -> dict[str, float | None]:
    return {value.labels[0]: value.value for value in figures.read().values}


def test_it_asks_anew_once_a_day_and_keeps_its_secret(
    in_ws: Workspace, answers: list[tuple[str, str]], later: Later
) -> None:
    box = begun()
    assert watches.renew(box)
    route = PushRoute.objects.get()
    assert bytes(route.route or b"") == watches.route_of("microsoft", "sub-1")
    assert bytes(route.proof or b"") == watches._digest(answers[0][1])
    assert clock.now() + DAY * 0.7 < route.renew_at <= clock.now() + DAY
    assert watches.due(most=9) == []
    later(hours=25)
    assert watches.due(most=9) == [(in_ws.pk, box.pk)]
    assert watches.renew(box)
    assert [known for known, _ in answers] == ["", "sub-1"]
    assert bytes(PushRoute.objects.get().proof or b"") == bytes(route.proof or b"")


def test_it_asks_once_for_two_workers(in_ws: Workspace, answers: list[tuple[str, str]]) -> None:
    box = begun()
    assert watches.renew(box)
    assert not watches.renew(Mailbox.objects.get())
    assert len(answers) == 1


@pytest.mark.parametrize(
    "problem",
    [
        Disconnected("forbidden"),
        Refused("bad_message"),
        Retry("throttled", after=900),
        Retry("provider_configuration", after=3600),
    ],
)
def test_it_harms_no_mailbox_that_it_is_refused(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch, problem: MailboxError, later: Later
) -> None:
    """A topic that is set up wrongly would else disconnect every mailbox there is."""

    def refuse(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(gateway, "watch", refuse)
    box = begun()
    assert not watches.renew(box)
    box.refresh_from_db()
    assert (box.state, box.throttled_until) == (MailboxState.CONNECTED, None)
    assert watches.due(most=9) == []
    later(hours=1, seconds=1)
    assert watches.due(most=9) == [(in_ws.pk, box.pk)]


def test_it_shows_the_operator_what_has_lapsed(
    in_ws: Workspace, answers: list[tuple[str, str]], later: Later
) -> None:
    begun(address="none@fernhill.example")
    assert standing() == {"standing": 0, "lapsed": 0, "none": 1}
    box = begun()
    watches.renew(box)
    assert standing() == {"standing": 1, "lapsed": 0, "none": 1}
    later(days=4)
    assert standing() == {"standing": 0, "lapsed": 1, "none": 1}


def test_it_finds_what_is_due_in_all_workspaces_that_may_be_called(in_ws: Workspace, stranger: User) -> None:
    ours = begun()
    begun(address="broken@fernhill.example", state=MailboxState.BROKEN)
    other = create_workspace(stranger, name="Other")
    stopped = create_workspace(stranger, name="Stopped")
    with workspace(other):
        theirs = begun(address="a@b.example")
    with workspace(stopped):
        begun(address="c@d.example")
    Workspace.objects.filter(pk=stopped.pk).update(suspended_at=clock.now())
    assert sorted(watches.due(most=9)) == sorted([(in_ws.pk, ours.pk), (other.pk, theirs.pk)])


def test_it_rings_for_each(in_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("accounts.bells._start", lambda task, ids: sent.append((task.name, *ids)))
    box = begun()
    tasks.wake_watches()
    tasks.wake_watches()
    assert sent == [("mailbox.renew_watch", str(in_ws.pk), str(box.pk))]


def connection(provider: str) -> Connection:
    return Connection(
        provider=provider,
        subject="subject-1",
        address="mira@fernhill.example",
        name="Mira",
        scopes=(),
        secret="secret",
        access_token="token",
        expires_at=clock.now() + dt.timedelta(hours=1),
    )


def test_it_forgets_the_old_promise_at_a_reconnect(
    in_ws: Workspace, owner: User, answers: list[tuple[str, str]]
) -> None:
    """A subscription belongs to the grant that made it; an old end kept would say that all is well."""
    box = connect(connection("microsoft"), user=owner)
    assert watches.renew(box)
    again = connect(connection("microsoft"), user=owner)
    assert (again.pk, Mailbox.objects.get().watch_id) == (box.pk, None)
    route = PushRoute.objects.get()
    assert (route.route, route.proof, route.until) == (None, None, None)
    assert watches.due(most=9) == [(in_ws.pk, box.pk)]


def test_it_asks_for_nothing_behind_the_bin_that_was_pressed_meanwhile(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = begun()

    def pressed(*_: object, **__: object) -> Watch:
        watches.end(box)
        Mailbox.objects.update(state=MailboxState.REVOKED)
        return Watch("sub-1", clock.now() + DAY)

    monkeypatch.setattr(gateway, "watch", pressed)
    assert not watches.renew(box)
    assert not PushRoute.objects.exists()
    assert Mailbox.objects.get().watch_id is None


# --- at the sandbox ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_asks_nobody_where_nothing_is_set_up(
    transactional_db: None, connected: Callable[..., Mailbox], providers: Running, provider: str
) -> None:
    box = connected(provider)
    watches.begin(box)
    assert not watches.renew(box)
    assert [call for call in providers.get("calls") if call["op"] == "watch"] == []
    assert watches.due(most=9) == []


def test_it_watches_what_may_be_news_at_google(
    transactional_db: None, connected: Callable[..., Mailbox], providers: Running, settings: Settings
) -> None:
    settings.GOOGLE_PUSH_TOPIC = "projects/p/topics/t"
    box = connected("google")
    watches.begin(box)
    assert watches.renew(box)
    (watch,) = providers.get("watches", mailbox=box.address)["watches"]
    assert watch["labels"] == "INBOX SPAM"
    route = PushRoute.objects.get()
    assert route.until is not None
    assert route.until > clock.now() + DAY * 6
    assert bytes(route.route or b"") == watches.route_of("google", "MAYA@studio.example")


def test_it_leaves_a_mailbox_alone_that_microsoft_could_not_reach(
    transactional_db: None, connected: Callable[..., Mailbox], providers: Running, settings: Settings
) -> None:
    """The handshake fails: nobody listens at this address."""
    settings.NOTIFICATION_BASE_URL = "http://127.0.0.1:1"
    box = connected("microsoft")
    watches.begin(box)
    assert not watches.renew(box)
    assert Mailbox.objects.get().state == MailboxState.CONNECTED
    assert providers.get("watches", mailbox=box.address)["subscriptions"] == []
