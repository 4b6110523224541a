"""`make run`: the whole product on one machine, beside a sandbox that stands in for Google and Microsoft.

Everything lies in one data folder (`.run/`): secrets made at the first start, the database, the sandbox's
ledger, logs. Ctrl-C stops all of it; a second start finds its data again; `RESET=1` starts afresh.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO, Any

from config import embedded
from config.processes import MARK, Child, StartFailed, end_marked, tail

ROOT = Path(__file__).resolve().parent.parent
PORTS = {"web": 8000, "sandbox": 8801, "sandbox_tls": 8901}

# Short waits, so that a newcomer sees opens, replies and a bounce within a minute. They keep the order
# deadline < hard limit < lease < settle. Whoever sets one of them in the environment is obeyed.
PACE = {
    "DAY_SECONDS": "20",
    "SEND_SPACING_SECONDS": "0.5",
    "SEND_SPACING_JITTER": "0",
    "WAKE_SECONDS": "1",
    "POLL_SECONDS": "2",
    "POLL_IDLE_SECONDS": "10",
    "HTTP_DEADLINE_SECONDS": "4",
    "WORKER_HARD_LIMIT_SECONDS": "6",
    "LEASE_SECONDS": "8",
    "SETTLE_SECONDS": "12",
    "SCANNER_SECONDS": "1",
    "DAILY_CAP": "400",
    "DAILY_CAP_START": "400",
    "DAILY_CAP_CONSUMER": "400",
    "SANDBOX_PACE": "3",
}


# The demo's mailboxes: sandbox accounts that have already agreed, with private mail that nobody may read.
DEMO_MAILBOXES = (
    {"provider": "google", "email": "mira@fernhill.example", "name": "Mira Dahl"},
    {"provider": "microsoft", "email": "joren@fernhill.example", "name": "Joren Vik"},
)


class Stopped(Exception):
    """A person, or the machine, asked the run to end."""


def say(text: str) -> None:
    print(text, flush=True)


class Run:
    """One run: `start` brings everything up, `watch` waits, `stop` leaves nothing behind."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.logs = data / "logs"
        self.children: list[Child] = []
        self.lock: IO[str] | None = None
        self.reaper: subprocess.Popen[bytes] | None = None
        self.env: dict[str, str] = {}
        self.url = ""

    # --- the data folder ----------------------------------------------------------------------
    def claim_folder(self, *, reset: bool) -> None:
        """Make or open the data folder, alone. Raises StartFailed."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            # Root's PostgreSQL runs as nobody and must be able to pass through; the files stay closed.
            self.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
            lock = (self.data / "lock").open("a+")
        except PermissionError as refused:
            raise StartFailed(
                f"{self.data} belongs to another user ({refused.strerror}). "
                "Delete it, or start as the user who made it."
            ) from refused
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise StartFailed(
                f"Outreach is already running from {self.data}. Stop it with Ctrl-C there."
            ) from busy
        self.lock = lock
        left = end_marked(self.data)
        if left:
            say(f"Ended {left} processes that an interrupted run had left behind.")
        if reset or not (self.data / "env").exists():
            embedded.remove_postgres(self.data)
            for entry in self.data.iterdir():
                if entry.name != "lock":
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.rmtree(self.logs, ignore_errors=True)
        for folder in (self.logs, self.data / "sandbox"):
            folder.mkdir(mode=0o700, exist_ok=True)

    def secrets(self) -> dict[str, str]:
        """The secrets of this data folder, made at its first start."""
        path = self.data / "env"
        if not path.exists():
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(f"SECRET_KEY={secrets.token_urlsafe(48)}\nKEYS=k1:{key}\n")
            draft.rename(path)
        lines = (line.partition("=") for line in path.read_text().splitlines())
        # A folder of an earlier version calls the keys by their old name.
        return {{"OUTREACH_KEKS": "KEYS"}.get(name, name): value for name, _, value in lines if name}

    # --- bringing it up -------------------------------------------------------------------------
    def choose_ports(self, wanted: int) -> dict[str, int]:
        """The wanted ports, each replaced by the next free one where it is taken, and said so."""
        wishes = {"web": wanted, "sandbox": PORTS["sandbox"], "sandbox_tls": PORTS["sandbox_tls"]}
        if wanted != PORTS["web"]:  # a second copy beside the first: keep its ports together
            wishes |= {"sandbox": wanted + 1, "sandbox_tls": wanted + 2}
        chosen: dict[str, int] = {}
        for name, port in wishes.items():
            chosen[name] = embedded.free_port(port, avoid=tuple(chosen.values()))
            if chosen[name] != port:
                say(f"Port {port} ({name}) is taken; using {chosen[name]}.")
        return chosen

    def environment(self, ports: dict[str, int]) -> dict[str, str]:
        """What every child gets: the person's environment, the secrets, the wiring."""
        self.url = f"http://localhost:{ports['web']}"
        return {
            **PACE,
            **os.environ,
            **self.secrets(),
            **embedded.sandbox_environment(ports["sandbox"], ports["sandbox_tls"], self.data / "sandbox"),
            MARK: str(self.data),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "false",
            "OUTREACH_DEMO": "true",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "PUBLIC_BASE_URL": self.url,
            "TRACKING_BASE_URL": self.url,
            "NOTIFICATION_BASE_URL": self.url,
            # What an operator enters at Google's Pub/Sub.
            "GOOGLE_PUSH_TOPIC": "projects/sandbox/topics/mail",
            "GOOGLE_PUSH_ACCOUNT": "push@sandbox.iam.gserviceaccount.com",
            "PUBSUB_AUDIENCE": f"{self.url}/hooks/google/",
            "SANDBOX_PUSH_AUDIENCE": f"{self.url}/hooks/google/",
            "SANDBOX_PUSH_ENDPOINT": f"{self.url}/hooks/google/",
            "EMAIL_BACKEND": "accounts.mail.StoredMailBackend",
            "STATIC_ROOT": str(self.data / "static"),
            "CELERY_BEAT_SCHEDULE_FILENAME": str(self.data / "beat"),
            "PYTHONUNBUFFERED": "1",
            # Threads that each keep memory of their own for later make a worker a third larger.
            "MALLOC_ARENA_MAX": "2",
        }

    def databases(self) -> tuple[dict[str, str], dict[str, str]]:
        """DATABASE_URL and KEYSTORE_URL, the owner's and the product's: the environment's, else our server's.

        Only `migrate` is given the owner's. Raises StartFailed.
        """
        names = ("DATABASE_URL", "KEYSTORE_URL")
        if os.environ.get("DATABASE_URL"):
            if not os.environ.get("KEYSTORE_URL"):
                raise StartFailed(
                    "DATABASE_URL is set and KEYSTORE_URL is not: the keys need a database of their own"
                )
            if missing := [f"OWNER_{name}" for name in names if not os.environ.get(f"OWNER_{name}")]:
                raise StartFailed(
                    f"DATABASE_URL is set and {' and '.join(missing)} not: the tables belong to another role "
                    "than the one that the product connects as (docs/operating.md, Roles)"
                )
            return {name: os.environ[f"OWNER_{name}"] for name in names}, {}
        self.reaper = embedded.reap_postgres_with_me(self.data, remove=False)
        server = embedded.start_postgres(self.data)
        owners, products = (
            {
                name: server.url(database, role=role)
                for name, database in zip(names, embedded.DATABASES, strict=True)
            }
            for role in (embedded.OWNER, embedded.APP)
        )
        return owners, {**products, "DATABASE_ROLE": embedded.APP}

    def spawn(self, name: str, *command: str, **more: str) -> Child:
        child = Child(name, [sys.executable, *command], env=self.env | more, cwd=ROOT, logs=self.logs)
        self.children.append(child)
        return child

    def wait_for(self, child: Child, port: int) -> None:
        embedded.wait_for_port(port, process=child.process, log=child.log, seconds=60)

    def redis(self) -> None:
        """REDIS_URL when it is set, else a stand-in: PostgreSQL is the truth, Redis only rings the bell."""
        if os.environ.get("REDIS_URL"):
            return
        port = embedded.free_port()
        self.env["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        self.wait_for(self.spawn("redis", "-m", "config.embedded", "redis", str(port)), port)

    def start(self, wanted: int) -> None:
        """Everything up, in the order in which one needs the other. Raises StartFailed, EmbeddedError."""
        ports = self.choose_ports(wanted)
        self.env = self.environment(ports)
        say("Starting the database and the sandbox …")
        sandbox = self.spawn("sandbox", "-m", "mailbox.sandbox", DEBUG="true")
        owners, products = self.databases()
        self.env |= products
        self.redis()
        say("Preparing the data …")
        static = self.spawn("collectstatic", "manage.py", "collectstatic", "--noinput")
        # Side by side: most of it is Django's own reckoning, a quarter of a minute of a slow core for each.
        migrations = [
            self.spawn(f"migrate-{name}", "manage.py", "migrate", "--database", name, **owners)
            for name in ("default", "keystore")
        ]
        for migrate in migrations:
            migrate.finish(seconds=120)
        self.wait_for(sandbox, ports["sandbox"])
        self.wait_for(sandbox, ports["sandbox_tls"])
        demo = self.demo(ports["sandbox"])
        static.finish(seconds=120)
        say("Starting the web server and the workers …")
        web = self.spawn(
            "web", "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{ports['web']}",
            "--workers", "1", "--threads", "8", "--worker-class", "gthread", "--access-logfile", "-",
            "--logger-class", "config.logs.AccessLog",
            "--worker-tmp-dir", str(self.data), "--no-control-socket",
        )  # fmt: skip
        self.spawn("worker", "-m", "celery", "-A", "config.celery", "worker", "-P", "threads", "-c", "8",
                   "-l", "INFO", "--without-gossip", "--without-mingle")  # fmt: skip
        self.spawn("beat", "-m", "celery", "-A", "config.celery", "beat", "-l", "WARNING",
                   "--pidfile", "")  # fmt: skip
        self.wait_for(web, ports["web"])
        self.wait_for_page(web, ports["web"])
        self.children = [child for child in self.children if not child.ended() or child in (web, sandbox)]
        self.announce(demo)

    def demo(self, sandbox_port: int) -> str:
        """Make the demo's data once; says who can sign in."""
        made = self.data / "demo-made"
        grants = self.data / "grants.json"
        more = []
        if not made.exists():
            grants.touch(mode=0o600)
            grants.write_text(json.dumps([_grant(sandbox_port, wish) for wish in DEMO_MAILBOXES]))
            more = ["--grants", str(grants)]
        said = self.spawn("demo", "manage.py", "demo", *more).finish(seconds=120)
        grants.unlink(missing_ok=True)
        made.touch()
        return said

    def wait_for_page(self, web: Child, port: int) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not web.ended():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/accounts/login/")
                status = connection.getresponse().status
            except OSError:
                time.sleep(0.2)
                continue
            finally:
                connection.close()
            if status != 200:
                raise StartFailed(f"the sign-in page answers {status}\n{tail(web.log)}")
            return
        raise StartFailed(f"the web server does not answer\n{tail(web.log)}")

    def announce(self, demo: str) -> None:
        lines = [line for line in demo.splitlines() if line.startswith("{")]
        signins = json.loads(lines[-1])["signins"] if lines else []
        say(f"\nOutreach runs at {self.url}/\n")
        for who in signins:
            say(f"  {who['role']:<10} {who['email']:<28} {who['password']}")
        say(f"\n  service mail  {self.url}/mail/\n  logs          {self.logs}\n\nCtrl-C stops everything.")

    # --- until the end --------------------------------------------------------------------------
    def watch(self) -> None:
        """Wait until somebody stops the run. Raises StartFailed when a child ends by itself."""
        while True:
            for child in self.children:
                if child.ended():
                    raise StartFailed(f"{child.name} ended by itself\n{tail(child.log)}")
            time.sleep(0.5)

    def stop(self) -> None:
        """End every child, then the database."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
        for child in reversed(self.children):
            child.stop(seconds=10)
        if self.reaper is not None:
            self.reaper.communicate()
        if self.lock is not None:
            end_marked(self.data)
            self.lock.close()


def _grant(sandbox_port: int, wish: dict[str, str]) -> dict[str, Any]:
    """What a consent at the sandbox would have given for this account. Raises StartFailed."""
    answer: dict[str, Any] = {}
    for act, more in (("accounts", {"private_mails": 40}), ("grant", {})):
        connection = http.client.HTTPConnection("127.0.0.1", sandbox_port, timeout=30)
        try:
            connection.request("POST", f"/_sandbox/{act}", json.dumps({**wish, **more}))
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise StartFailed(f"the sandbox answers {response.status}: {body.decode(errors='replace')[:500]}")
        answer = json.loads(body)
    return {**answer, **wish}


def _stopped(number: int, frame: FrameType | None) -> None:
    raise Stopped


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.run", description=__doc__)
    parser.add_argument("--reset", action="store_true", help="delete the data folder and start afresh")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or PORTS["web"]))
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("OUTREACH_DATA") or ROOT / ".run"))
    asked = parser.parse_args()
    run = Run(asked.data.resolve())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stopped)
    code = 0
    try:
        run.claim_folder(reset=asked.reset)
        run.start(asked.port)
        run.watch()
    except Stopped:
        say("\nStopping …")
    except (StartFailed, embedded.EmbeddedError) as problem:
        print(f"\nOutreach cannot run: {problem}", file=sys.stderr, flush=True)
        code = 1
    finally:
        # A second Ctrl-C must not leave half of it running.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(ProcessLookupError):
            run.stop()
    if code == 0:
        say("Everything is stopped; the data is kept.")
    return code


if __name__ == "__main__":
    sys.exit(main())
