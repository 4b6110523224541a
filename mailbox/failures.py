"""How often a provider did not do what was asked, by provider and kind of problem: for the operator alone.

Counted one by one in Redis, and nothing hangs on it: emptied, it counts anew, which Prometheus understands.
Nothing is done here, and nothing asked, while no problem occurs.
"""

from __future__ import annotations

import enum

from django.core.cache import cache
from redis.exceptions import RedisError

from mailbox.models import Provider


class Kind(enum.StrEnum):
    """`AUTH`: a token was not taken, or a person's access has ended. `UNREACHABLE`: no answer came."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    UNREACHABLE = "unreachable"
    AUTH = "auth"


def note(provider: str, kind: Kind) -> None:
    """One more. Silent where Redis does not answer."""
    key = _key(provider, kind)
    try:
        cache.add(key, 0, timeout=None)
        cache.incr(key)
    except (RedisError, ValueError):
        pass  # Emptied in between, or gone: a figure, and no mail, is the poorer for it.


def counts() -> dict[tuple[str, str], int]:
    """(provider, kind) → how many since counting began; empty where Redis does not answer."""
    names = {_key(provider, kind): (str(provider), str(kind)) for provider in Provider for kind in Kind}
    try:
        found = cache.get_many(names)
    except RedisError:
        return {}
    return {name: int(found.get(key, 0)) for key, name in names.items()}


def _key(provider: str, kind: Kind) -> str:
    return f"failures:{provider}:{kind}"
