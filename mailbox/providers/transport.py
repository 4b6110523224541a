"""The only HTTP to the providers: one request, one answer, nothing tried again.

* Connections are kept per mailbox and generation. The call that sends uses the one that carried the
  draft within the last 2 seconds, else opens its own: a stale one is the classic lost answer (decisions 7).
* `check` runs after the connection stands and right before the bytes are written: a revoke that
  committed earlier wins (decisions 6). Until that moment nothing has left, and every failure says so.
* A total deadline cuts the socket, whatever drips from it. No redirect is followed. No call is made
  while a transaction is open on this thread (decisions 8).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httplib2
import urllib3
from django.conf import settings
from django.db import connections

from accounts.failpoints import failpoint
from mailbox.errors import MailboxError, Retry, Uncertain
from mailbox.providers.pool import Key, borrow, give_back, turn_of
from mailbox.providers.wire import Exchange, current

CONNECT_SECONDS = 10.0
CHUNK = 65_536
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "Outreach (gzip)"}


class NetworkInTransaction(RuntimeError):
    """A provider was about to be called while a transaction was open: a bug in the caller."""


def refuse_open_transaction() -> None:
    """Raise NetworkInTransaction where this thread has one open, on any database.

    The block that Django's test case opens around a test does not count, as for `atomic(durable=True)`.
    """
    for connection in connections.all(initialized_only=True):
        blocks = getattr(connection, "atomic_blocks", [])
        if any(not block._from_testcase for block in blocks):
            raise NetworkInTransaction(f"a transaction is open on {connection.alias!r}")


@dataclass(frozen=True)
class Answer:
    """`truncated`: the body was cut at the limit that the caller had set."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    truncated: bool = False


@dataclass
class Line:
    """One mailbox's line to its provider, for one verb. `carried` names the draft that it carried."""

    key: Key
    token: str = field(repr=False)
    check: Callable[[], None]
    session: urllib3.PoolManager
    carried: str = ""
    last_headers: Mapping[str, str] = field(default_factory=urllib3.HTTPHeaderDict)
    _broken: bool = False

    def call(
        self,
        method: str,
        url: str,
        *,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
        not_after: float | None = None,
        limit: int | None = None,
        bare: bool = False,
    ) -> Answer:
        """One request. `once`: the call that sends; an answer that is lost raises Uncertain.

        Raises Retry where certainly nothing left, and for reads whenever no answer came. `limit` cuts
        the body. `bare`: to an address that must not be shown the token.
        """
        refuse_open_transaction()
        until = time.monotonic() + settings.HTTP_DEADLINE_SECONDS
        exchange = Exchange(self.check, until, not_after, sends=once)
        token = current.set(exchange)
        try:
            known = {} if bare else {"Authorization": f"Bearer {self.token}"}
            answer = self._answer(exchange, method, url, body, {**(headers or {}), **known}, limit)
            if once:
                failpoint("after_accept")
            return answer
        except MailboxError:
            self._broken = True
            raise
        except (urllib3.exceptions.HTTPError, OSError) as broken:
            self._broken = True
            name = type(broken).__name__
            if not exchange.wrote:
                raise Retry("unreachable", name) from broken
            reason = "too_slow" if exchange.late else "no_answer"
            raise (Uncertain(reason, name) if once else Retry(reason, name)) from broken
        finally:
            exchange.over()
            current.reset(token)

    def _answer(
        self,
        exchange: Exchange,
        method: str,
        url: str,
        body: bytes | str | None,
        headers: Mapping[str, str],
        limit: int | None,
    ) -> Answer:
        sent = urllib3.HTTPHeaderDict(_HEADERS)  # A library writes the same names in other letters.
        sent.update(headers)
        response = self.session.request(
            method,
            url,
            body=body,
            headers=sent,
            timeout=urllib3.Timeout(
                connect=min(CONNECT_SECONDS, settings.HTTP_DEADLINE_SECONDS),
                read=settings.HTTP_DEADLINE_SECONDS,
            ),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        try:
            self.last_headers = response.headers
            chunks, size, truncated = [], 0, False
            for chunk in response.stream(CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                if limit is not None and size > limit:
                    # The rest stays unread, and with it the connection unusable.
                    truncated = self._broken = True
                    break
            if exchange.late:
                raise TimeoutError("the total deadline passed")
        finally:
            if self._broken:
                response.close()
            response.release_conn()
        content = b"".join(chunks)
        content = content if limit is None else content[:limit]
        return Answer(response.status, response.reason or "", response.headers, content, truncated)


@contextmanager
def line(
    key: Key, *, token: str, check: Callable[[], None], draft_id: str | None = None, serial: bool = False
) -> Iterator[Line]:
    """A line for one verb. `draft_id`: for sending that draft. `serial`: one request in flight a mailbox.

    Raises Retry when the mailbox's turn does not come within the deadline.
    """
    turn = turn_of(key[0]) if serial else threading.Lock()
    if not turn.acquire(timeout=settings.HTTP_DEADLINE_SECONDS):
        raise Retry("busy", "another request of this mailbox is under way", after=5)
    try:
        held = Line(key, token, check, borrow(key, draft_id))
        try:
            yield held
        except BaseException:
            held._broken = True
            raise
        finally:
            if held._broken:
                held.session.clear()
            else:
                give_back(key, held.session, held.carried)
    finally:
        turn.release()


def same_origin(url: str, base: str) -> bool:
    """Whether a link that a provider gave leads back to it: else the token would leak."""
    one, other = urlsplit(url), urlsplit(base)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


class LineHttp:
    """httplib2's shape over a line, for google-api-python-client: httplib2 itself posts a body again
    when a connection drops, and no setting turns that off (providers.md 4.3)."""

    def __init__(self, line: Line, *, once: bool = False, not_after: float | None = None) -> None:
        self._line = line
        self._once = once
        self._not_after = not_after

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> tuple[httplib2.Response, bytes]:
        answer = self._line.call(
            method, uri, body=body, headers=headers, once=self._once, not_after=self._not_after
        )
        kept = {name.lower(): value for name, value in answer.headers.items()}
        kept.pop("content-encoding", None)
        meta = httplib2.Response(kept)
        meta.status, meta.reason = answer.status, answer.reason
        return meta, answer.body

    def close(self) -> None:
        """The line closes itself."""
