"""The same act for several pieces of work at once, on threads that stay: each keeps its connections.

A connection to PostgreSQL that is opened anew costs more than a look into a mailbox does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import close_old_connections

_lock = threading.Lock()
_pools: list[ThreadPoolExecutor] = []
os.register_at_fork(after_in_child=_pools.clear)


def side_by_side(act: Callable[[str], None], pieces: Sequence[str]) -> None:
    """Done when all are. What one raises is raised here, after the others have ended."""
    if settings.POLL_CONCURRENCY <= 1 or len(pieces) == 1:
        for piece in pieces:
            act(piece)
        return
    running = [_pool().submit(_on_a_thread, act, piece) for piece in pieces]
    problems = [problem for one in running if (problem := one.exception()) is not None]
    if problems:
        raise problems[0]


def _on_a_thread(act: Callable[[str], None], piece: str) -> None:
    close_old_connections()
    act(piece)


def _pool() -> ThreadPoolExecutor:
    with _lock:
        if not _pools:
            _pools.append(ThreadPoolExecutor(settings.POLL_CONCURRENCY, thread_name_prefix="look"))
        return _pools[0]
