"""The library through the API: kept, found, changed and deleted by the rules of its page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.keys import Scope
from accounts.models import AuditEvent, User, Workspace
from outreach.models import SavedText
from tests import factories
from tests.api.keys import in_session, make_key, post, with_key

pytestmark = pytest.mark.django_db
BODY = "<p>Hello {{ first_name }}</p>"


@pytest.fixture
def client(here: Workspace) -> Client:
    return with_key(make_key(here, [Scope.READ, Scope.LIBRARY_WRITE]).secret)


def patch(client: Client, row: SavedText, body: Any) -> Any:
    return client.patch(f"/api/v1/texts/{row.pk}", json.dumps(body), content_type="application/json")


def test_it_keeps_a_text_as_the_form_does(client: Client) -> None:
    hostile = BODY + '<script>alert(1)</script><img src="x">'
    answer = post(client, "texts", {"name": "New", "use": "removal", "subject": " S ", "body": hostile})
    assert answer.status_code == 201
    row = SavedText.objects.get(name="New")
    assert answer.json() == {
        "id": str(row.pk),
        "name": "New",
        "folder": "",
        "use": "removal",
        "is_snippet": False,
        "subject": "S",
        "body": BODY,
        "updated_at": answer.json()["updated_at"],
    }
    assert AuditEvent.objects.get(action="text.saved", object_id=str(row.pk)).actor_kind == "key"


def test_it_keeps_a_snippet(client: Client) -> None:
    answer = post(client, "texts", {"name": "Piece", "body": BODY, "subject": "lost", "is_snippet": True})
    assert (answer.json()["is_snippet"], answer.json()["subject"]) == (True, "")
    assert [row["name"] for row in client.get("/api/v1/texts?kind=snippet").json()["results"]] == ["Piece"]
    names = [row["name"] for row in client.get("/api/v1/texts?kind=text&use=other").json()["results"]]
    assert names == ["First note"]
    for query in ("kind=x", "use=x"):
        assert client.get(f"/api/v1/texts?{query}").status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": BODY}, "name"),
        ({"name": "x"}, "body"),
        ({"name": "x", "body": "<p> </p>"}, "body"),
        ({"name": "x", "body": "x" * 50_001}, "body"),
        ({"name": "a\u2028b", "body": BODY}, "name"),
        ({"name": "First note", "folder": "Huts", "body": BODY}, "name"),
        ({"name": "x", "body": BODY, "use": "nonsense"}, "use"),
        ({"name": "x", "body": BODY, "is_snippet": "yes"}, "is_snippet"),
        ({"name": "x", "body": BODY, "created_by": 1}, "created_by"),
    ],
)
def test_it_names_the_field_that_does_not_fit(client: Client, body: dict[str, Any], field: str) -> None:
    answer = post(client, "texts", body)
    assert answer.status_code == 400
    assert field in [line["field"] for line in answer.json()["errors"]]
    assert SavedText.objects.count() == 1


def test_it_changes_what_is_named_and_nothing_else(client: Client) -> None:
    row = SavedText.objects.get()
    answer = patch(client, row, {"subject": "New subject"})
    assert (answer.status_code, answer.json()["subject"]) == (200, "New subject")
    row.refresh_from_db()
    assert (row.name, row.folder, row.body) == ("First note", "Huts", "<p>A kept text</p>")
    assert patch(client, row, {}).status_code == 200
    for wrong in ({"is_snippet": True}, {"name": ""}, {"body": "<br>"}):
        assert patch(client, row, wrong).status_code == 400, wrong


def test_it_deletes_once(client: Client) -> None:
    row = SavedText.objects.get()
    assert client.delete(f"/api/v1/texts/{row.pk}").status_code == 204
    assert client.delete(f"/api/v1/texts/{row.pk}").status_code == 404
    assert not SavedText.objects.exists()


def test_another_workspace_changes_nothing(here: Workspace, theirs: Workspace) -> None:
    row = SavedText.objects.get()
    client = with_key(make_key(theirs).secret)
    assert patch(client, row, {"name": "Taken over"}).status_code == 404
    assert client.delete(f"/api/v1/texts/{row.pk}").status_code == 404
    row.refresh_from_db()
    assert row.name == "First note"


def test_a_viewer_changes_nothing(here: Workspace, viewer: User) -> None:
    row = SavedText.objects.get()
    client = in_session(viewer, here)
    assert client.get(f"/api/v1/texts/{row.pk}").status_code == 200
    assert patch(client, row, {"name": "Taken over"}).status_code == 403
    assert client.delete(f"/api/v1/texts/{row.pk}").status_code == 403


def test_it_asks_as_many_queries_for_many_as_for_one(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/api/v1/texts").status_code == 200
        return len(asked)

    queries()
    few = queries()
    for number in range(20):
        factories.make_text(f"More {number}", subject="S")
    assert queries() == few
