"""The operator's count of what providers did not do: single answers, by provider and kind."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import RedisError

from mailbox import failures, gateway, health
from mailbox.errors import Disconnected, MailboxError, Retry, Uncertain
from mailbox.failures import Kind
from mailbox.models import Mailbox
from mailbox.types import OutgoingEmail
from tests.mailbox.sandbox.conftest import Running

Write = Callable[..., OutgoingEmail]
PROVIDERS = ("google", "microsoft")


@pytest.fixture(autouse=True)
def nothing_yet() -> None:
    cache.clear()


@pytest.fixture(params=PROVIDERS)
def mailbox(request: pytest.FixtureRequest, connected: Callable[..., Mailbox]) -> Mailbox:
    return connected(request.param)


def counted() -> dict[tuple[str, str], int]:
    return {name: count for name, count in failures.counts().items() if count}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "throttle"}, Kind.THROTTLED),
        ({"kind": "error_not_accepted", "status": 500}, Kind.SERVER_ERROR),
        ({"kind": "error_but_accepted", "status": 503}, Kind.SERVER_ERROR),
    ],
)
def test_it_counts_each_answer_that_was_no_success(
    mailbox: Mailbox, write: Write, providers: Running, fault: dict[str, Any], kind: Kind
) -> None:
    """F6, F8, on a draft, on a look and on the send."""
    draft = gateway.prepare(mailbox, write(mailbox))
    assert counted() == {}
    providers.post("faults", mailbox="*", op="any", times=0, **fault)
    for verb in (
        lambda: gateway.prepare(mailbox, write(mailbox)),
        lambda: gateway.headers_since(mailbox, None),
        lambda: gateway.submit(mailbox, draft),
    ):
        with pytest.raises((Retry, Uncertain)) as told:
            verb()
        assert told.value.status in (429, 500, 503)
    assert counted() == {(mailbox.provider, kind): 3}


@pytest.mark.django_db(transaction=True)
def test_it_counts_a_token_that_was_not_taken(mailbox: Mailbox, write: Write, providers: Running) -> None:
    providers.post("faults", mailbox="*", op="draft", kind="auth_lost", times=0)
    with pytest.raises(MailboxError):
        gateway.prepare(mailbox, write(mailbox))
    assert counted()[(mailbox.provider, Kind.AUTH)] >= 1


def test_it_counts_an_answer_that_did_not_come_once(mailbox: Mailbox) -> None:
    health.wait(mailbox, Retry("unreachable", "ConnectionError"))
    assert counted() == {(mailbox.provider, Kind.UNREACHABLE): 1}
    answered = Retry("no_answer", "503")
    answered.status = 503
    health.wait(mailbox, answered)
    health.wait(mailbox, Retry("busy"))
    health.wait(mailbox, Retry("throttled", after=5))
    assert counted() == {(mailbox.provider, Kind.UNREACHABLE): 1}


def test_it_counts_an_access_that_ended_once(mailbox: Mailbox) -> None:
    """F13: however many calls find it out."""
    for _ in range(2):
        health.broke(mailbox, Disconnected("grant_ended"))
    assert counted() == {(mailbox.provider, Kind.AUTH): 1}


def test_it_asks_nothing_while_no_problem_occurs(
    mailbox: Mailbox, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "cache", None)  # whoever touches it fails
    gateway.submit(mailbox, gateway.prepare(mailbox, write(mailbox)))


def test_it_hangs_on_nothing(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """F16: without Redis the wait stands as ever, and there is no figure."""

    def gone(*_: Any, **__: Any) -> None:
        raise RedisError

    monkeypatch.setattr(failures, "cache", SimpleNamespace(add=gone, incr=gone, get_many=gone))
    health.wait(mailbox, Retry("unreachable", after=5))
    mailbox.refresh_from_db()
    assert mailbox.state == "throttled"
    assert failures.counts() == {}
