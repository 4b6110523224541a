"""Pushes are hints: what they make happen, and what a forged one does not (T23)."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts import clock
from accounts.models import Workspace
from mailbox import turns, watches
from mailbox.models import Mailbox, PushRoute
from mailbox.providers import push_tokens
from mailbox.revocation import revoke
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.test_forged_tasks import everything

Connected = Callable[..., Mailbox]
BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
AUDIENCE = "https://outreach.example/hooks/google/"
PUSHER = "push@sandbox.iam.gserviceaccount.com"
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _alone() -> None:
    cache.clear()
    push_tokens.KEYS.forget()


@pytest.fixture
def told(transactional_db: None, providers: Running, live_server: LiveServer, settings: Settings) -> Running:
    """The sandbox tells this process of new mail, as the providers would tell an installation."""
    settings.GOOGLE_PUSH_TOPIC, settings.GOOGLE_PUSH_ACCOUNT = "projects/p/topics/t", PUSHER
    settings.PUBSUB_AUDIENCE = AUDIENCE
    settings.NOTIFICATION_BASE_URL = live_server.url
    providers.post("push_to", endpoint=f"{live_server.url}/hooks/google/", audience=AUDIENCE)
    return providers


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("accounts.bells._start", lambda task, ids: sent.append((task.name, *ids)))
    return sent


def watched(connected: Connected, provider: str) -> Mailbox:
    box = connected(provider)
    watches.begin(box)
    assert watches.renew(box)
    Mailbox.objects.update(next_poll_at=clock.now() + HOUR)
    box.refresh_from_db()
    return box


def pushed(providers: Running, wanted: int = 1) -> list[dict[str, Any]]:
    return list(providers.wait(lambda: len(found := providers.get("pushes")) >= wanted and found))


@BOTH
def test_it_looks_at_once_behind_a_push(
    told: Running, connected: Connected, in_ws: Workspace, provider: str, rung: list[tuple[str, ...]]
) -> None:
    box = watched(connected, provider)
    assert turns.due(most=9) == []
    told.post("inbound", email=box.address, subject="Hello", text="you")
    assert {one["outcome"] for one in pushed(told)} == {"204" if provider == "google" else "202"}
    assert turns.due(most=9) == [(in_ws.pk, box.pk)]
    assert rung == [("outreach.poll_mailbox", str(in_ws.pk), str(box.pk))]


@BOTH
def test_it_bears_pushes_that_are_doubled_late_and_shuffled(
    told: Running, connected: Connected, in_ws: Workspace, provider: str, rung: list[tuple[str, ...]]
) -> None:
    """F31. One bell is enough for all of them."""
    box = watched(connected, provider)
    told.post("settings", push_double=1, push_shuffle=0.5, push_delay=0.1)
    for number in range(4):
        told.post("inbound", email=box.address, subject=f"Hello {number}", text="you")
    assert len(pushed(told, 8)) == 8
    assert len(rung) == 1


def test_it_loses_nothing_of_the_sandbox_that_drops(told: Running, connected: Connected) -> None:
    box = watched(connected, "google")
    told.post("settings", push_drop=1)
    told.post("inbound", email=box.address, subject="Hello", text="you")
    assert [one["outcome"] for one in pushed(told)] == ["dropped"]
    assert turns.due(most=9) == []


@BOTH
def test_it_tells_nobody_behind_the_bin(
    told: Running, connected: Connected, in_ws: Workspace, provider: str, rung: list[tuple[str, ...]]
) -> None:
    """What was promised lapses by itself; a push that still comes meets the same answer and nobody."""
    box = watched(connected, provider)
    revoke(box, actor=None, how="by a test")
    assert not PushRoute.objects.exists()
    assert Mailbox.objects.get().watch_id is None
    rung.clear()
    calls = len(told.get("calls"))
    told.post("inbound", email=box.address, subject="Hello", text="you")
    assert {one["outcome"] for one in pushed(told)} == {"204" if provider == "google" else "202"}
    assert rung == []
    assert [one["op"] for one in told.get("calls")[calls:] if one["op"] not in ("revoke", "page")] == []
    assert not watches.renew(Mailbox.objects.get())


# --- forged ----------------------------------------------------------------------------------------------


def told_of(address: str) -> dict[str, Any]:
    data = base64.b64encode(json.dumps({"emailAddress": address, "historyId": 1}).encode()).decode()
    return {"message": {"data": data, "messageId": "1"}, "subscription": "s"}


def post(provider: str, body: object, *, token: str = "", query: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = Client().post(
        f"/hooks/{provider}/{query}", json.dumps(body), content_type="application/json", headers=headers
    )
    return int(answer.status_code)


def claims(**other: object) -> dict[str, Any]:
    now = int(time.time())
    right: dict[str, Any] = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": PUSHER,
        "email_verified": True,
        "iat": now,
        "exp": now + 600,
    }
    return {name: value for name, value in {**right, **other}.items() if value is not None}


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[..., str]:
    """Tokens as Google signs them, by a key of the test."""
    settings.PUBSUB_AUDIENCE, settings.GOOGLE_PUSH_ACCOUNT = AUDIENCE, PUSHER
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    monkeypatch.setattr(push_tokens.KEYS, "of", lambda kid: key.public_key() if kid == "google-1" else None)

    def sign(*, kid: str = "google-1", by: Any = None, **other: object) -> str:
        return jwt.encode(claims(**other), by or key, algorithm="RS256", headers={"kid": kid})

    return sign


@pytest.fixture
def known(transactional_db: None, in_ws: Workspace) -> Mailbox:
    """A mailbox that pushes find, of each provider's kind."""
    from tests.factories import make_mailbox

    box = make_mailbox(address="mira@fernhill.example", next_poll_at=clock.now() + HOUR)
    PushRoute.objects.create(
        id=box.pk, workspace=in_ws, route=watches.route_of("google", box.address), renew_at=clock.now() + HOUR
    )
    other = make_mailbox("microsoft", address="joren@fernhill.example", next_poll_at=clock.now() + HOUR)
    PushRoute.objects.create(
        id=other.pk,
        workspace=in_ws,
        route=watches.route_of("microsoft", "sub-1"),
        proof=watches._digest("our-secret"),
        renew_at=clock.now() + HOUR,
    )
    return box


