"""Who has an answer under way in a conversation: a name for half a minute, and nothing of what is written.

It lies in Redis, where it forgets itself, and only warns: what keeps two answers apart is looked at when one
is sent (outreach/inbox/answering.py). Two people who tell at the same instant may hide one of them until the
next time.
"""

from __future__ import annotations

import time
import uuid

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.models import User
from accounts.tenancy import current_workspace_id

# An open page tells every 10 s (static/thread.js).
LASTS = 25.0


def tell(thread_id: uuid.UUID, who: User, *, writes: bool) -> None:
    """This person writes, or has stopped."""
    try:
        known = _known(thread_id)
        known.pop(who.pk, None)
        if writes:
            known[who.pk] = (who.short_name, time.time() + LASTS)
        cache.set(_key(thread_id), known, timeout=LASTS)
    except RedisError:
        pass  # Nobody is warned; the look at sending stays.


def others(thread_id: uuid.UUID, *, but: User) -> list[str]:
    """Names of those who write, without `but`."""
    try:
        return sorted(name for pk, (name, _) in _known(thread_id).items() if pk != but.pk)
    except RedisError:
        return []


def in_words(names: list[str]) -> str:
    """ "" where nobody writes."""
    if not names:
        return ""
    if len(names) == 1:
        return f"{names[0]} is writing an answer"
    return f"{', '.join(names[:-1])} and {names[-1]} are writing answers"


def _known(thread_id: uuid.UUID) -> dict[int, tuple[str, float]]:
    found: dict[int, tuple[str, float]] = cache.get(_key(thread_id)) or {}
    return {pk: value for pk, value in found.items() if value[1] > time.time()}


def _key(thread_id: uuid.UUID) -> str:
    return f"writing:{current_workspace_id()}:{thread_id}"
