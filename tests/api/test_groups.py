"""Tags and lists through the API, and the filters of the contacts."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.keys import Scope
from accounts.models import AuditEvent, Workspace
from outreach.models import Contact, Group
from tests import factories
from tests.api.keys import make_key, post, with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(here: Workspace) -> Client:
    return with_key(make_key(here, [Scope.READ, Scope.CONTACTS_WRITE]).secret)


def listed(client: Client, query: str) -> list[str]:
    answer = client.get(f"/api/v1/contacts?{query}")
    assert answer.status_code == 200, answer.content
    return sorted(row["address"] for row in answer.json()["results"])


def test_it_makes_renames_and_deletes(client: Client) -> None:
    made = post(client, "groups", {"kind": "list", "name": "Spring"})
    assert made.status_code == 201
    row = made.json()
    assert client.get(f"/api/v1/groups/{row['id']}").json() == row
    assert [one["name"] for one in client.get("/api/v1/groups?kind=list").json()["results"]] == ["Spring"]
    assert client.get("/api/v1/groups?kind=heap").status_code == 400
    path = f"/api/v1/groups/{row['id']}"
    changed = client.patch(path, json.dumps({"name": "Autumn"}), content_type="application/json")
    assert changed.json()["name"] == "Autumn"
    assert AuditEvent.objects.get(action="group.renamed").actor_kind == "key"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "tag", "name": "pRESS"}, "name"),
        ({"kind": "tag", "name": "  "}, "name"),
        ({"kind": "heap", "name": "x"}, "kind"),
        ({"kind": "tag", "name": "x" * 61}, "name"),
        ({"kind": "tag", "name": "x", "workspace": 1}, "workspace"),
    ],
)
def test_it_names_the_field_that_does_not_fit(client: Client, body: dict[str, Any], field: str) -> None:
    factories.make_group("Press")
    answer = post(client, "groups", body)
    assert answer.status_code == 400
    assert field in [line["field"] for line in answer.json()["errors"]]


def test_a_repeated_request_makes_one(client: Client) -> None:
    body = json.dumps({"kind": "tag", "name": "Once"})
    first, second = (
        client.post("/api/v1/groups", body, content_type="application/json", headers={"Idempotency-Key": "a"})
        for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Group.objects.filter(name="Once").count() == 1


def test_it_puts_many_in_and_takes_them_out(client: Client) -> None:
    row = factories.make_group("Press")
    people = [factories.make_contact(f"p{number}@new.example") for number in range(3)]
    body = {"contacts": [*(str(one.pk) for one in people), str(uuid.uuid4())]}
    assert post(client, f"groups/{row.pk}/people", body).json() == {"changed": 3}
    assert post(client, f"groups/{row.pk}/people", body).json() == {"changed": 0}
    assert listed(client, f"tag={row.pk}") == [f"p{number}@new.example" for number in range(3)]
    out = post(client, f"groups/{row.pk}/people/out", {"contacts": [str(people[0].pk)]})
    assert out.json() == {"changed": 1}
    assert len(listed(client, f"tag={row.pk}")) == 2
    assert post(client, f"groups/{row.pk}/people", {"contacts": []}).status_code == 400
    assert post(client, f"groups/{uuid.uuid4()}/people", body).status_code == 404


def test_contacts_take_the_filters_of_the_page(client: Client) -> None:
    Contact.objects.all().delete()
    factories.make_contact("ana@a.example", country="PT", fields={"topic": "Huts"})
    factories.make_contact("ben@b.example", country="DE", basis="consent")
    assert listed(client, "country=PT") == ["ana@a.example"]
    assert listed(client, "basis=consent&written=never") == ["ben@b.example"]
    assert listed(client, "field=topic&contains=hut") == ["ana@a.example"]
    assert listed(client, "site=b.example&address=ana@a.example") == []
    assert listed(client, "since=2020-01-01&until=2020-01-02") == []


@pytest.mark.parametrize(
    "query", ["country=nowhere", "tag=1", "written=2", "field=topic", "since=yesterday", "q=", "basis=x"]
)
def test_contacts_refuse_what_is_no_value_of_a_filter(client: Client, query: str) -> None:
    answer = client.get(f"/api/v1/contacts?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]
