"""Access tokens in a worker's memory for a few seconds: one mail takes several calls (performance.md).

Nothing is allowed by a token that is kept here: the chain is looked at again right before each request is
written (mailbox/gateway.py). Kept by mailbox and generation, so that a new connection never meets an old one.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
import uuid

from mailbox import oauth
from mailbox.models import Credential, Mailbox
from mailbox.types import Access

KEPT_SECONDS = 20.0

_Key = tuple[uuid.UUID, int]
_kept: dict[_Key, tuple[Access, float]] = {}
_lock = threading.Lock()
os.register_at_fork(after_in_child=_kept.clear)


def access(mailbox: Mailbox) -> Access:
    """A usable token, asked for again after some seconds. Raises Disconnected, Retry."""
    key, now = (mailbox.pk, mailbox.generation), time.monotonic()
    with _lock:
        found = _kept.get(key)
    if found is not None and now < found[1]:
        return found[0]
    given = oauth.access(mailbox)
    _keep(key, given, now)
    return given


def keep(mailbox: Mailbox, row: Credential) -> None:
    """The credential was read with something else: a usable token of it spares `access` a look of its own."""
    key, now = (mailbox.pk, mailbox.generation), time.monotonic()
    with _lock:
        found = _kept.get(key)
    if found is not None and now < found[1]:
        return
    if row.access_token and row.access_expires_at:
        _keep(key, Access(str(row.access_token), row.access_expires_at, str(mailbox.address)), now)


def reject(mailbox: Mailbox, refused: Access, *, claims: str = "") -> None:
    """The provider answered 401 to this token: the next `access` refreshes, with `claims` where it asked."""
    forget(mailbox)
    oauth.reject(mailbox, refused, claims=claims)


def forget(mailbox: Mailbox) -> None:
    with _lock:
        _kept.pop((mailbox.pk, mailbox.generation), None)


def _keep(key: _Key, given: Access, now: float) -> None:
    with _lock:
        for old in [one for one, (_, until) in _kept.items() if until <= now]:
            del _kept[old]
        _kept[key] = given, now + min(KEPT_SECONDS, _left(given))


def _left(given: Access) -> float:
    """Seconds for which the token is good; the host's clock only ever makes it shorter."""
    left = (given.expires_at - dt.datetime.now(dt.UTC)).total_seconds() - oauth.MARGIN_SECONDS
    return max(left, 0.0)
