"""Ringing for work: a task is started at most once until it begins, so that a slow worker meets no crowd.

The beat wakes every few seconds and finds the same work due until somebody has taken it. Without a memory
of the last ring, each wake-up would put it into Redis once more, and a busy worker would spend its time on
throwing copies away. The memory lies in Redis as well: flushed, it costs one extra ring.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def patience() -> float:
    """Seconds after which a ring that nobody heard is forgotten and may be repeated."""
    return float(max(settings.WAKE_SECONDS * 6, 30.0))


def ring(task: Any, *ids: str) -> bool:
    """Start a task soon, unless it was rung and has not begun; whether it was started.

    A bell that cannot be rung is no reason to fail: the beat finds the work in the database (F16).
    """
    try:
        if not cache.add(_key(task.name, ids), 1, timeout=patience()):
            return False
        _start(task, ids)
    except (OperationalError, RedisError):
        log.warning("Redis does not answer; the beat will find the work")
        return False
    return True


def ring_together(task: Any, workspace_id: str, ids: Sequence[str], *, most: int) -> int:
    """Ring for many pieces of one workspace, up to `most` of them in a message; how many were rung for.

    A message costs a worker as much as a mail does. A piece that was rung and has not begun is left out.
    Pieces are spread before they are stacked, so that few of them do not wait behind each other.
    """
    try:
        known = rung(task, of=[(workspace_id, one) for one in ids])
        new = [one for one in ids if (workspace_id, one) not in known]
        cache.set_many({_key(task.name, (workspace_id, one)): 1 for one in new}, timeout=patience())
        size = min(max(-(-len(new) // most), 1), most)
        for start in range(0, len(new), size):
            _start(task, (workspace_id, *new[start : start + size]))
    except (OperationalError, RedisError):
        log.warning("Redis does not answer; the beat will find the work")
        return 0
    return len(new)


def ring_across(task: Any, pieces: Sequence[str], *, most: int) -> int:
    """As `ring_together`, for pieces that each name their own workspace; how many were rung for."""
    try:
        known = rung(task, of=[(one,) for one in pieces])
        new = [one for one in pieces if (one,) not in known]
        cache.set_many({_key(task.name, (one,)): 1 for one in new}, timeout=patience())
        size = min(max(-(-len(new) // most), 1), most)
        for start in range(0, len(new), size):
            _start(task, new[start : start + size])
    except (OperationalError, RedisError):
        log.warning("Redis does not answer; the beat will find the work")
        return 0
    return len(new)


def rung(task: Any, *, of: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Those of these pieces of work that were rung and have not begun, in one look; nothing without Redis."""
    keys = {_key(task.name, ids): ids for ids in of}
    try:
        return {keys[key] for key in cache.get_many(keys)}
    except RedisError:
        return set()


def heard(name: str, *pieces: tuple[str, ...]) -> None:
    """The task has begun: what comes due from now on may ring again."""
    try:
        cache.delete_many([_key(name, ids) for ids in pieces])
    except RedisError:
        pass  # It forgets by itself.


def _start(task: Any, ids: Sequence[str]) -> None:
    # Celery would write the arguments down a second time, for a monitor that nobody runs.
    task.apply_async(ids, expires=patience(), argsrepr="ids", kwargsrepr="")


def _key(name: str, ids: tuple[str, ...]) -> str:
    return f"bell:{name}:{':'.join(ids)}"
