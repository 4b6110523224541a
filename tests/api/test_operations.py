"""The operations: whom they answer, what they give and take, and in which shape they say no."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import keys
from accounts.access import Policy
from accounts.keys import Scope
from accounts.models import ApiRequest, AuditEvent, KeyKind, Membership, Role, User, Workspace
from accounts.tenancy import workspace
from outreach.api.operation import Operation
from outreach.models import Campaign, CampaignState, Contact, Message, Project, ProjectAccess
from tests import factories
from tests.api.keys import bearer, in_session, key_of_each_scope, make_key, with_key

pytestmark = pytest.mark.django_db

LISTS = ["workspaces", "projects", "contacts", "mailboxes", "campaigns"]


@pytest.fixture
def here(in_ws: Workspace, owner: User) -> Workspace:
    """A workspace with one row of each kind, and a campaign that is ready."""
    person = factories.make_contact("ana@ridgewalkers.example", name="Ana Lima")
    factories.make_campaign(name="Winter", contacts=[person])
    return in_ws


@pytest.fixture
def theirs(stranger: User) -> Workspace:
    row = Membership.objects.get(user=stranger).workspace
    with workspace(row):
        factories.make_campaign(name="Kingfisher", mailbox=factories.make_mailbox(address="kf@kf.example"))
        factories.make_contact("kingfisher@kf.example")
    return row


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(
        f"/api/v1/{path}", json.dumps({} if body is None else body), content_type="application/json"
    )


@pytest.mark.parametrize("name", LISTS)
def test_it_lists_what_the_workspace_holds_and_no_more(name: str, here: Workspace, theirs: Workspace) -> None:
    mine = with_key(make_key(here).secret).get(f"/api/v1/{name}")
    assert mine.status_code == 200
    assert mine.json()["results"]
    assert "kingfisher" not in mine.content.decode().lower()
    for row in mine.json()["results"]:
        one = f"/api/v1/{name}/{row.get('id') or row['sid']}"
        assert with_key(make_key(here).secret).get(one).json() == row
        assert with_key(make_key(theirs).secret).get(one).status_code == 404


def test_it_goes_through_a_list_by_its_cursor(here: Workspace) -> None:
    made = [str(factories.make_project().pk) for _ in range(7)]
    client = with_key(make_key(here).secret)
    seen: list[str] = []
    page = client.get("/api/v1/projects", {"limit": "3"}).json()
    while True:
        assert len(page["results"]) <= 3
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        page = client.get("/api/v1/projects", {"limit": "3", "cursor": page["next"]}).json()
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == Project.objects.count()
    assert set(made) < set(seen)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "-1"},
        {"limit": "²"},
        {"limit": "1e3"},
        {"limit": "9" * 5000},
        {"cursor": "x"},
        {"cursor": "\x00"},
        {"cursor": "{01a21580-9707-7114-b24a-6232a72339d5}"},
        {"project": "' OR 1=1"},
        {"state": "gone"},
    ],
)
def test_it_names_the_parameter_that_does_not_fit(query: dict[str, str], here: Workspace) -> None:
    answer = with_key(make_key(here).secret).get("/api/v1/campaigns", query)
    assert answer.status_code == 400
    assert [line["field"] for line in answer.json()["errors"]] == list(query)


def test_it_filters_by_what_the_workspace_holds(here: Workspace, theirs: Workspace) -> None:
    client = with_key(make_key(here).secret)
    with workspace(theirs):
        foreign = Project.objects.get().pk
    assert client.get("/api/v1/campaigns", {"project": str(foreign)}).json()["results"] == []
    assert len(client.get("/api/v1/campaigns", {"state": "draft"}).json()["results"]) == 1
    assert client.get("/api/v1/campaigns", {"state": "running"}).json()["results"] == []
    found = client.get("/api/v1/contacts", {"address": "Ana@Ridgewalkers.example"}).json()["results"]
    assert [row["name"] for row in found] == ["Ana Lima"]
    assert client.get("/api/v1/contacts", {"address": "kingfisher@kf.example"}).json()["results"] == []


def test_it_adds_a_contact_as_the_form_does(here: Workspace) -> None:
    body = {
        "address": "Bo@Moor.example",
        "name": "Berg, Bo",
        "country": "se",
        "custom_fields": {"Topic": "huts"},
    }
    key = make_key(here, [Scope.CONTACTS_WRITE])
    answer = post(with_key(key.secret), "contacts", body)
    assert answer.status_code == 201
    row = Contact.objects.get(pk=answer.json()["id"])
    assert (row.address, row.first_name, row.country, row.fields) == (
        "Bo@moor.example",
        "Bo",
        "SE",
        {"topic": "huts"},
    )
    event = AuditEvent.objects.get(action="contact.added", object_id=str(row.pk))
    assert (event.actor_kind, event.credential) == ("key", key.key.prefix)


def test_it_adds_an_address_once(here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    for address in ("ana@ridgewalkers.example", "ANA@ridgewalkers.example"):
        answer = post(client, "contacts", {"address": address, "name": "Somebody else"})
        assert (answer.status_code, answer.json()["code"]) == (409, "exists")
    assert Contact.objects.get().name == "Ana Lima"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "address"),
        ({"address": "no address"}, "address"),
        ({"address": "a@b.example, c@d.example"}, "address"),
        ({"address": "a@b.example\nBcc: c@d.example"}, "address"),
        ({"address": 5}, "address"),
        ({"address": None}, "address"),
        ({"address": "a@b.example", "name": "a\u2028b"}, "name"),
        ({"address": "a@b.example", "name": "\x00"}, "name"),
        ({"address": "a@b.example", "name": "\ud800"}, "name"),
        ({"address": "a@b.example", "name": ["x"]}, "name"),
        ({"address": "a@b.example", "name": "x" * 161}, "name"),
        ({"address": "a@b.example", "country": "Germany"}, "country"),
        ({"address": "a@b.example", "country": "1!"}, "country"),
        ({"address": "a@b.example", "basis": "because"}, "basis"),
        ({"address": "a@b.example", "timezone": "Mars/North"}, "timezone"),
        ({"address": "a@b.example", "website": "no site"}, "website"),
        ({"address": "a@b.example", "custom_fields": {"x": 1}}, "custom_fields.x"),
        ({"address": "a@b.example", "custom_fields": {"!": "x"}}, "fields"),
        ({"address": "a@b.example", "custom_fields": []}, "custom_fields"),
        ({"address": "a@b.example", "role": "owner"}, "role"),
    ],
)
def test_it_names_the_field_that_does_not_fit(body: dict[str, Any], field: str, here: Workspace) -> None:
    answer = post(with_key(make_key(here).secret), "contacts", body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert field in [line["field"] for line in answer.json()["errors"]]
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "5", '"x"', "null", "[" * 100_000, '{"address": NaN}', '{"address": 1e999999}']
)
def test_it_stands_every_body(body: str, here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    answer = client.post("/api/v1/contacts", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["status"] == 400


def test_it_takes_json_alone_and_so_much_of_it(here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    form = client.post("/api/v1/contacts", {"address": "a@b.example"})
    assert form.status_code == 415
    large = post(client, "contacts", {"address": "a@b.example", "name": "x" * 300_000})
    assert large.status_code == 413


def test_it_takes_no_field_that_is_not_declared(here: Workspace) -> None:
    """T4: every column of every model of ours, and what people try besides."""
    from django.apps import apps

    names = {field.name for model in apps.get_models() for field in model._meta.get_fields()}
    names |= {"role", "workspace_id", "is_staff", "is_superuser", "plan", "__class__", "_state", "pk", "Id"}
    names -= {
        "address", "name", "first_name", "company", "website", "country", "timezone", "basis", "source",
        "tracking_consent", "custom_fields",
    }  # fmt: skip
    assert len(names) > 150
    client = with_key(make_key(here).secret)
    before = Contact.objects.count()
    campaign = Campaign.objects.get()
    for name in sorted(names):
        body = {"address": "new@b.example", name: "x"}
        assert post(client, "contacts", body).status_code == 400, name
        assert post(client, f"campaigns/{campaign.pk}/launch", {name: "x"}).status_code == 400, name
    assert Contact.objects.count() == before
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.DRAFT


def test_it_queues_a_campaign_once(here: Workspace) -> None:
    here.postal_address = "Quay Lane"
    here.save()
    row = Campaign.objects.get()
    client = with_key(make_key(here, [Scope.CAMPAIGNS_LAUNCH]).secret)
    first = post(client, f"campaigns/{row.pk}/launch")
    assert (first.status_code, first.json()["queued"], first.json()["campaign"]["state"]) == (
        200,
        1,
        "running",
    )
    again = post(client, f"campaigns/{row.pk}/launch")
    assert (again.status_code, again.json()["queued"]) == (200, 0)
    assert Message.objects.filter(campaign=row).count() == 1
    # The body may be left out.
    assert client.generic("POST", f"/api/v1/campaigns/{row.pk}/launch").status_code == 200


def test_it_says_what_stops_a_launch_as_the_page_does(here: Workspace) -> None:
    row = factories.make_campaign(name="Nobody")
    answer = post(with_key(make_key(here).secret), f"campaigns/{row.pk}/launch")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert {"field": "nobody", "detail": "Nobody is in this campaign yet."} in answer.json()["errors"]
    row.refresh_from_db()
    assert row.state == CampaignState.DRAFT


def test_it_holds_each_key_to_its_scopes(here: Workspace) -> None:
    """The table is written by hand: what each scope alone may do."""
    row = Campaign.objects.get()
    opens = {
        ("GET", "me"): {"", "read", "contacts:write", "campaigns:launch"},
        **{("GET", name): {"read"} for name in LISTS},
        ("GET", f"campaigns/{row.pk}"): {"read"},
        ("POST", "contacts"): {"contacts:write"},
        ("POST", f"campaigns/{row.pk}/launch"): {"campaigns:launch"},
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


def test_it_lets_no_cache_keep_an_answer(here: Workspace) -> None:
    answer = with_key(make_key(here).secret).get("/api/v1/me")
    assert answer["Cache-Control"] == "no-store"
    assert "Authorization" in answer["Vary"]


def test_it_answers_a_wrong_address_or_method_in_its_own_shape(here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    for path in ("nothing", "me/", "projects/x", "projects/%0A", "projects/%00", "%F0%9F%A6%8A", ""):
        assert client.get(f"/api/v1/{path}").json()["status"] == 404, path
    wrong = client.delete("/api/v1/contacts")
    assert (wrong.status_code, wrong["Allow"]) == (405, "GET, HEAD, POST")
    assert client.options("/api/v1/contacts").status_code == 405


def test_it_asks_a_constant_number_of_queries(
    here: Workspace, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    client = with_key(make_key(here).secret)
    for _ in range(20):
        factories.make_contact()
    client.get("/api/v1/contacts")
    with django_assert_max_num_queries(9):
        assert len(client.get("/api/v1/contacts").json()["results"]) == 21


def test_it_refuses_to_define_an_operation_without_a_policy() -> None:
    """T3: deny by default."""
    with pytest.raises(TypeError, match="declares no policy"):
        type("Bare", (Operation,), {"get": lambda self, request: None})
    with pytest.raises(TypeError, match="no policy for POST"):
        type(
            "Half",
            (Operation,),
            {"policy": Policy.member(Role.VIEWER), "post": lambda self, request: None},
        )


def test_it_refuses_a_start_with_a_route_that_declares_nothing() -> None:
    from django.urls import path
    from rest_framework.views import APIView

    from accounts.policies import insist, undeclared

    assert undeclared([path("api/v1/bare", APIView.as_view(), name="bare")]) != []
    insist()


def test_it_answers_a_crash_without_a_word_of_it(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("kingfisher")

    monkeypatch.setattr("outreach.api.reading.page_of", broken)
    client = with_key(make_key(here).secret)
    client.raise_request_exception = False
    answer = client.get("/api/v1/projects")
    assert answer.status_code == 500
    assert "kingfisher" not in answer.content.decode()
    assert answer["Content-Type"] == "application/problem+json"


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