def test_it_believes_what_google_signed_for_us(
    known: Mailbox, signing: Callable[..., str], rung: list[tuple[str, ...]]
) -> None:
    assert post("google", told_of("Mira@Fernhill.example"), token=signing()) == 204
    assert [one[2] for one in rung] == [str(known.pk)]


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FORGED: dict[str, dict[str, Any]] = {
    "by another key": {"by": OTHER_KEY},
    "by a key that nobody published": {"kid": "other"},
    "for another audience": {"aud": "https://elsewhere.example/"},
    "by another issuer": {"iss": "https://accounts.elsewhere.example"},
    "by another account": {"email": "somebody@gmail.com"},
    "of an address that is not verified": {"email_verified": False},
    "too old": {"exp": int(time.time()) - 7200, "iat": int(time.time()) - 10_000},
    "without an end": {"exp": None},
    "without an account": {"email": None},
}


@pytest.mark.parametrize("way", FORGED)
def test_it_changes_nothing_for_a_forged_push(
    known: Mailbox, signing: Callable[..., str], rung: list[tuple[str, ...]], way: str
) -> None:
    before = everything()
    assert post("google", told_of(known.address), token=signing(**FORGED[way])) == 401
    assert (everything(), rung) == (before, [])


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "none"])
def test_it_changes_nothing_for_a_push_that_nobody_signed(
    known: Mailbox, signing: Callable[..., str], rung: list[tuple[str, ...]], token: str
) -> None:
    before = everything()
    if token == "none":
        token = jwt.encode(claims(), "", algorithm="none", headers={"kid": "google-1"})
    assert post("google", told_of(known.address), token=token) == 401
    assert (everything(), rung) == (before, [])


def notice(**parts: object) -> dict[str, Any]:
    return {
        "value": [{"subscriptionId": "sub-1", "clientState": "our-secret", "changeType": "created", **parts}]
    }


@pytest.mark.parametrize(
    "parts",
    [
        {"clientState": "another"},
        {"clientState": None},
        {"clientState": ["our-secret"]},
        {"subscriptionId": "sub-2"},
        {"clientState": "", "lifecycleEvent": "subscriptionRemoved"},
        {"clientState": "another", "lifecycleEvent": "reauthorizationRequired"},
    ],
)
def test_it_changes_nothing_for_a_notice_without_our_secret(
    known: Mailbox, rung: list[tuple[str, ...]], parts: dict[str, object]
) -> None:
    before = everything()
    assert post("microsoft", notice(**parts)) == 202
    assert (everything(), rung) == (before, [])


