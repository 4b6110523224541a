"""A list of people through the API: brought, checked, stored by a worker, undone."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from accounts.keys import Scope
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach import suppression
from outreach.api import imports
from outreach.imports import work
from outreach.models import Contact, ContactImport, ImportState
from tests import factories
from tests.api.keys import in_session, make_key, post, with_key

pytestmark = pytest.mark.django_db
LIST = "Mail,Who,Topic\nbo@moor.example,Bo Berg,huts\nno address,Nobody,x\nana@ridgewalkers.example,Ana,y\n"


@pytest.fixture
def client(here: Workspace) -> Client:
    return with_key(make_key(here, [Scope.READ, Scope.CONTACTS_WRITE]).secret)


def brought(client: Client, text: str | bytes, **values: Any) -> Any:
    content = base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()
    return post(client, "imports", {"content": content, "source": "Their imprint", **values})


def test_it_checks_a_list_and_stores_it_at_a_word(client: Client) -> None:
    answer = brought(client, LIST, filename="huts.csv")
    assert answer.status_code == 201
    found = answer.json()
    assert (found["state"], found["rows"], found["new"], found["known"], found["rejected"]) == (
        "checked",
        3,
        1,
        1,
        1,
    )
    assert (found["columns"], found["filename"]) == (["Mail", "Who", "Topic"], "huts.csv")
    one = f"imports/{found['id']}"
    rejects = client.get(f"/api/v1/{one}/rejected").json()
    assert (rejects["total"], rejects["results"][0]["line"]) == (1, 3)
    assert rejects["results"][0]["cells"] == ["no address", "Nobody", "x"]
    matched = post(client, f"{one}/match", {"mapping": {"Who": "name", "Topic": ""}}).json()
    assert matched["mapping"] == {"Mail": "address", "Who": "name", "Topic": ""}
    stored = post(client, f"{one}/store", {"basis": "consent"}).json()
    assert (stored["state"], stored["new"], stored["known"]) == ("done", 1, 1)
    person = Contact.objects.get(basis="consent")
    assert (person.address, person.name, person.fields, person.source) == (
        "bo@moor.example",
        "Bo Berg",
        {},
        "Their imprint",
    )
    again = post(client, f"{one}/store")
    assert (again.status_code, again.json()["code"]) == (409, "state")
    assert post(client, f"{one}/cancel").status_code == 409
    assert post(client, f"{one}/undo").json()["state"] == "undone"
    assert Contact.objects.count() == 1
    assert post(client, f"{one}/undo").status_code == 409
    assert [row["id"] for row in client.get("/api/v1/imports").json()["results"]] == [found["id"]]


@pytest.mark.django_db(transaction=True)
def test_it_takes_a_large_list_that_a_worker_reads(client: Client, in_ws: Workspace) -> None:
    """Beyond the body's usual limit; the answer does not wait for it."""
    lines = [f"person{n}@site{n % 50}.example,Person {n},{'x' * 90}" for n in range(4000)]
    answer = brought(client, "Email,Name,Note\n" + "\n".join(lines))
    assert (answer.status_code, answer.json()["state"], answer.json()["rows"]) == (201, "checking", None)
    row = ContactImport.objects.get(pk=answer.json()["id"])
    while work.go_on(row):
        pass
    assert client.get(f"/api/v1/imports/{row.pk}").json()["new"] == 4000
    assert post(client, f"imports/{row.pk}/store").json()["state"] == "storing"
    row.refresh_from_db()
    while work.go_on(row):
        pass
    assert row.state == ImportState.DONE
    assert client.get(f"/api/v1/imports/{row.pk}").json()["done_rows"] == 4000
    assert Contact.objects.filter(imported_by=row).count() == 4000


def test_it_refuses_what_is_no_list(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports.Imports, "largest_body", 1000)
    whole = base64.b64encode(LIST.encode()).decode()
    for body, field in [
        ({"content": whole}, "source"),
        ({"content": "***", "source": "x"}, "content"),
        ({"content": "", "source": "x"}, "content"),
        ({"content": 5, "source": "x"}, "content"),
        ({"content": base64.b64encode(b"\x00\x01\x02").decode(), "source": "x"}, "content"),
        ({"content": base64.b64encode(b"Mail\n").decode(), "source": "x"}, "content"),
        ({"content": whole, "source": "x", "basis": "none"}, "basis"),
        ({"content": whole, "source": "x", "state": "done"}, "state"),
    ]:
        answer = post(client, "imports", body)
        assert answer.status_code == 400, body
        assert [line["field"] for line in answer.json()["errors"]] == [field], body
    assert brought(client, "x" * 1000).status_code == 413
    assert not ContactImport.objects.exists()


def test_it_names_the_column_that_is_not_there(client: Client) -> None:
    one = f"imports/{brought(client, LIST).json()['id']}"
    for mapping in ({"Phone": "name"}, {"Mail": ""}):
        answer = post(client, f"{one}/store", {"mapping": mapping})
        assert [line["field"] for line in answer.json()["errors"]] == ["mapping"]
    assert Contact.objects.count() == 1


def test_it_lifts_no_block(client: Client) -> None:
    factories.make_suppression("bo@moor.example")
    one = f"imports/{brought(client, LIST).json()['id']}"
    assert client.get(f"/api/v1/{one}").json()["blocked"] == 1
    post(client, f"{one}/store")
    assert suppression.blocking(["bo@moor.example"])


def test_it_brings_a_list_once(client: Client) -> None:
    content = base64.b64encode(LIST.encode()).decode()
    answers = [
        client.post(
            "/api/v1/imports",
            {"content": content, "source": "x"},
            content_type="application/json",
            headers={"Idempotency-Key": "huts"},
        )
        for _ in range(2)
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert ContactImport.objects.count() == 1


def test_it_shows_no_list_to_a_viewer_or_a_stranger(
    client: Client, here: Workspace, theirs: Workspace, viewer: User, member: User
) -> None:
    pk = brought(client, LIST).json()["id"]
    assert in_session(viewer, here).get("/api/v1/imports").status_code == 403
    assert in_session(member, here).get(f"/api/v1/imports/{pk}").status_code == 200
    other = with_key(make_key(theirs).secret)
    assert other.get(f"/api/v1/imports/{pk}").status_code == 404
    assert post(other, f"imports/{pk}/store").status_code == 404
    with workspace(theirs):
        assert not ContactImport.objects.exists()
