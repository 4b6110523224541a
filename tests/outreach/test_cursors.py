"""A cursor moves behind what is stored, whatever ends a look: a kill, a broken page, a cursor that dies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from mailbox.models import Mailbox, MailboxState
from mailbox.providers import gmail, graph
from mailbox.providers.base import Gone
from mailbox.providers.transport import Answer, Line
from outreach.models import Message, Reply, Thread
from outreach.pipeline import reply
from outreach.pipeline.reply import Polled
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
Sent = Callable[..., Message]


class Killed(BaseException):
    """As a worker that is killed: nothing below may catch it."""


@pytest.fixture
def sent(queue: Queue) -> Sent:
    """`sent("google")`: one accepted mail, and the first look behind it."""

    def make(provider: str) -> Message:
        (row,) = queue(provider, "ana.silent@site.example")
        send_now(row)
        row.refresh_from_db()
        assert reply.poll(Mailbox.objects.get()) is Polled.DONE
        return row

    return make


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gmail, "PAGE", 2)
    monkeypatch.setattr(graph, "PAGE", 2)


@pytest.fixture
def meddle(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int, str], None]], None]:
    """`meddle(act)`: before each request of a look `act(number, url)` is called."""
    real = Line.call
    acts: list[Callable[[int, str], None]] = []
    made: list[str] = []

    def call(line: Line, method: str, url: str, **more: Any) -> Answer:
        made.append(url)
        for act in acts:
            act(len(made), url)
        return real(line, method, url, **more)

    monkeypatch.setattr(Line, "call", call)

    def set_to(act: Callable[[int, str], None]) -> None:
        made.clear()
        acts[:] = [act]

    return set_to


def arrives(providers: Running, row: Message, number: int, **parts: object) -> None:
    wish = {
        "email": Mailbox.objects.get().address,
        "from": "Ana Berg <ana.silent@site.example>",
        "subject": f"Re: Your hut table {number}",
        "text": f"Answer {number}",
        "reply_to": row.rfc_message_id,
        **parts,
    }
    providers.post("inbound", **wish)


def answers() -> list[str]:
    return sorted(str(one.text).strip() for one in Reply.objects.all())


def wanted(count: int) -> list[str]:
    return [f"Answer {number}" for number in range(count)]


def free() -> None:
    """The lease of a worker that was killed runs out."""
    Mailbox.objects.update(poll_lease_until=None)


@BOTH
def test_it_loses_nothing_wherever_a_look_is_killed(
    sent: Sent, providers: Running, provider: str, small_pages: None, meddle: Callable[..., None]
) -> None:
    """F32: before each of its requests in turn, between pages and between mails."""
    row = sent(provider)
    for number in range(5):
        arrives(providers, row, number)
    cursor = Mailbox.objects.get().cursor
    at = 0
    while True:
        at += 1

        def kill(number: int, _: str, at: int = at) -> None:
            if number == at:
                raise Killed

        meddle(kill)
        free()
        try:
            reply.poll(Mailbox.objects.get())
            break
        except Killed:
            assert Mailbox.objects.get().cursor == cursor
    assert at > 6
    assert answers() == wanted(5)


@BOTH
def test_it_finds_what_a_cursor_that_dies_between_pages_leaves(
    sent: Sent, providers: Running, provider: str, small_pages: None, meddle: Callable[..., None]
) -> None:
    """F29, F30 in mid-listing, several times over: no error, no gap, no jump to now."""
    row = sent(provider)
    for number in range(5):
        arrives(providers, row, number)
    address = str(Mailbox.objects.get().address)
    # The search behind a dead cursor of Gmail has one page here.
    times = iter(range(2 if provider == "microsoft" else 1))

    def expire(_: int, url: str) -> None:
        if ("pageToken" in url or "skiptoken" in url) and next(times, None) is not None:
            providers.post("expire_history", email=address)

    meddle(expire)
    for _ in range(4):
        reply.poll(Mailbox.objects.get())
    assert next(times, None) is None
    assert Mailbox.objects.get().state == MailboxState.CONNECTED
    assert answers() == wanted(5)


@BOTH
def test_it_bears_a_dead_cursor_in_an_empty_mailbox(
    connected: Callable[..., Mailbox], open_ws: object, providers: Running, provider: str
) -> None:
    connected(provider)
    assert reply.poll(Mailbox.objects.get()) is Polled.DONE
    providers.post("expire_history", email=Mailbox.objects.get().address)
    assert reply.poll(Mailbox.objects.get()) is Polled.DONE
    calls = len(providers.get("calls"))
    assert reply.poll(Mailbox.objects.get()) is Polled.DONE
    # The new cursor lives: no second search.
    assert not [call for call in providers.get("calls")[calls:] if call["path"].endswith("/messages")]
    assert Mailbox.objects.get().state == MailboxState.CONNECTED


def test_it_comes_back_for_a_mail_that_is_told_before_it_is_there(
    sent: Sent, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """providers.md 10, 12: history names it, and asked for it is not found, for a moment."""
    row = sent("google")
    arrives(providers, row, 0)
    real = gmail.Gmail._metadata

    def not_yet(*_: object) -> dict[str, Any]:
        raise Gone("404")

    monkeypatch.setattr(gmail.Gmail, "_metadata", not_yet)
    assert reply.poll(Mailbox.objects.get()) is Polled.DONE
    assert answers() == []
    monkeypatch.setattr(gmail.Gmail, "_metadata", real)
    assert reply.poll(Mailbox.objects.get()) is Polled.DONE
    assert answers() == wanted(1)


def test_it_asks_no_third_time_for_a_mail_that_is_gone(
    sent: Sent, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = sent("google")
    arrives(providers, row, 0)
    (stored,) = [one for one in providers.get("messages", mailbox=Mailbox.objects.get().address)
                 if one["folder"] == "inbox"]  # fmt: skip
    providers.post("delete", email=Mailbox.objects.get().address, id=stored["id"])
    asked = []
    for _ in range(3):
        calls = len(providers.get("calls"))
        reply.poll(Mailbox.objects.get())
        asked.append(sum(stored["id"] in call["path"] for call in providers.get("calls")[calls:]))
    assert asked == [1, 1, 0]


def test_it_pages_through_a_second_in_which_more_came_than_one_look_takes(
    sent: Sent, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search counts in whole seconds: a full page of one second must not end it."""
    monkeypatch.setattr(gmail, "MOST_HEADERS", 2)
    row = sent("google")
    address = Mailbox.objects.get().address
    for number in range(7):
        arrives(providers, row, number)
    providers.post("same_second", email=address)
    providers.post("expire_history", email=address)
    for _ in range(9):
        reply.poll(Mailbox.objects.get())
    assert answers() == wanted(7)


