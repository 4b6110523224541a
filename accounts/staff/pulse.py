"""When the beat rang last and when a worker last began a task: kept in Redis, and nothing hangs on it.

Celery tells both by a signal in the process that does it. A process writes at most once in a second.
"""

from __future__ import annotations

import time
from typing import Any

from celery import current_app
from celery.signals import before_task_publish, task_prerun
from django.conf import settings
from django.core.cache import cache
from redis import Redis
from redis.exceptions import RedisError

from accounts.staff.figures import Family, Reading, Source, Value, register

BEAT, WORKER = "beat", "worker"
EVERY = 1.0
_KEPT = 7 * 86_400
_TIMEOUT = 2.0
_noted: dict[str, float] = {}

REDIS = Family(
    "outreach_redis_up",
    "Workers",
    "Redis answers",
    "1 while Redis answers, else 0.",
    "At 0: start Redis. Nothing is lost; no mail leaves until it answers, and nobody can sign in.",
)
ALIVE = Family(
    "outreach_last_seen_seconds",
    "Workers",
    "Last seen",
    "Seconds since the beat last rang for work, and since a worker last began a task.",
    "Beyond a minute: start that process again. Rows it held are taken up when their lease ends.",
    ("part",),
)
QUEUE = Family(
    "outreach_redis_queue_length",
    "Workers",
    "Tasks that wait in Redis",
    "Tasks that wait in each queue. They are wake-ups: losing them loses nothing.",
    "Growing: too few workers, or none. Start more; the rows themselves wait in PostgreSQL.",
    ("queue",),
)


def note(part: str) -> None:
    """`part` is at work. Silent where Redis does not answer."""
    now = time.monotonic()
    if now - _noted.get(part, -EVERY) < EVERY:
        return
    _noted[part] = now
    try:
        cache.set(_key(part), time.time(), timeout=_KEPT)
    except RedisError:
        pass  # The figure grows, which says it all.


def _rung(sender: Any = None, **_: Any) -> None:
    # Views and tasks ring for one piece of work; the wake-ups are the beat's alone.
    if ".wake_" in str(sender):
        note(BEAT)


def _began(**_: Any) -> None:
    note(WORKER)


def read() -> Reading:
    try:
        seen = {part: cache.get(_key(part)) for part in (BEAT, WORKER)}
        lengths = _lengths()
    except RedisError:
        return Reading([Value(REDIS, 0)])
    now = time.time()
    return Reading(
        [
            Value(REDIS, 1),
            *(Value(ALIVE, max(now - at, 0.0) if at else None, (part,)) for part, at in seen.items()),
            *(Value(QUEUE, length, (queue,)) for queue, length in lengths.items()),
        ]
    )


def _lengths() -> dict[str, int]:
    names = [queue.name for queue in current_app.conf.task_queues or ()]
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)
    try:
        return {name: int(redis.llen(name)) for name in names}
    finally:
        redis.close()


def _key(part: str) -> str:
    return f"pulse:{part}"


def install() -> None:
    before_task_publish.connect(_rung, dispatch_uid="accounts.staff.pulse.beat")
    task_prerun.connect(_began, dispatch_uid="accounts.staff.pulse.worker")
    register(Source((REDIS, ALIVE, QUEUE), read))
