"""The processes of a soak of replies: as in production, a web server for pushes, a clock that jumps.

A jump ends leases and keys of looks that are under way: two looks into one mailbox at once are part of what
is tried here, as behind a worker that was stopped for minutes (F18).
"""

from __future__ import annotations

import base64
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from config.processes import Child
from config.run import ROOT
from tests.soak.replies_worker import PLANTED
from tests.soak.world import World

SETTINGS = {
    "DAY_SECONDS": "86400",
    "WAKE_SECONDS": "1",
    "POLL_SECONDS": "600",
    "POLL_IDLE_SECONDS": "900",
    "POLL_CONCURRENCY": "6",
    "HTTP_DEADLINE_SECONDS": "5",
    "WORKER_HARD_LIMIT_SECONDS": "60",
    "LEASE_SECONDS": "300",
    "SETTLE_SECONDS": "900",
}
# Makes every mailbox due, also for the folders that are rarely looked through, and ends every lease.
STEP = 1300.0
_MOVE = """
INSERT INTO app_clock (id, "offset") VALUES (1, make_interval(secs => %s))
ON CONFLICT (id) DO UPDATE SET "offset" = app_clock."offset" + excluded."offset"
"""
_WAITING = "SELECT count(*) FROM mailbox_pollturn WHERE due_at <= app_now() + interval '310 seconds'"
_IN_HAND = "SELECT count(*) FROM mailbox_mailbox WHERE poll_lease_until > app_now()"
_STATES = "SELECT state, count(*) FROM mailbox_mailbox GROUP BY 1"


class ReplyWorld(World):
    """`planted`: what the workers do wrong on purpose (replies_worker.py)."""

    def __init__(self, data: Path, *, planted: str = "") -> None:
        super().__init__(data, cap=10**6, settings=SETTINGS)
        self.planted = planted
        self.moved = 0.0
        self.steps = 0

    def _date_commits(self) -> None:
        """When something was committed is not asked here."""

    def start_web(self) -> None:
        port = int(self.url.rpartition(":")[2])
        web = self.spawn(
            "web", "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1",
            "--threads", "4", "--worker-class", "gthread", "--worker-tmp-dir", str(self.data),
            "--no-control-socket",
        )  # fmt: skip
        self.wait_for(web, port)
        self.wait_for_page(web, port)

    def start_worker(self, name: str) -> None:
        self.started[name] += 1
        number = self.started[name]
        program = "tests.soak.replies_worker" if self.planted else "celery"
        command = [
            sys.executable, "-m", program, "-A", "config.celery", "worker", "-P", "threads", "-c", "8",
            "-n", f"{name}-{number}@%h", "-l", "WARNING", "--without-gossip", "--without-mingle",
        ]  # fmt: skip
        env = self.env | {PLANTED: self.planted}
        self.workers[name] = Child(f"{name}-{number}", command, env=env, cwd=ROOT, logs=self.logs)

    def take_in(self, email: str, raw: bytes, *, folder: str = "inbox", thread: str = "") -> Any:
        """A mail lies in a mailbox of the sandbox; its id, conversation and Message-ID there."""
        return self.ask(
            "inbound", email=email, raw=base64.b64encode(raw).decode(), folder=folder, thread=thread
        )

    # --- time ---------------------------------------------------------------------------------
    def move(self, seconds: float = STEP) -> None:
        """The sandbox's clock first, then the product's; what Redis remembers ages with them."""
        self.ask("clock", advance=seconds)
        with (
            closing(psycopg2.connect(self.superuser)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(_MOVE, [seconds])
        for pattern in ("*only-one:*", "*bell:*"):
            for key in self.redis_client.scan_iter(pattern, count=500):
                self.redis_client.delete(key)
        self.moved += seconds
        self.steps += 1

    def now(self) -> float:
        """The sandbox's and the product's."""
        return time.time() + self.moved

    def waiting(self) -> int:
        """Mailboxes that are due, in hand, or wait a moment for their provider."""
        return self._number(_WAITING)

    def in_hand(self) -> int:
        return self._number(_IN_HAND)

    def stored(self) -> int:
        return self._number("SELECT count(*) FROM outreach_reply")

    def states(self) -> dict[str, int]:
        with closing(psycopg2.connect(self.superuser)) as connection, connection.cursor() as cursor:
            cursor.execute(_STATES)
            return dict(cursor.fetchall())

    def _number(self, sql: str) -> int:
        with closing(psycopg2.connect(self.superuser)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return int((cursor.fetchone() or (0,))[0])
