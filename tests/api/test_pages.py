"""The pages of keys and requests: a secret is shown once, to somebody who has just proved who they are."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.apikeys.log import forget_old
from accounts.models import ApiKey, ApiRequest, User, Workspace
from accounts.tasks import wake_forget_requests
from accounts.tenancy import uuid7, workspace
from tests.api.keys import bearer, make_key, with_key

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


@pytest.fixture
def boss(owner: User, signed_in: SignedIn) -> Client:
    """The owner, who has signed in a moment ago."""
    client = signed_in(owner)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    return client


def form(**fields: Any) -> dict[str, Any]:
    return {"mint": str(uuid7()), "name": "CRM import", "scopes": ["read"], "days": "30", **fields}


def secret_on(answer: Any) -> str:
    found = re.search(r'id="secret"[^>]* value="(out_(?:key|tok)_[^"]+)"', answer.content.decode())
    assert found
    return found[1]


def test_it_makes_a_key_and_shows_it_once(ws: Workspace, boss: Client) -> None:
    fields = form()
    answer = boss.post(f"/w/{ws.slug}/keys/new/", fields)
    secret = secret_on(answer)
    assert "no-store" in answer["Cache-Control"]
    assert Client().get("/api/v1/me", headers=bearer(secret)).status_code == 200
    # A reload sends the form again: it makes no second key, and shows nothing.
    again = boss.post(f"/w/{ws.slug}/keys/new/", fields, follow=True)
    assert "out_key_" in again.content.decode()
    assert secret not in again.content.decode()
    with workspace(ws):
        row = ApiKey.objects.get()
    assert (row.name, row.scopes) == ("CRM import", ["read"])
    assert row.expires_at is not None
    assert dt.timedelta(days=29) < row.expires_at - row.created_at < dt.timedelta(days=31)


def test_it_shows_a_secret_on_no_other_page(ws: Workspace, boss: Client) -> None:
    secret = secret_on(boss.post(f"/w/{ws.slug}/keys/new/", form()))
    with workspace(ws):
        pk = ApiKey.objects.get().pk
    for page in ("keys/", "keys/new/", f"keys/{pk}/rotate/", f"keys/{pk}/revoke/", "requests/", "activity/"):
        text = boss.get(f"/w/{ws.slug}/{page}").content.decode()
        assert secret[14:] not in text, page


def test_it_asks_for_a_proof_before_a_secret_and_not_before_a_stop(
    ws: Workspace, boss: Client, settings: Any
) -> None:
    client, key = boss, make_key(ws).key
    settings.REAUTHENTICATION_SECONDS = 0
    for page in ("keys/new/", "keys/token/", f"keys/{key.pk}/rotate/"):
        answer = client.post(f"/w/{ws.slug}/{page}", form(hours="24"))
        assert answer.status_code == 302, page
        assert answer["Location"].startswith("/accounts/"), page
    with workspace(ws):
        assert ApiKey.objects.count() == 1
    client.post(f"/w/{ws.slug}/keys/{key.pk}/revoke/")
    with workspace(ws):
        assert ApiKey.objects.get().revoked_at is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"days": "9999"},
        {"days": ""},
        {"networks": "300.0.0.0/8"},
        {"networks": "\n".join(["203.0.113.0/24"] * 21)},
        {"mint": "x"},
        {"mint": ""},
    ],
)
def test_it_refuses_what_makes_no_key(fields: dict[str, Any], ws: Workspace, boss: Client) -> None:
    assert boss.post(f"/w/{ws.slug}/keys/new/", form(**fields)).status_code == 422
    with workspace(ws):
        assert not ApiKey.objects.exists()


def test_it_keeps_the_networks_that_were_named(ws: Workspace, boss: Client) -> None:
    fields = form(networks="203.0.113.7/24\n\n 2001:db8::/32 \n198.51.100.7")
    secret_on(boss.post(f"/w/{ws.slug}/keys/new/", fields))
    with workspace(ws):
        assert ApiKey.objects.get().networks == ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7/32"]


def test_it_brings_the_token_into_being_at_the_first_look(ws: Workspace, boss: Client) -> None:
    """Promise 19: every workspace has one by itself; made earlier, it could not be shown any more."""
    page = boss.get(f"/w/{ws.slug}/keys/").content.decode()
    assert "Show the token once" in page
    assert ws.sid in page
    fields = {"mint": str(uuid7())}
    secret = secret_on(boss.post(f"/w/{ws.slug}/keys/token/", fields))
    assert secret.startswith("out_tok_")
    assert with_key(secret).get("/api/v1/contacts").status_code == 200
    assert "Show the token once" not in boss.get(f"/w/{ws.slug}/keys/").content.decode()
    for again in (fields, {"mint": str(uuid7())}):
        answer = boss.post(f"/w/{ws.slug}/keys/token/", again)
        assert answer.status_code == 302
    with workspace(ws):
        assert ApiKey.objects.count() == 1


def test_it_says_how_long_the_old_one_goes_on(ws: Workspace, boss: Client) -> None:
    old = make_key(ws)
    answer = boss.post(f"/w/{ws.slug}/keys/{old.key.pk}/rotate/", form(hours="1"))
    new = secret_on(answer)
    assert "works until" in answer.content.decode()
    assert [with_key(secret).get("/api/v1/me").status_code for secret in (old.secret, new)] == [200, 200]
    page = boss.get(f"/w/{ws.slug}/keys/").content.decode()
    assert "Replaced, still works" in page
    # It was rotated once; a second time there is nothing to rotate.
    twice = boss.post(f"/w/{ws.slug}/keys/{old.key.pk}/rotate/", form(hours="1"), follow=True)
    assert "rotated already" in twice.content.decode()


def test_it_ends_the_old_one_at_once_where_asked(ws: Workspace, boss: Client) -> None:
    old = make_key(ws)
    answer = boss.post(f"/w/{ws.slug}/keys/{old.key.pk}/rotate/", form(hours="0"))
    assert "works no more" in answer.content.decode()
    assert with_key(old.secret).get("/api/v1/me").status_code == 401


def test_it_lists_requests_and_filters_them(ws: Workspace, boss: Client) -> None:
    first, second = make_key(ws, ["read"], name="First"), make_key(ws, [], name="=cmd|calc")
    with_key(first.secret).get("/api/v1/projects")
    with_key(second.secret).get("/api/v1/projects")
    page = boss.get(f"/w/{ws.slug}/requests/").content.decode()
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    assert ["200" in row for row in rows if "/api/v1/projects" in row] == [False, True]
    refused = boss.get(f"/w/{ws.slug}/requests/", {"answer": "4"}).content.decode()
    assert second.key.prefix in refused.split("<tbody")[1]
    assert first.key.prefix not in refused.split("<tbody")[1]
    one = boss.get(f"/w/{ws.slug}/requests/", {"credential": first.key.prefix}).content.decode()
    assert second.key.prefix not in one.split("<tbody")[1]
    assert boss.get(f"/w/{ws.slug}/requests/", {"credential": "²", "answer": "9"}).status_code == 200
    file = boss.get(f"/w/{ws.slug}/requests/csv/").getvalue()
    table = list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))
    assert [line[2] for line in table[1:]] == ["'=cmd|calc", "First"]
    assert [line[5] for line in table[1:]] == ["403", "200"]


def test_it_keeps_requests_for_30_days(ws: Workspace, later: Callable[..., None]) -> None:
    minted = make_key(ws)
    with_key(minted.secret).get("/api/v1/me")
    later(days=29)
    with_key(minted.secret).get("/api/v1/me")
    wake_forget_requests()
    with workspace(ws):
        assert ApiRequest.objects.count() == 2
    later(days=2)
    wake_forget_requests()
    with workspace(ws):
        assert ApiRequest.objects.count() == 1
        assert forget_old() == 0


def test_it_shows_the_description_within_the_strict_policy(ws: Workspace) -> None:
    answer = Client().get("/api/docs/")
    text = answer.content.decode()
    assert "swagger-ui-bundle" in text
    scripts = re.findall(r"<script\b[^>]*>", text)
    assert all("nonce=" in script and "src=" in script for script in scripts)
    assert "<style" not in text
    assert "style=" not in text
