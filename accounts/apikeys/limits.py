"""Limits of the API: requests of a credential, and wrong credentials from an address, per minute.

Only wrong ones count against an address: whoever guesses from behind somebody's proxy locks nobody out, and a
good key works from an address that guesses (threats T31, T42). A Redis that does not answer limits nobody.
"""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

from accounts.limits import Limit

log = logging.getLogger(__name__)
WINDOW = 60


def wait_for(what: str, whose: str, *, most: int) -> int:
    """Count one more; 0 while there is room in this minute, else the seconds until there surely is again."""
    try:
        return 0 if Limit(f"api-{what}", most, WINDOW).take(whose) else WINDOW
    except RedisError as error:
        log.warning("the limits of the API do not count: %s", type(error).__name__)
        return 0
