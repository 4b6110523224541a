"""The transport: what is written is written once, and what is not known is said to be unknown."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httplib2
import pytest
from django.db import transaction

from mailbox.errors import Disconnected, Retry, Uncertain
from mailbox.providers import transport
from mailbox.providers.base import Unauthorized
from mailbox.providers.gmail import Gmail
from mailbox.providers.graph import Graph
from mailbox.providers.pool import Key
from mailbox.providers.transport import Line, NetworkInTransaction
from mailbox.types import Draft
from tests.mailbox.scripted import Scripted

DRAFT = Draft("d1", "t1")


@pytest.fixture
def server(settings: Any) -> Iterator[Scripted]:
    running = Scripted()
    settings.GMAIL_API_BASE = running.url
    settings.GRAPH_BASE = f"{running.url}/v1.0"
    settings.HTTP_DEADLINE_SECONDS = 0.8
    yield running
    running.close()


def free() -> None:
    """The mailbox is still connected."""


def opened(key: Key | None = None, **wish: Any) -> Any:
    return transport.line(key or (uuid.uuid4(), 1), token="secret", check=wish.pop("check", free), **wish)


def send(line: Line, client: Any = Gmail, *, not_after: float | None = None) -> Any:
    return client(line).submit(DRAFT, not_after=not_after)


# --- one write (providers.md 4.3) -------------------------------------------------------------------


@pytest.mark.parametrize("client", [Gmail, Graph])
@pytest.mark.parametrize(
    ("mode", "ends"),
    [
        ("drop", Uncertain),
        ("hang", Uncertain),
        ("503", Uncertain),
        ("401", Unauthorized),
        ("truncated", Uncertain),
        ("redirect", Uncertain),
        ("html", Uncertain),
        ("drip", Uncertain),
    ],
)
def test_it_hands_a_send_over_once_whatever_happens(
    server: Scripted, client: Any, mode: str, ends: type[Exception]
) -> None:
    server.mode = mode
    with pytest.raises(ends), opened() as line:
        send(line, client)
    assert len(server.posted) == 1


def test_it_matters_because_the_usual_transport_hands_it_over_twice(server: Scripted) -> None:
    """The control: the same server, httplib2, no retries asked for."""
    server.mode = "drop"
    with pytest.raises(Exception):  # noqa: B017
        httplib2.Http().request(f"{server.url}/gmail/v1/users/me/drafts/send", "POST", body="{}")
    assert len(server.posted) == 2


@pytest.mark.parametrize("mode", ["drop", "hang", "503", "truncated", "redirect", "html"])
def test_it_lets_a_draft_be_made_again_later(server: Scripted, mode: str) -> None:
    server.mode = mode
    with pytest.raises(Retry), opened() as line:
        Gmail(line)._create({"raw": ""})
    assert len(server.posted) == 1


def test_it_does_not_take_a_success_without_an_id_for_a_success(server: Scripted) -> None:
    server.answer = b'{"surprise": true}'
    with pytest.raises(Uncertain, match="unreadable_answer"), opened() as line:
        send(line)
    server.answer = b"not json"
    with pytest.raises(Uncertain, match="unreadable_answer"), opened() as line:
        send(line)


# --- what certainly did not leave ---------------------------------------------------------------------


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "http://nowhere.invalid"])
def test_it_knows_that_nothing_left_without_a_connection(settings: Any, base: str) -> None:
    settings.GMAIL_API_BASE = base
    with pytest.raises(Retry, match="unreachable"), opened() as line:
        send(line)


def test_it_asks_again_right_before_the_write(server: Scripted) -> None:
    """F14: the connection stands already, and the bin was pressed meanwhile."""

    def gone() -> None:
        raise Disconnected("revoked")

    with pytest.raises(Disconnected), opened(check=gone) as line:
        send(line)
    deadline = time.monotonic() + 2
    while not server.opened and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (server.opened, server.posted) == (1, [])


def test_it_writes_nothing_after_the_lease(server: Scripted) -> None:
    with pytest.raises(Uncertain, match="too_late"), opened() as line:
        send(line, not_after=time.monotonic() - 0.01)
    assert server.posted == []


def test_it_cuts_an_answer_that_drips_at_the_total_deadline(server: Scripted) -> None:
    """Each byte comes in time; the whole never would."""
    server.mode = "drip"
    began = time.monotonic()
    with pytest.raises(Uncertain, match="too_slow"), opened() as line:
        send(line)
    assert time.monotonic() - began < 2


def test_it_is_not_called_while_a_transaction_is_open(server: Scripted, db: None) -> None:
    """Decisions 8."""
    with pytest.raises(NetworkInTransaction), transaction.atomic(), opened() as line:
        send(line)
    with pytest.raises(NetworkInTransaction), transaction.atomic(using="keystore"), opened() as line:
        send(line)
    assert server.opened == 0
    with opened() as line:
        assert send(line).provider_id == "m1"


# --- connections ----------------------------------------------------------------------------------------


def carry(key: Key, draft_id: str = "d1") -> None:
    with opened(key) as line:
        Gmail(line)._create({"raw": ""})
        line.carried = draft_id


def test_it_sends_on_the_connection_that_carried_the_draft(server: Scripted) -> None:
    key = (uuid.uuid4(), 1)
    carry(key)
    with opened(key, draft_id="d1") as line:
        send(line)
    assert (len(server.posted), server.opened) == (2, 1)


def test_it_opens_its_own_connection_for_another_draft(server: Scripted) -> None:
    key = (uuid.uuid4(), 1)
    carry(key, "another")
    with opened(key, draft_id="d1") as line:
        send(line)
    assert server.opened == 2


def test_it_opens_its_own_connection_after_two_seconds(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (uuid.uuid4(), 1)
    carry(key)
    really = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: really() + 2.1)
    with opened(key, draft_id="d1") as line:
        send(line)
    assert server.opened == 2


@pytest.mark.parametrize("other", [lambda key: (uuid.uuid4(), 1), lambda key: (key[0], 2)])
def test_it_shares_no_connection_between_mailboxes_or_generations(
    server: Scripted, other: Callable[[Key], Key]
) -> None:
    key = (uuid.uuid4(), 1)
    carry(key)
    carry(other(key))
    carry(key)
    assert server.opened == 2


def test_it_keeps_no_connection_on_which_something_went_wrong(server: Scripted) -> None:
    key = (uuid.uuid4(), 1)
    server.mode = "503"
    with pytest.raises(Retry):
        carry(key)
    server.mode = "ok"
    carry(key)
    assert server.opened == 2


@pytest.mark.parametrize(("serial", "most"), [(True, 1), (False, 2)])
def test_it_has_one_request_in_flight_where_that_is_asked(server: Scripted, serial: bool, most: int) -> None:
    key = (uuid.uuid4(), 1)
    server.delay = 0.2

    def work() -> None:
        with opened(key, serial=serial) as line:
            Gmail(line)._create({"raw": ""})

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(server.posted), server.most_busy) == (2, most)


# --- what goes along ----------------------------------------------------------------------------------------


def test_it_sends_the_mailboxs_token_whatever_the_machines_netrc_says(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", os.fspath(netrc))
    with opened() as line:
        send(line)
    assert [line for line in server.headers if line.lower().startswith("authorization")] == [
        "Authorization: Bearer secret"
    ]


def test_it_shows_its_token_to_nobody_who_prints_it() -> None:
    with opened() as line:
        assert "secret" not in repr(line)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://graph.microsoft.com/v1.0/me?$skiptoken=a", True),
        ("https://graph.microsoft.com.evil.example/v1.0/me", False),
        ("http://graph.microsoft.com/v1.0/me", False),
        ("https://graph.microsoft.com:444/v1.0/me", False),
        ("https://graph.microsoft.com@evil.example/v1.0", False),
        ("", False),
    ],
)
def test_it_knows_a_link_that_leads_away(url: str, same: bool) -> None:
    assert transport.same_origin(url, "https://graph.microsoft.com/v1.0") is same


def test_it_follows_no_link_that_leads_away(server: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    server.answer = b'{"value": [], "@odata.nextLink": "http://evil.example/v1.0/me"}'
    with pytest.raises(Retry, match="foreign_link"), opened() as line:
        Graph(line)._walk(f"{server.url}/v1.0/me/mailFolders/inbox/messages/delta")
    assert len(server.posted) == 1
