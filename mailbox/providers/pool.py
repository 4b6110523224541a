"""Connections that are kept for a moment, by mailbox and generation, and whose turn it is."""

from __future__ import annotations

import os
import threading
import time
import uuid
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

import urllib3

from mailbox.providers.wire import new_session

DRAFT_SECONDS = 2.0
IDLE_SECONDS = 5.0

Key = tuple[uuid.UUID, int]


@dataclass(frozen=True)
class _Idle:
    session: urllib3.PoolManager
    draft_id: str
    at: float = field(default_factory=time.monotonic)


_idle: OrderedDict[Key, list[_Idle]] = OrderedDict()
_idle_lock = threading.Lock()
_turns: weakref.WeakValueDictionary[uuid.UUID, threading.Lock] = weakref.WeakValueDictionary()


def _forget() -> None:
    _idle.clear()


os.register_at_fork(after_in_child=_forget)  # Two processes must not share a socket.


def borrow(key: Key, draft_id: str | None) -> urllib3.PoolManager:
    now = time.monotonic()
    with _idle_lock:
        waiting = _idle.get(key, [])
        for idle in reversed(waiting):
            age = now - idle.at
            fits = age <= IDLE_SECONDS if draft_id is None else age <= DRAFT_SECONDS
            if fits and draft_id in (None, idle.draft_id):
                waiting.remove(idle)
                return idle.session
    return new_session()


def give_back(key: Key, session: urllib3.PoolManager, draft_id: str) -> None:
    now = time.monotonic()
    old: list[_Idle] = []
    with _idle_lock:
        _idle.setdefault(key, []).append(_Idle(session, draft_id))
        _idle.move_to_end(key)
        for other in list(_idle):
            fresh = [idle for idle in _idle[other] if now - idle.at <= IDLE_SECONDS]
            old += [idle for idle in _idle[other] if now - idle.at > IDLE_SECONDS]
            if fresh:
                _idle[other] = fresh
                break
            del _idle[other]
    for idle in old:
        idle.session.clear()


def turn_of(mailbox_id: uuid.UUID) -> threading.Lock:
    with _idle_lock:
        lock = _turns.get(mailbox_id)
        if lock is None:
            lock = _turns[mailbox_id] = threading.Lock()
        return lock
