"""Waits that are not waited for: the product's clock moves in steps, and the order of faults.md 3.1 stands.

Leases, settle times and due times are read from `app_now()`; a request and a worker live by the machine's
clock, which nobody moves. A step therefore shortens every wait of the first kind and none of the second. It
is harmless as long as one wait is never shortened by so much that it ends before the thing it waits for:

* A worker lives at most `HARD_LIMIT` real seconds behind its claim (Celery's hard limit kills the child), so
  between a claim and its worker's end lie at most `HARD_LIMIT` real seconds.
* Two steps lie more than `HARD_LIMIT` real seconds apart, so at most one step falls into a worker's life.
* `STEP + HARD_LIMIT < LEASE`: a lease that is shortened by one step still outlives its worker.
* `STEP + HARD_LIMIT + LATEST < SETTLE`: a settle time that is shortened by one step lies behind the worker's
  end and behind everything that the provider does late.
* The sandbox's clock moves first, and what came due in it is done before the product's clock follows: what a
  provider does 300 s late is over before the product believes that 300 s have passed.
* Redis keeps real time. Its keys (who works on a mailbox, which bell was rung) are aged by the same step, so
  that a key which a killed worker held ends with its lease and not hours behind it.

The lease of a token's refresh (seconds, mailbox/oauth.py) is outside this order: a step may end it early, and
two workers then refresh at once, which faults F11 and F12 cover; the sandbox's tokens last long enough here.
A worker that is stopped as a whole (SIGSTOP) can outlive its lease: that is F18, and the fence and the last
look at the clock before the socket write have to hold; nothing here protects them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import redis

HTTP_DEADLINE = 3.5
HARD_LIMIT = 8.0
LEASE = 7_000.0
# Several of them fit into the 24 hours of T_max, so that a look that told nothing has others behind it.
SETTLE = 8_000.0
LATEST = 300.0  # the longest lag and the latest acceptance of the sandbox here
STEP = 6_800.0
APART = HARD_LIMIT + 0.5

SETTINGS = {
    "HTTP_DEADLINE_SECONDS": str(HTTP_DEADLINE),
    "WORKER_HARD_LIMIT_SECONDS": str(HARD_LIMIT),
    "LEASE_SECONDS": str(LEASE),
    "SETTLE_SECONDS": str(SETTLE),
}
# How long a step waits at most for mails whose settle time has come: a settle stage that never runs would let
# their 24 hours pass in the clock alone. A killed worker's key in Redis may block one mailbox until the step.
PATIENCE = 10.0
_UNSETTLED = """
SELECT count(*) FROM outreach_message m JOIN mailbox_mailbox b ON b.id = m.mailbox_id
WHERE m.state IN ('submitting', 'sent') AND m.settle_at <= app_now() AND b.state = 'connected'
    AND m.attempted_at > app_now() - interval '24 hours'
"""
_MOVE = """
INSERT INTO app_clock (id, "offset") VALUES (1, make_interval(secs => %(step)s))
ON CONFLICT (id) DO UPDATE SET "offset" = app_clock."offset" + excluded."offset"
"""


def faults(
    *,
    step: float = STEP,
    apart: float = APART,
    deadline: float = HTTP_DEADLINE,
    hard_limit: float = HARD_LIMIT,
    lease: float = LEASE,
    settle: float = SETTLE,
    latest: float = LATEST,
) -> list[str]:
    """Which part of the order above these numbers break; empty when they keep it."""
    rules = {
        "two steps could fall into one worker's life": apart > hard_limit,
        "a request could outlive its worker": deadline < hard_limit,
        "a step could end the lease of a living worker": step + hard_limit < lease,
        "a step could end the settle time before the provider is done": step + hard_limit + latest < settle,
    }
    return [sentence for sentence, kept in rules.items() if not kept]


class Clock:
    """Moves the product, the sandbox and Redis together. `moved`: seconds so far."""

    def __init__(
        self, *, database: str, ledger: Path, redis_url: str, advance_sandbox: Callable[[float], Any]
    ) -> None:
        broken = faults()
        if broken:
            raise ValueError("; ".join(broken))
        self._database = database
        self._ledger = ledger
        self._redis = redis.Redis.from_url(redis_url)
        self._advance_sandbox = advance_sandbox
        self._last = time.monotonic()
        self._look = 0.0
        self.moved = 0.0
        self.steps = 0

    def may_move(self) -> bool:
        """Far enough behind the last step, and what that one made due to settle has been looked at."""
        waited = time.monotonic() - self._last
        if waited <= APART:
            return False
        if waited > APART + PATIENCE:
            return True
        if time.monotonic() < self._look:
            return False
        self._look = time.monotonic() + 0.5
        with closing(psycopg2.connect(self._database)) as connection, connection.cursor() as cursor:
            cursor.execute(_UNSETTLED)
            return cursor.fetchone() == (0,)

    def move(self) -> None:
        """One step. The next one is due no earlier than APART seconds behind the end of this one."""
        self._advance_sandbox(STEP)
        self._wait_for_sandbox()
        connection = psycopg2.connect(self._database)
        try:
            with connection, connection.cursor() as cursor:
                # No transaction of a last gate is cut in two: its place in the cap and its `attempted_at`
                # are of one time. It holds the account's row while it takes them.
                cursor.execute("LOCK TABLE mailbox_mailboxidentity IN EXCLUSIVE MODE")
                cursor.execute(_MOVE, {"step": STEP})
        finally:
            connection.close()
        self._age_redis()
        self.moved += STEP
        self.steps += 1
        self._last = time.monotonic()

    def _wait_for_sandbox(self) -> None:
        """Until what came due in the sandbox is done; its clock is this machine's, plus what was moved."""
        ahead = time.time() + self.moved + STEP
        ledger = sqlite3.connect(f"file:{self._ledger}?mode=ro", uri=True, timeout=30)
        try:
            until = time.monotonic() + 60
            while ledger.execute("SELECT 1 FROM jobs WHERE due_at <= ? LIMIT 1", (ahead,)).fetchone():
                if time.monotonic() > until:
                    raise RuntimeError("the sandbox does not get done with what is due")
                time.sleep(0.05)
        finally:
            ledger.close()
        # A job leaves the table right before it runs, in the same turn of the sandbox's loop or the next.
        time.sleep(0.1)

    def _age_redis(self) -> None:
        for pattern in ("*only-one:*", "*bell:*"):
            for key in self._redis.scan_iter(pattern, count=500):
                left = self._redis.pttl(key)
                if isinstance(left, int) and left >= 0:
                    self._redis.pexpire(key, max(left - int(STEP * 1000), 1))
