"""Things that happen later, kept in the ledger so that a restart loses none."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from mailbox.sandbox.clock import Clock
from mailbox.sandbox.store import Store

log = logging.getLogger("sandbox.jobs")
Handler = Callable[[dict[str, Any]], Awaitable[None]]
TICK = 0.2


class Jobs:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._bell = asyncio.Event()

    def add(self, kind: str, payload: dict[str, Any], *, after: float) -> None:
        """Do this `after` seconds from now."""
        self._store.insert("jobs", due_at=self._clock.now() + after, kind=kind, payload=json.dumps(payload))
        self._bell.set()

    def pending(self) -> int:
        row = self._store.row("SELECT count(*) FROM jobs")
        return int(row[0]) if row else 0

    def ring(self) -> None:
        """Look again now: the clock was moved."""
        self._bell.set()

    async def run(self, handlers: dict[str, Handler]) -> None:
        """Work for ever. A job is taken out before it runs: an act never happens twice."""
        running: set[asyncio.Task[None]] = set()
        while True:
            self._bell.clear()
            due = self._store.rows(
                "SELECT * FROM jobs WHERE due_at <= ? ORDER BY due_at LIMIT 50", self._clock.now()
            )
            for row in due:
                self._store.change("DELETE FROM jobs WHERE pk = ?", row["pk"])
                task = asyncio.create_task(_guarded(handlers, row))
                running.add(task)
                task.add_done_callback(running.discard)
            await asyncio.sleep(0)
            if not due:
                try:
                    await asyncio.wait_for(self._bell.wait(), TICK)
                except TimeoutError:
                    continue


async def _guarded(handlers: dict[str, Handler], row: sqlite3.Row) -> None:
    try:
        await handlers[row["kind"]](json.loads(row["payload"]))
    except (LookupError, ValueError, OSError, sqlite3.Error, aiohttp.ClientError):
        log.exception("The job %s could not be done.", row["kind"])
