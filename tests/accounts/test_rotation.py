"""A rotation of all keys under a running campaign, with real processes that are killed (T12).

Two workers, a beat and this process, which asks for pages as a web server would, hold keys in memory while
`rotate_keys` changes them; workers and `rotate_keys` are killed at seeded instants and started again.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import clock
from accounts.encryption import forget_keys
from accounts.keyring import sealed_columns
from accounts.keyring.keystore import WorkspaceKey
from accounts.keyring.rotation import standing, wrapped_by
from accounts.models import User, Workspace
from accounts.tenancy import every_workspace, workspace
from config.processes import Child
from mailbox.models import Mailbox, Receipt
from outreach.models import Message, MessageState
from tests.mailbox.conftest import connected
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, open_ws, queue
from tests.roles import app_url

__all__ = ["connected", "open_ws", "queue"]

ROOT = Path(__file__).resolve().parents[2]
NEW = "k2:" + base64.b64encode(b"n" * 32).decode()
SEED = 12
MAILS = 12  # of each mailbox
FILLER = 2500
PATIENCE = 240.0  # seconds; a quarter of it on a machine that does nothing else
WORKER = ("-m", "celery", "-A", "config.celery", "worker", "-P", "threads", "-c", "4", "-l", "INFO",
          "--without-gossip", "--without-mingle", "--without-heartbeat")  # fmt: skip
BEAT = ("-m", "celery", "-A", "config.celery", "beat", "-l", "WARNING", "--pidfile", "")
ROTATE = ("manage.py", "rotate_keys")
# One refresh and one hard limit, and a little (accounts/keyring/key_checks.py).
PACE = {"KEY_REFRESH_SECONDS": "1", "KEY_GRACE_SECONDS": "7.5", "SEND_SPACING_SECONDS": "0.5"}


class House:
    """The processes of an installation, by name; each start has a log of its own."""

    def __init__(self, logs: Path, environment: dict[str, str]) -> None:
        self.logs, self.environment = logs, environment
        self.running: dict[str, Child] = {}
        self.started: Counter[str] = Counter()

    def start(self, name: str, command: tuple[str, ...]) -> Child:
        self.started[name] += 1
        child = Child(
            f"{name}-{self.started[name]}",
            [sys.executable, *command],
            env=self.environment,
            cwd=ROOT,
            logs=self.logs,
        )
        self.running[name] = child
        return child

    def kill(self, name: str) -> None:
        child = self.running.pop(name)
        child.signal(signal.SIGKILL)
        child.process.wait(10)

    def said(self) -> str:
        return "\n".join(log.read_text(errors="replace") for log in self.logs.iterdir())


@pytest.fixture
def house(tmp_path: Path, transactional_db: None) -> Iterator[House]:
    there = House(
        tmp_path,
        {
            **os.environ,
            **PACE,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": app_url("default"),
            "KEYSTORE_URL": app_url("keystore"),
            "KEYS": ",".join([NEW, *django_settings.KEYS]),
            "CELERY_BEAT_SCHEDULE_FILENAME": str(tmp_path / "beat"),
            "LOG_LEVEL": "INFO",
            "PYTHONUNBUFFERED": "1",
        },
    )
    yield there
    for child in there.running.values():
        child.stop(seconds=5)
    redis.Redis.from_url(django_settings.REDIS_URL).flushdb()


def read_everything() -> int:
    """Open every encrypted value of every workspace; how many there are. Raises Unreadable."""
    opened = 0
    for _ in every_workspace("read every value"):
        for model in sealed_columns.models_with_ciphertext():
            names = [field.name for field in sealed_columns.sealed_fields(model)]
            for row in model._default_manager.all():
                opened += sum(getattr(row, name) is not None for name in names)
    return opened


@pytest.mark.slow
def test_it_rotates_all_keys_under_a_running_campaign_with_kills(
    house: House,
    queue: Queue,
    providers: Running,
    open_ws: Workspace,
    stranger: User,
    owner: User,
    signed_in: Callable[[User], Client],
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing fails to open, nothing stands under an old key, each mail leaves once."""
    began = time.monotonic()
    dice = random.Random(SEED)
    for name in ("google", "microsoft"):
        queue(name, *[f"p{number}.silent@{name}{number}.example" for number in range(MAILS)])
    # Receipts of erasures that are over: nobody works on them, and their addresses are ciphertext.
    long_ago = clock.now() - dt.timedelta(days=2)
    over = {"provider": "google", "at": long_ago, "erased_at": long_ago}
    Receipt.objects.bulk_create([Receipt(address=f"p{n}@site.example", **over) for n in range(FILLER)])
    elsewhere = Workspace.objects.exclude(pk=open_ws.pk).get()
    with workspace(elsewhere):
        Receipt.objects.bulk_create([Receipt(address="ana@site.example", **over)])
    assert set(wrapped_by()) == {"test"}

    # This process is the web server: started before the rotation, never told of it.
    settings.KEYS = [NEW, *settings.KEYS]
    settings.KEY_REFRESH_SECONDS = 1.0
    forget_keys()
    browser = signed_in(owner)
    page = f"/w/{open_ws.slug}/mailboxes/{Mailbox.objects.first().pk}/"  # type: ignore[union-attr]

    house.start("one", WORKER)
    house.start("two", WORKER)
    house.start("beat", BEAT)
    rotation = house.start("rotate", ROTATE)
    kills = sorted(
        [(dice.uniform(3, 14), "rotate") for _ in range(4)]
        + [(dice.uniform(3, 20), name) for name in ("one", "two", "one", "two", "one")]
    )
    killed: Counter[str] = Counter()
    visits, since = 0, time.monotonic()
    while True:
        elapsed = time.monotonic() - since
        while kills and kills[0][0] < elapsed:
            _, name = kills.pop(0)
            if name == "rotate" and rotation.ended():
                continue
            house.kill(name)
            killed[name] += 1
            again = house.start(name, ROTATE if name == "rotate" else WORKER)
            rotation = again if name == "rotate" else rotation
        assert browser.get(page).status_code == 200
        visits += 1
        unsent = Message.objects.exclude(state=MessageState.SENT).count()
        if rotation.ended() and not kills and not unsent:
            break
        assert elapsed < PATIENCE, f"{unsent} mails are left\n{house.said()[-6000:]}"
        time.sleep(0.2)

    said = house.said()
    failed = re.findall(r"Unreadable|does not open|no data key", said)
    assert rotation.process.returncode == 0, said[-4000:]
    forget_keys()
    opened = read_everything()
    old_rows = sum(
        count for here in standing() for version, count in here.values.items() if version != here.newest
    )
    wrapped = wrapped_by()
    mails = Counter(entry["to"][0] for entry in providers.get("ledger"))
    with capsys.disabled():
        print(  # noqa: T201  (the figures of the run)
            f"\nrotation, seed {SEED}: {sum(killed.values())} kills ({dict(killed)}), {visits} page visits, "
            f"{opened} values opened, {len(failed)} did not open, {old_rows} under an old version, "
            f"{wrapped.total() - wrapped['k2']} keys under the old wrapping key, "
            f"{len(mails)} mails sent, {mails.total() - len(mails)} twice, "
            f"{time.monotonic() - began:.0f} s"
        )
    assert failed == []
    assert opened > FILLER
    assert old_rows == 0
    assert set(wrapped) == {"k2"}
    assert {here.versions for here in standing()} == {(2,)}
    assert not WorkspaceKey.objects.filter(purpose="data", version=1).exists()
    assert len(mails) == MAILS * 2
    assert set(mails.values()) == {1}
    assert killed["rotate"] >= 2
    assert killed["one"] + killed["two"] == 5
