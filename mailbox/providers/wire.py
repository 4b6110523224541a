"""One request on the wire: the last look before the first byte, and the cut at the deadline.

The hook sits where the connection stands and nothing is written yet: so it is certain afterwards whether
the provider may have seen anything.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from accounts.failpoints import failpoint
from mailbox.errors import Uncertain


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
    timer: threading.Timer | None = None

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
        self.timer = threading.Timer(max(self.until - now, 0.0), self._cut, (sock,))
        self.timer.daemon = True
        self.timer.start()
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
        if self.timer is not None:
            self.timer.cancel()


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


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


def new_session() -> requests.Session:
    session = requests.Session()
    # The environment is not asked: a netrc entry would replace the mailbox's token.
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0))
    return session
