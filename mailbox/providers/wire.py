"""One request on the wire: the last look before the first byte, and the cut at the deadline.

The hook sits where the connection stands and nothing is written yet: so it is certain afterwards whether
the provider may have seen anything.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from accounts.failpoints import failpoint
from mailbox.errors import Uncertain
from mailbox.providers.deadlines import Deadline, cut_at


@dataclass
class Exchange:
    """One request under way. `wrote`: from here on the provider may have it.

    `sends`: it is the call that lets a mail leave.
    """

    check: Callable[[], None]
    until: float
    not_after: float | None = None
    sends: bool = False
    wrote: bool = False
    late: bool = False
    deadline: Deadline | None = None

    def before_write(self, connection: HTTPConnection) -> None:
        if connection.sock is None:
            connection.connect()
        self.check()
        now = time.monotonic()
        if self.not_after is not None and now > self.not_after:
            raise Uncertain("too_late", "the lease ran out before the request was written")
        if self.sends:
            failpoint("before_write")
        sock = connection.sock
        self.deadline = cut_at(self.until, lambda: self._cut(sock))
        self.wrote = True

    def after_write(self) -> None:
        if self.sends:
            failpoint("after_write")

    def _cut(self, sock: Any) -> None:
        self.late = True
        try:
            # The plain shutdown, also under TLS: the reader then sees an end and not a closed object.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            pass

    def over(self) -> None:
        if self.deadline is not None:
            self.deadline.over()


current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class _Plain(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        exchange = current.get()
        if exchange is not None:
            exchange.before_write(self)
        super().request(*args, **kwargs)
        if exchange is not None:
            exchange.after_write()


class _Secure(HTTPSConnection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
        super().__init__(*args, **(kwargs | {"ssl_context": _trust(bundle)}))

    def request(self, *args: Any, **kwargs: Any) -> None:
        exchange = current.get()
        if exchange is not None:
            exchange.before_write(self)
        super().request(*args, **kwargs)
        if exchange is not None:
            exchange.after_write()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def new_session() -> urllib3.PoolManager:
    """Connections of one line, at most one to each host; nothing is tried again, no proxy is asked."""
    manager = urllib3.PoolManager(num_pools=2, maxsize=1, retries=False)
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return manager


@lru_cache(maxsize=4)
def _trust(bundle: str) -> ssl.SSLContext:
    """Whom a connection believes; read once, because reading all authorities takes as long as many mails."""
    return ssl.create_default_context(cafile=bundle or certifi.where())
