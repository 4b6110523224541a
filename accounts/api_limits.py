"""Limits of the API on Redis: requests of a credential, and wrong credentials from an address, per minute.

Only wrong ones count against an address: whoever guesses from behind somebody's proxy locks nobody out, and a
good key works from an address that guesses (threats T31, T42). A Redis that does not answer limits nobody.
"""

from __future__ import annotations

import hashlib
import logging
import time

from django.core.cache import cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
WINDOW = 60


def wait_for(what: str, whose: str, *, most: int) -> int:
    """Count one more; 0 while there is room in this minute, else the seconds until the next one."""
    now = time.time()
    name = hashlib.sha256(f"{what}|{whose}".encode()).hexdigest()[:32]
    slot = f"api:{name}:{int(now // WINDOW)}"
    try:
        cache.add(slot, 0, WINDOW * 2)
        count = cache.incr(slot)
    except ValueError:  # It ran out between the two calls: a minute has passed.
        return 0
    except RedisError as error:
        log.warning("the limits of the API do not count: %s", type(error).__name__)
        return 0
    return 0 if count <= most else max(1, int(WINDOW - now % WINDOW))
