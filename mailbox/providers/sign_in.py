"""What both sign-ins share: the HTTP session of the token endpoints and the shapes of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from django.db import connection

from mailbox.errors import Retry

SECONDS = (5, 10)  # to connect, to wait for each part of the answer


def outside_transactions() -> None:
    """Raise where a transaction is open: the network is never inside one (decisions 8)."""
    if connection.in_atomic_block:
        raise RuntimeError("no call to a provider inside a transaction")


class TokenSession(requests.Session):
    """Waits a bounded time, follows no redirect, and never runs while a transaction is open."""

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        outside_transactions()
        kwargs["timeout"] = kwargs.get("timeout") or SECONDS
        kwargs["allow_redirects"] = False
        return super().request(method, url, *args, **kwargs)


def json_of(answer: requests.Response) -> dict[str, Any]:
    """The answer as a JSON object; Retry where it is none."""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Retry("unreadable_answer", f"HTTP {answer.status_code}")
    return body


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and what must be remembered until it returns (JSON values only)."""

    url: str
    flow: dict[str, Any]


@dataclass(frozen=True)
class Tokens:
    """A token answer. `secret` is what the next refresh needs, or None where the old one stays."""

    access_token: str
    seconds: float
    secret: str | None


class Lost(Exception):
    """The provider refuses to refresh: `reason` is our stable code, `detail` the provider's own words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
