"""The operations: whom they answer, what they give and take, and in which shape they say no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.access import Policy
from accounts.keys import Scope
from accounts.models import AuditEvent, Role, Workspace
from accounts.tenancy import workspace
from outreach.api.operation import Operation
from outreach.models import Campaign, CampaignState, Contact, Message, Project
from tests import factories
from tests.api.keys import LISTS, make_key, post, with_key

pytestmark = pytest.mark.django_db


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


def test_it_takes_no_field_that_is_not_declared(here: Workspace, settings: Any) -> None:
    """T4: every column of every model of ours, and what people try besides: more than a minute allows."""
    settings.API_REQUESTS_PER_MINUTE = 10**9
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