@BOTH
@pytest.mark.parametrize("folder", ["junkemail", "archive", "deleteditems"])
def test_it_finds_answers_wherever_they_were_moved(
    sent: Sent, providers: Running, provider: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a filter, before anybody looked, in a conversation in which nothing more is to be sent."""
    # The provider's Date counts in whole seconds: it may lie before the connection's own.
    monkeypatch.setattr(graph, "ELSEWHERE", dt.timedelta(seconds=-2))
    row = sent(provider)
    arrives(providers, row, 0, folder=folder)
    reply.poll(Mailbox.objects.get())
    assert answers() == wanted(1)
    assert Thread.objects.get().waits_since is not None
    reply.poll(Mailbox.objects.get())
    assert Reply.objects.count() == 1
    assert not [call for call in providers.get("calls") if call["full_read"]][1:]


def test_it_looks_elsewhere_seldom(sent: Sent, providers: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more request in ten minutes, however many conversations there are."""
    now = [clock.now()]
    monkeypatch.setattr(graph, "provider_time", lambda headers: now[0])
    sent("microsoft")
    counts = []
    for minutes in (0, 1, 1, 11, 1):
        now[0] += dt.timedelta(minutes=minutes)
        calls = len(providers.get("calls"))
        reply.poll(Mailbox.objects.get())
        counts.append(sum(call["path"].endswith("/me/messages") for call in providers.get("calls")[calls:]))
    assert counts == [0, 0, 0, 1, 0]
