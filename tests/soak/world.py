"""The processes of a soak: PostgreSQL, a real Redis, the sandbox, beat and workers that can be killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import redis

from config import embedded
from config.processes import MARK, Child
from config.run import ROOT, Run
from tests.soak import history, pace
from tests.soak.oracle import FINAL
from tests.soak.worker import FIRED

SETTINGS = {
    # Pages are answered by this process, which has gathered no static files.
    "STATICFILES_BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
    **pace.SETTINGS,
    # Caps stand, and never grow: the oracle knows what it may count.
    "DAILY_CAP_GROWTH": "0",
    "SEND_SPACING_SECONDS": "0",
    "SEND_SPACING_JITTER": "0",
    "DAY_SECONDS": "6000",
    "WAKE_SECONDS": "2",
    "POLL_SECONDS": "21600",
    "BATCH_SIZE": "30",
    "SEND_CONCURRENCY": "2",
    "LOG_LEVEL": "WARNING",
    "TRACKING_BASE_URL": "http://localhost:9",
}
# A pace at which people answer within one step of the clock, behind the mail's own settling.
SANDBOX_PACE = "900"
POOL = 2
_STANDING = """
SELECT count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state <> ALL (%s)) FROM outreach_message
"""


def capped(cap: int) -> dict[str, str]:
    names = ("DAILY_CAP", "DAILY_CAP_START", "DAILY_CAP_PROVEN", "DAILY_CAP_CONSUMER", "DAILY_CAP_HARD")
    return {name: str(cap) for name in names}


class World(Run):
    """`up` starts the servers and makes this process a part of the product; `started` counts by name.

    `failing`: the workers' own failpoints are armed. `settings` stand before those of a soak of sending.
    """

    def __init__(
        self, data: Path, *, cap: int, failing: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data)
        self.settings = dict(settings or {})
        self.fired = data / "fired"
        self.failing = failing
        self.cap = cap
        self.workers: dict[str, Child] = {}
        self.beats: dict[str, Child] = {}
        self.started: Counter[str] = Counter()
        self.superuser = ""

    # --- servers ------------------------------------------------------------------------------
    def up(self) -> None:
        self.claim_folder(reset=True)
        ports = self.choose_ports(20_000 + os.getpid() % 20_000)
        url, self.redis_server = embedded.start_redis(self.logs)
        self.env = self.environment(ports) | SETTINGS | capped(self.cap) | self.settings | {"REDIS_URL": url}
        self.redis_client = redis.Redis.from_url(url)
        self.sandbox_port = ports["sandbox"]
        sandbox = self.spawn("sandbox", "-m", "mailbox.sandbox", DEBUG="true", SANDBOX_PACE=SANDBOX_PACE)
        owners, products = self.databases()
        self.superuser = owners["DATABASE_URL"].replace(f"//{embedded.OWNER}:", "//postgres:", 1)
        self._date_commits()
        self.env |= products
        for name in ("default", "keystore"):
            self.spawn(f"migrate-{name}", "manage.py", "migrate", "--database", name, **owners).finish(
                seconds=180
            )
        self.sql(history.SCHEMA)
        self.wait_for(sandbox, ports["sandbox"])
        self.wait_for(sandbox, ports["sandbox_tls"])
        # This process dies by itself: it carries no mark, or the end of the run would end it.
        os.environ.update({name: value for name, value in self.env.items() if name != MARK})

    @property
    def ledger(self) -> Path:
        return self.data / "sandbox" / "ledger.sqlite3"

    def ask(self, act: str, **wish: Any) -> Any:
        """The sandbox's control API. Raises RuntimeError for an answer that is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox_port, timeout=60)
        try:
            connection.request("POST", f"/_sandbox/{act}", json.dumps(wish))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"the sandbox answers {answer.status}: {body[:300]!r}")
        return json.loads(body)

    def sql(self, statements: str) -> None:
        connection = psycopg2.connect(self.superuser)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statements)
        finally:
            connection.close()

    def _date_commits(self) -> None:
        self.sql("ALTER SYSTEM SET track_commit_timestamp = on")
        self._restart_postgres()

    # --- workers ------------------------------------------------------------------------------
    def start_worker(self, name: str) -> None:
        self.workers[name] = self._fresh(
            name, "-m", "tests.soak.worker", "-A", "config.celery", "worker", "-P", "prefork",
            "-c", str(POOL), "-n", f"{name}-{self.started[name]}@%h",
            "--time-limit", str(int(pace.HARD_LIMIT)),
            "-l", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip

    def start_beat(self, name: str) -> None:
        self.beats[name] = self._fresh(
            name, "-m", "celery", "-A", "config.celery", "beat", "-l", "WARNING", "--pidfile", ""
        )

    def _fresh(self, name: str, *command: str) -> Child:
        self.started[name] += 1
        number = self.started[name]
        env = self.env | ({FIRED: str(self.fired)} if self.failing else {})
        return Child(f"{name}-{number}", [sys.executable, *command], env=env, cwd=ROOT, logs=self.logs)

    def is_up(self, name: str) -> bool:
        """Whether its pool is there: one that never gets so far tries nothing of the product."""
        return len(self.pool_of(name)) >= POOL

    def revive(self) -> int:
        """Start again what ended by itself, as an init system does; how many."""
        ended = [name for name, child in self.workers.items() if child.ended()]
        for name in ended:
            self.workers.pop(name).stop(seconds=0)
            self.start_worker(name)
        for name in [name for name, child in self.beats.items() if child.ended()]:
            self.beats.pop(name).stop(seconds=0)
            self.start_beat(name)
        return len(ended)

    def kill_worker(self, name: str) -> None:
        """The parent and its children, in one instant."""
        self._kill(self.workers.pop(name))

    def kill_beat(self, name: str) -> None:
        self._kill(self.beats.pop(name))

    def _kill(self, child: Child) -> None:
        child.signal(signal.SIGKILL)
        child.process.wait(30)

    def end_worker(self, name: str, *, seconds: float) -> None:
        """As a deploy ends it: a warm stop, then SIGKILL."""
        self.workers.pop(name).stop(seconds=seconds)

    def pool_of(self, name: str) -> list[int]:
        """The process ids of a worker's children."""
        return list(children_of(self.workers[name].process.pid))

    def forget_keys(self, mailbox: str) -> None:
        """The keys by which the second of two equal tasks sees that another is at work."""
        for key in self.redis_client.scan_iter(f"*only-one:*:{mailbox}", count=1000):
            self.redis_client.delete(key)

    # --- PostgreSQL ---------------------------------------------------------------------------
    def kill_postgres(self) -> None:
        """`kill -9` of the postmaster; back on the same port, behind its crash recovery."""
        pid = int((self._cluster / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        self._restart_postgres()

    @property
    def _cluster(self) -> Path:
        return embedded.cluster_home(self.data)

    def _restart_postgres(self) -> None:
        home, said = self._cluster, ""
        for _ in range(40):
            # The backends of the killed one hold its shared memory until they notice.
            done = embedded._run(
                embedded.postgres_bin() / "pg_ctl", "-D", home / "data", "-l", home / "log", "-w", "-t", "60",
                "-m", "fast", "restart",
            )  # fmt: skip
            if done.returncode == 0:
                return
            said = done.stdout
            time.sleep(0.25)
        raise RuntimeError(f"PostgreSQL does not come back: {said}")

    # --- the end ------------------------------------------------------------------------------
    def standing(self) -> tuple[int, int]:
        """How many mails are sent, and how many have no end yet."""
        with closing(psycopg2.connect(self.superuser)) as connection, connection.cursor() as cursor:
            cursor.execute(_STANDING, [list(FINAL)])
            sent, left = cursor.fetchone() or (0, 0)
        return int(sent), int(left)

    def clock(self) -> pace.Clock:
        return pace.Clock(
            database=self.superuser,
            ledger=self.ledger,
            redis_url=self.env["REDIS_URL"],
            advance_sandbox=lambda seconds: self.ask("clock", advance=seconds),
        )

    def halt_product(self) -> None:
        """Beats and workers end; what the database and the ledger say now is final."""
        for child in (*self.beats.values(), *self.workers.values()):
            child.signal(signal.SIGCONT)
            child.stop(seconds=pace.HARD_LIMIT + 4)
        self.beats.clear()
        self.workers.clear()

    def stop(self) -> None:
        self.halt_product()
        super().stop()
        if hasattr(self, "redis_server"):
            embedded.stop_redis(self.redis_server)
        embedded.remove_postgres(self.data)


def children_of(pid: int) -> Iterator[int]:
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, subprocess.SubprocessError):
        return
    yield from map(int, words)
