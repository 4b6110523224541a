"""States of a sign-in or a consent that came back where nobody had begun them.

Somebody who is led through another's consent ends on our refusal with a code in the address that is still
good. Its state is marked: whoever began, and gets hold of that address, is refused as well. The marks lie in
Redis for as long as a state lives; without Redis the browser's session decides alone.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from redis.exceptions import RedisError

SECONDS = 900


def spend(state: str) -> None:
    """This state is of no use any more, in no browser."""
    if state:
        try:
            cache.set(_key(state), 1, timeout=SECONDS)
        except RedisError:
            pass


def is_spent(state: str) -> bool:
    try:
        return cache.get(_key(state)) is not None
    except RedisError:
        return False


def _key(state: str) -> str:
    return f"spent:{hashlib.sha256(state.encode()).hexdigest()}"
