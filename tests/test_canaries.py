"""What the promises call encrypted stands nowhere in the clear: dumped databases, all of Redis (T11, T39)."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections
from django.test import Client

from accounts.models import User, Workspace
from config.celery import app
from config.embedded import postgres_bin
from mailbox.models import Credential, Mailbox
from outreach import tasks
from outreach.models import Contact, Message, Project, Reply, Thread
from outreach.models.contacts import address_index
from outreach.pipeline import compose
from tests.factories import make_campaign, make_contact, make_enrollment
from tests.mailbox.consenting import connect
from tests.mailbox.sandbox.conftest import Running

SUBJECT, BODY, REPLY = "Zanzibarine subject", "quixotrope body", "obnubilated reply"
PERSON, FIRST, ADDRESS = "Xylandra Vortigern", "Xylandra", "canary.silent@plumbago.example"
MAILBOX = "sender-canary@fernhill.example"


def dumped() -> bytes:
    """Both databases as pg_dump writes them."""
    found = b""
    for alias in ("default", "keystore"):
        at = connections[alias].settings_dict
        found += subprocess.run(
            [
                postgres_bin() / "pg_dump",
                "--inserts",
                "-h",
                at["HOST"],
                "-p",
                str(at["PORT"]),
                "-U",
                at["USER"],
                at["NAME"],
            ],
            env={**os.environ, "PGPASSWORD": at["PASSWORD"]},
            capture_output=True,
            check=True,
        ).stdout
    return found


def kept_in_redis() -> bytes:
    """Every key and value of the broker and the cache."""
    client: Any = redis.Redis.from_url(settings.REDIS_URL)
    found = b""
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        found += bytes(key) + b"\n"
        if kind == b"string":
            found += bytes(client.get(key) or b"")
        elif kind == b"list":
            found += b"\n".join(client.lrange(key, 0, -1))
        elif kind == b"hash":
            found += b"\n".join(part for pair in client.hgetall(key).items() for part in pair)
        elif kind in (b"set", b"zset"):
            found += b"\n".join(client.smembers(key) if kind == b"set" else client.zrange(key, 0, -1))
    return found


def shapes(canary: str) -> Iterable[bytes]:
    """A text as it may stand in a dump or in the broker: plain, hexadecimal, base64 at any offset."""
    raw = canary.encode()
    yield raw
    yield raw.hex().encode()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw)
        yield whole[4 if offset else 0 : len(whole) // 4 * 4 - 4]


def found_in(haystack: bytes, canaries: dict[str, str]) -> list[str]:
    return [name for name, text in canaries.items() if any(shape in haystack for shape in shapes(text))]


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_keeps_every_canary_out_of_the_dump_and_of_redis(
    provider: str,
    transactional_db: None,
    in_ws: Workspace,
    owner: User,
    providers: Running,
    signed_in: object,
) -> None:
    client = Client()
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    providers.post("accounts", provider=provider, email=MAILBOX, name="Sender")
    connect(client, in_ws, provider, MAILBOX)
    box = Mailbox.objects.get()
    campaign = make_campaign(mailbox=box, steps=[(SUBJECT, f"<p>Hello {{{{ first_name }}}}, {BODY}.</p>")])
    make_enrollment(campaign, make_contact(ADDRESS, name=PERSON, first_name=FIRST))
    compose.launch(campaign, actor=owner)
    redis.Redis.from_url(settings.REDIS_URL).flushdb()

    # Once through the broker, so that what it is handed can be looked at, and once at work.
    for wake in (tasks.wake_queue, tasks.wake_senders, tasks.wake_pollers):
        wake()
    broker = kept_in_redis()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()  # what was rung would not ring again
    assert str(in_ws.pk).encode() in broker, "no task was handed to the broker: the look would prove nothing"

    def sent() -> list[dict[str, Any]]:
        for wake in (tasks.wake_queue, tasks.wake_senders, tasks.wake_pollers):
            wake()
        found: list[dict[str, Any]] = providers.get("ledger")
        return found

    app.conf.task_always_eager = True
    try:
        # A busy machine may spend a batch's whole time before the first call: more than one wake-up then.
        (entry,) = providers.wait(sent, seconds=30)
        answer = EmailMessage(policy=SMTP)
        answer["From"], answer["To"], answer["Subject"] = f"{PERSON} <{ADDRESS}>", MAILBOX, f"Re: {SUBJECT}"
        answer["In-Reply-To"] = answer["References"] = entry["message_id"]
        answer["Message-ID"] = "<canary-inbound-id@plumbago.example>"
        answer.set_content(f"{REPLY}\n\n> {BODY}")
        raw = base64.b64encode(answer.as_bytes()).decode()
        providers.post("inbound", provider=provider, email=MAILBOX, raw=raw, thread=entry["thread"])
        Mailbox.objects.update(next_poll_at=None, last_poll_at=None, poll_lease_until=None)
        tasks.wake_pollers()
    finally:
        app.conf.task_always_eager = False

    message, reply, thread, secret = (
        Message.objects.get(), Reply.objects.get(), Thread.objects.get(), Credential.objects.get()
    )  # fmt: skip
    assert reply.text.strip() == REPLY
    canaries = {
        "subject": SUBJECT,
        "body": BODY,
        "reply": REPLY,
        "person": PERSON,
        "first name": FIRST,
        "recipient": ADDRESS,
        "sender": MAILBOX,
        "token": secret.secret[-60:-4],
        "access token": secret.access_token or "",
        "draft id": message.draft_id or "",
        "sent id": message.provider_id or "",
        "Message-ID": (message.rfc_message_id or "").strip("<>"),
        "thread id": thread.provider_thread_id or "",
        "reply id": reply.provider_id,
        "reply Message-ID": reply.rfc_message_id.strip("<>"),
    }
    assert {name for name, text in canaries.items() if len(text) < 6} == set()
    dump = dumped()
    assert str(message.pk).encode() in dump
    assert found_in(dump, canaries) == []
    assert found_in(broker + kept_in_redis(), canaries) == []


def test_it_notices_a_planted_canary(transactional_db: None, in_ws: Workspace) -> None:
    Project.objects.create(name=BODY)
    Contact.objects.create(address=ADDRESS, address_index=address_index(ADDRESS), fields={"note": PERSON})
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.lpush("planted", base64.b64encode(b"x" + REPLY.encode()))
    try:
        canaries = {"body": BODY, "person": PERSON, "recipient": ADDRESS, "reply": REPLY}
        assert found_in(dumped(), canaries) == ["body", "person"]
        assert found_in(kept_in_redis(), canaries) == ["reply"]
    finally:
        client.delete("planted")
