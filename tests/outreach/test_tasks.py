"""The wake-ups: lost, doubled or side by side, the work is done once and from the database alone."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import connection, connections

from accounts.bells import ring
from accounts.models import Workspace
from accounts.tenancy import NoWorkspace
from config.celery import app
from mailbox.models import Mailbox, MailboxState
from outreach import tasks
from outreach.models import Message, MessageState
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
Later = Callable[..., None]
TWELVE = [f"p{number}.silent@site{number}.example" for number in range(12)]


def until_idle(ws: Workspace, later: Later) -> None:
    """Turns of one worker, each of which has a second or two, until nothing is left."""
    for _ in range(20):
        tasks.send_batch(*ids(ws))
        if not Message.objects.exclude(state=MessageState.SENT).exists():
            return
        later(seconds=15)
        # On a busy machine an answer may come too late: that is what settling is for.
        tasks.settle_mailbox(*ids(ws))
    waiting = Message.objects.exclude(state=MessageState.SENT)
    pytest.fail(f"left: {[(row.state, row.reason, row.detail, row.attempt_no) for row in waiting]}")


def ids(ws: Workspace) -> tuple[str, str]:
    return str(ws.pk), str(Mailbox.objects.get().pk)


@BOTH
def test_it_sends_a_whole_batch_once(
    queue: Queue, providers: Running, provider: str, open_ws: Workspace, later: Later
) -> None:
    queue(provider, *TWELVE)
    assert tasks.send_batch(*ids(open_ws)) > 1
    until_idle(open_ws, later)
    assert tasks.send_batch(*ids(open_ws)) == 0
    assert sorted(entry["to"][0] for entry in providers.get("ledger")) == sorted(TWELVE)
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.SENT}


@BOTH
def test_it_does_the_work_once_for_five_copies_of_a_task(
    queue: Queue, providers: Running, provider: str, open_ws: Workspace, later: Later
) -> None:
    """F17, F19: also without the help of the key in Redis, since the copies take turns with it."""
    queue(provider, *TWELVE)
    arguments = ids(open_ws)

    def run() -> None:
        try:
            tasks.send_batch(*arguments)
        finally:
            connections.close_all()

    copies = [threading.Thread(target=run) for _ in range(5)]
    for copy in copies:
        copy.start()
    for copy in copies:
        copy.join()
    until_idle(open_ws, later)
    assert sorted(entry["to"][0] for entry in providers.get("ledger")) == sorted(TWELVE)


def test_it_needs_nothing_that_redis_holds(
    queue: Queue, providers: Running, at_once: None, open_ws: Workspace, later: Callable[..., None]
) -> None:
    """F16: everything is flushed between two wake-ups."""
    queue("google", *TWELVE[:3])
    app.conf.task_always_eager = False
    tasks.wake_senders()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()  # the other workers have theirs
    assert providers.get("ledger") == []
    app.conf.task_always_eager = True
    until_idle(open_ws, later)
    assert len(providers.get("ledger")) == 3


def test_it_keeps_content_out_of_redis(queue: Queue, providers: Running, open_ws: Workspace) -> None:
    """Ids only (threats T39)."""
    queue("google", "canary.silent@secret.example")
    server = redis.Redis.from_url(settings.REDIS_URL)
    server.flushdb()
    tasks.wake_senders()
    keys: list[bytes] = server.keys("*")  # type: ignore[assignment]
    entries: list[bytes] = []
    for key in keys:
        if server.type(key) == b"list":
            entries += server.lrange(key.decode(), 0, -1)  # type: ignore[arg-type]
    held = b"".join(entries + [base64.b64decode(json.loads(one)["body"]) for one in entries])
    assert str(open_ws.pk).encode() in held
    assert b"canary" not in held
    assert b"secret.example" not in held
    server.flushdb()


def test_it_survives_a_redis_that_does_not_answer(in_ws: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """The door is shut: nobody listens at this address."""
    deaf = Celery("deaf", broker="redis://127.0.0.1:1/0", set_as_current=False)
    deaf.conf.broker_transport_options = {"max_retries": 0}
    deaf.conf.task_publish_retry = False

    @deaf.task(name="deaf.poll")
    def poll(*_: str) -> None: ...

    assert not ring(poll, str(in_ws.pk))
    assert "Redis does not answer" in caplog.text


def test_it_lets_the_rest_go_when_one_mail_cannot_be_worked_on(
    queue: Queue, providers: Running, open_ws: Workspace, later: Later, caplog: pytest.LogCaptureFixture
) -> None:
    """F23: a ciphertext of another row does not open; three tries, then it is out of the way."""
    rows = queue("google", *TWELVE[:4])
    poison, other = rows[1], rows[2]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outreach_message SET text = (SELECT text FROM outreach_message WHERE id = %s)"
            " WHERE id = %s",
            [other.pk, poison.pk],
        )
    for _ in range(4):
        tasks.send_batch(*ids(open_ws))
        later(minutes=5)
    assert len(providers.get("ledger")) == 3
    poison = Message.objects.only("state", "reason").get(pk=poison.pk)
    assert (poison.state, poison.reason) == (MessageState.REFUSED, "quarantined")


def test_it_leaves_a_throttled_mailbox_alone_until_its_time(
    queue: Queue, providers: Running, open_ws: Workspace, later: Later
) -> None:
    """F6: others run, this one is not called."""
    queue("google", *TWELVE[:3])
    providers.post("faults", mailbox="*", op="any", kind="throttle", retry_after="120", times=1)
    tasks.send_batch(*ids(open_ws))
    assert Mailbox.objects.get().state == MailboxState.THROTTLED
    calls = len(providers.get("calls"))
    tasks.send_batch(*ids(open_ws))
    tasks.poll_mailbox(*ids(open_ws))
    assert len(providers.get("calls")) == calls
    later(seconds=3600)
    until_idle(open_ws, later)
    assert len(providers.get("ledger")) == 3
    assert Mailbox.objects.get().state == MailboxState.CONNECTED


def test_it_says_why_mails_wait_at_the_cap(queue: Queue, providers: Running, open_ws: Workspace) -> None:
    queue("google", *TWELVE[:3])
    Mailbox.objects.update(daily_cap=2)
    tasks.send_batch(*ids(open_ws))
    tasks.send_batch(*ids(open_ws))
    assert len(providers.get("ledger")) == 2
    assert Message.objects.exclude(state=MessageState.SENT).get().reason == "cap_reached"


def test_it_sends_one_mail_for_each_gap(
    queue: Queue, providers: Running, open_ws: Workspace, later: Later, settings: object
) -> None:
    settings.SEND_SPACING_SECONDS = 60.0  # type: ignore[attr-defined]
    queue("google", *TWELVE[:3])
    for wanted in (1, 2, 3):
        tasks.send_batch(*ids(open_ws))
        tasks.send_batch(*ids(open_ws))
        assert len(providers.get("ledger")) == wanted
        later(seconds=61)


def test_it_opens_no_workspace_by_accident(db: None) -> None:
    with pytest.raises(NoWorkspace):
        Message.objects.exists()


def test_it_forgets_a_mailbox_that_is_gone(in_ws: Workspace) -> None:
    gone = str(uuid.uuid4())
    for task in (tasks.send_batch, tasks.settle_mailbox, tasks.poll_mailbox, tasks.sweep_mailbox):
        assert not task(str(in_ws.pk), gone)


def test_it_names_a_task_for_every_wake_up() -> None:
    # As a worker does when it starts; here other tests may have loaded them, or not.
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_it_begins_no_mailbox_that_its_time_does_not_reach(
    in_ws: Workspace, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several mailboxes in a message, each with a look at its inbox: the worker would be cut off in one."""
    settings.WORKER_HARD_LIMIT_SECONDS = 0.4  # type: ignore[attr-defined]
    begun: list[str] = []

    def slow(mailbox_id: str, began: float) -> int:
        begun.append(mailbox_id)
        time.sleep(0.15)
        return 1

    monkeypatch.setattr(tasks, "_send_of", slow)
    assert tasks.send_batch(str(in_ws.pk), "one", "two", "three") == 1
    assert begun == ["one"]
