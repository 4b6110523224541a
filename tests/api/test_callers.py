"""Who is let in: scopes, roles, sessions, limits, and the record of which credential made which request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts import keys
from accounts.keys import Scope
from accounts.models import ApiRequest, KeyKind, Membership, User, Workspace
from outreach.models import Campaign, Contact, Project, ProjectAccess
from tests import factories
from tests.api.keys import LISTS, bearer, in_session, key_of_each_scope, make_key, post, with_key

pytestmark = pytest.mark.django_db


def test_it_holds_each_key_to_its_scopes(here: Workspace) -> None:
    """The table is written by hand: what each scope alone may do."""
    row = Campaign.objects.get()
    opens = {
        ("GET", "me"): {"", "read", "contacts:write", "campaigns:write", "campaigns:launch", "library:write"},
        **{("GET", name): {"read"} for name in LISTS},
        ("GET", f"campaigns/{row.pk}"): {"read"},
        ("POST", "contacts"): {"contacts:write"},
        ("POST", "campaigns"): {"campaigns:write"},
        ("POST", f"campaigns/{row.pk}/people"): {"campaigns:write"},
        ("POST", f"campaigns/{row.pk}/launch"): {"campaigns:launch"},
        ("POST", "texts"): {"library:write"},
    }
    for scope, secret in key_of_each_scope(here).items():
        client = with_key(secret)
        for (method, path), scopes in opens.items():
            answer = client.get(f"/api/v1/{path}") if method == "GET" else post(client, path)
            assert (answer.status_code != 403) == (scope in scopes), (scope, method, path)


def test_it_holds_each_person_to_their_role(
    here: Workspace, owner: User, admin: User, member: User, viewer: User, ex_member: User, stranger: User
) -> None:
    row = Campaign.objects.get()
    for person, reads, writes in [
        (owner, 200, 400), (admin, 200, 400), (member, 200, 400), (viewer, 200, 403),
        (ex_member, 404, 404), (stranger, 404, 404),
    ]:  # fmt: skip
        client = in_session(person, here)
        assert {client.get(f"/api/v1/{name}").status_code for name in ["me", *LISTS]} == {reads}, person.name
        assert post(client, "contacts").status_code == writes, person.name
        assert post(client, "texts").status_code == writes, person.name
        assert post(client, "campaigns").status_code == writes, person.name
        launched = post(client, f"campaigns/{row.pk}/launch", {"x": 1})
        assert launched.status_code == writes, person.name


def test_it_takes_no_bare_cookie(here: Workspace, owner: User) -> None:
    """T32: a session that changes something needs a page's token, and each needs its workspace named."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/api/v1/contacts").status_code == 400
    assert client.get("/api/v1/contacts", headers={"X-Workspace": here.sid}).status_code == 200
    body = json.dumps({"address": "new@moor.example"})
    named = {"X-Workspace": here.sid}
    bare = client.post("/api/v1/contacts", body, content_type="application/json", headers=named)
    assert bare.status_code == 403
    token = client.get("/api/docs/").context["csrf_token"]
    full = {**named, "X-CSRFToken": str(token)}
    answer = client.post("/api/v1/contacts", body, content_type="application/json", headers=full)
    assert answer.status_code == 201
    assert Contact.objects.count() == 2


@pytest.mark.parametrize("sid", ["WS" + "0" * 32, "x", "\x00", "WS'", "é"])
def test_it_finds_no_workspace_by_a_wrong_sid(sid: str, here: Workspace, owner: User) -> None:
    client = in_session(owner, here)
    assert client.get("/api/v1/me", headers={"X-Workspace": sid}).status_code == 404


def test_it_prefers_a_key_to_the_session_and_never_falls_back(here: Workspace, owner: User) -> None:
    client = in_session(owner, here)
    assert client.get("/api/v1/me", headers=bearer("wrong")).status_code == 401
    assert client.get("/api/v1/me", headers=bearer(make_key(here).secret)).json()["credential"] == "key"
    assert client.get("/api/v1/me").json()["credential"] == "session"


def test_it_shows_a_limited_member_their_projects(here: Workspace, member: User) -> None:
    kept = Project.objects.get()
    factories.make_campaign(name="Hidden", mailbox=factories.make_mailbox(address="two@fernhill.example"))
    place = Membership.objects.get(user=member, workspace=here)
    Membership.objects.filter(pk=place.pk).update(all_projects=False)
    ProjectAccess.objects.create(project=kept, membership=place)
    client = in_session(member, here)
    assert [row["id"] for row in client.get("/api/v1/projects").json()["results"]] == [str(kept.pk)]
    assert [row["name"] for row in client.get("/api/v1/campaigns").json()["results"]] == ["Winter"]
    hidden = Campaign.objects.get(name="Hidden")
    assert client.get(f"/api/v1/campaigns/{hidden.pk}").status_code == 404
    assert post(client, f"campaigns/{hidden.pk}/launch").status_code == 404


def test_it_records_which_credential_made_each_request(here: Workspace, owner: User) -> None:
    """Promises 19 and 20: which key, from where, with what; no id and no content."""
    minted = make_key(here, [Scope.READ])
    client = with_key(minted.secret)
    project = Project.objects.get()
    agent = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36"}
    client.get(f"/api/v1/projects/{project.pk}?limit=1", REMOTE_ADDR="203.0.113.9", headers=agent)
    post(client, "contacts", {"address": "x@y.example"})
    in_session(owner, here).get("/api/v1/me")
    rows = list(ApiRequest.objects.order_by("at", "id"))
    assert [(row.credential, row.method, row.route, row.status) for row in rows] == [
        (minted.key.prefix, "GET", "/api/v1/projects/<uuid:pk>", 200),
        (minted.key.prefix, "POST", "/api/v1/contacts", 403),
        ("session", "GET", "/api/v1/me", 200),
    ]
    assert (rows[0].place, rows[0].device) == ("203.0.113.9", "Chrome on Windows")
    assert (rows[0].key_id, rows[2].user_id) == (minted.key.pk, owner.pk)


def test_it_records_the_use_of_a_revoked_key(here: Workspace, owner: User) -> None:
    minted = make_key(here)
    keys.revoke(minted.key, actor=owner)
    with_key(minted.secret).get("/api/v1/me")
    row = ApiRequest.objects.get()
    assert (row.credential, row.status) == (minted.key.prefix, 401)


def test_it_slows_whoever_guesses_and_nobody_else(here: Workspace, settings: Any) -> None:
    """T31: wrong keys count against their address; a good key works from there, and from elsewhere."""
    settings.API_GUESSES_PER_MINUTE = 5
    good = make_key(here).secret
    guesser: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.9"}
    answers = [with_key(keys.new_secret(KeyKind.KEY)).get("/api/v1/me", **guesser) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1]["Content-Type"] == "application/problem+json"
    assert with_key(good).get("/api/v1/me", **guesser).status_code == 200
    other: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.10"}
    assert with_key("wrong").get("/api/v1/me", **other).status_code == 401
    assert with_key(good).get("/api/v1/me", **other).status_code == 200


def test_it_limits_each_credential_by_itself(here: Workspace, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    busy, calm = with_key(make_key(here).secret), with_key(make_key(here).secret)
    answers = [busy.get("/api/v1/me") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert calm.get("/api/v1/me").status_code == 200
    assert ApiRequest.objects.count() == 4


def test_it_answers_without_redis(here: Workspace, settings: Any) -> None:
    """Redis loses nothing: without it nobody is limited, and nobody is shut out."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert with_key(make_key(here).secret).get("/api/v1/me").status_code == 200
    assert with_key("wrong").get("/api/v1/me").status_code == 401