@pytest.mark.parametrize("body", [None, [], {}, "x", {"value": 1}, {"value": [1, None, {}]}, {"message": {}}])
@BOTH
def test_it_bears_any_body(
    known: Mailbox, signing: Callable[..., str], provider: str, body: object, rung: list[tuple[str, ...]]
) -> None:
    before = everything()
    assert post(provider, body, token=signing()) in (202, 204)
    assert (everything(), rung) == (before, [])


def test_it_answers_the_same_for_an_address_that_nobody_has(
    known: Mailbox, signing: Callable[..., str]
) -> None:
    found = Client().post(
        "/hooks/google/", json.dumps(told_of(known.address)), content_type="application/json",
        headers={"Authorization": f"Bearer {signing()}"},
    )  # fmt: skip
    unknown = Client().post(
        "/hooks/google/", json.dumps(told_of("nobody@nowhere.example")), content_type="application/json",
        headers={"Authorization": f"Bearer {signing()}"},
    )  # fmt: skip
    assert (found.status_code, found.content, dict(found.headers)) == (
        unknown.status_code,
        unknown.content,
        dict(unknown.headers),
    )


def test_it_answers_the_handshake_as_plain_text(db: None) -> None:
    answer = Client().post("/hooks/microsoft/?validationToken=Validation%3A%20a%2Bb%20%26%3Cb%3E")
    assert (answer.status_code, answer.content) == (200, b"Validation: a+b &<b>")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_it_stops_listening_to_who_forges(known: Mailbox, signing: Callable[..., str]) -> None:
    """T23: so many wrong ones a minute from one address; a right one still counts for nothing."""
    seen = {post("google", told_of(known.address), token="x") for _ in range(121)}
    assert seen == {401, 429}


def test_it_reads_no_body_without_end(db: None) -> None:
    assert post("microsoft", {"value": ["x" * 300_000]}) == 413


def test_it_takes_nothing_but_a_post(db: None) -> None:
    assert Client().get("/hooks/google/").status_code == 405
    assert Client().post("/hooks/elsewhere/").status_code == 404


# --- the three events of a subscription's life -------------------------------------------------------------


def test_it_asks_anew_when_it_has_to_authorize_anew(known: Mailbox, rung: list[tuple[str, ...]]) -> None:
    assert post("microsoft", notice(lifecycleEvent="reauthorizationRequired")) == 202
    route = PushRoute.objects.get(route=watches.route_of("microsoft", "sub-1"))
    assert route.renew_at <= clock.now()
    assert {one[0] for one in rung} == {"mailbox.renew_watch", "outreach.poll_mailbox"}


def test_it_subscribes_anew_and_looks_when_one_was_removed(
    known: Mailbox, rung: list[tuple[str, ...]]
) -> None:
    assert post("microsoft", notice(lifecycleEvent="subscriptionRemoved")) == 202
    route = PushRoute.objects.exclude(pk=known.pk).get()
    assert (route.route, route.proof, route.until) == (None, None, None)
    assert route.renew_at <= clock.now()
    assert {one[0] for one in rung} == {"mailbox.renew_watch", "outreach.poll_mailbox"}
    # Told twice: nobody is there any more.
    rung.clear()
    assert post("microsoft", notice(lifecycleEvent="subscriptionRemoved")) == 202
    assert rung == []


def test_it_looks_when_notices_were_missed(known: Mailbox, rung: list[tuple[str, ...]]) -> None:
    assert post("microsoft", notice(lifecycleEvent="missed")) == 202
    assert [one[0] for one in rung] == ["outreach.poll_mailbox"]


@pytest.mark.parametrize("event", ["reauthorizationRequired", "subscriptionRemoved", "missed"])
def test_it_stands_again_behind_each_event(told: Running, connected: Connected, event: str) -> None:
    box = watched(connected, "microsoft")
    told.post("lifecycle", email=box.address, event=event)
    pushed(told)
    watches.renew(Mailbox.objects.get())
    (subscription,) = told.get("watches", mailbox=box.address)["subscriptions"]
    assert Mailbox.objects.get().watch_id == subscription["id"]
    assert (subscription["id"] == box.watch_id) is (event != "subscriptionRemoved")
    Mailbox.objects.update(next_poll_at=clock.now() + HOUR)
    told.post("inbound", email=box.address, subject="Hello", text="you")
    pushed(told, 2)
    assert len(turns.due(most=9)) == 1
