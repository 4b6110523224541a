"""Counting tries on Redis: so many in so long, each taken before the costly work is done.

One increment is one round trip and cannot be raced: under a flood exactly `amount` tries get through, and
nobody waits for a lock. A window begins with its first try.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True)
class Limit:
    name: str
    amount: int
    seconds: int

    def take(self, who: str) -> bool:
        """Count one try of `who`; whether it is within the limit."""
        key = self._key(who)
        cache.add(key, 0, timeout=self.seconds)
        try:
            return cache.incr(key) <= self.amount
        except ValueError:
            # The window ended between the two calls: this try opens the next one.
            cache.add(key, 1, timeout=self.seconds)
            return True

    def give_back(self, who: str) -> None:
        """A try that turned out well does not count."""
        try:
            cache.decr(self._key(who))
        except ValueError:
            pass  # Its window has ended.

    def _key(self, who: str) -> str:
        # Addresses do not stand in Redis.
        return f"limit:{self.name}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
