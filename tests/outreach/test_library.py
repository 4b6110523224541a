"""The library through the front door: keeping, finding, changing, copying and deleting texts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, Membership, User, Workspace
from accounts.tenancy import workspace
from outreach.models import SavedText
from tests import factories

SignedIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
BODY = '<p>Hello {{ first_name | default: "there" }}</p>'
GIVEN = {
    "name": "First note",
    "folder": "Huts",
    "use": "guest_post",
    "subject": "On {{ site }}",
    "body": BODY,
}


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/library/{path}"


def test_it_keeps_a_text(client: Client, in_ws: Workspace, member: User) -> None:
    answer = client.post(url(in_ws, "new/"), GIVEN, follow=True)
    row = SavedText.objects.get()
    assert (row.name, row.folder, row.use, row.is_snippet) == ("First note", "Huts", "guest_post", False)
    assert (row.subject, row.body.replace("&quot;", '"')) == ("On {{ site }}", BODY)
    assert row.created_by == member
    page = answer.content.decode()
    assert "“First note” is in the library" in page
    assert "On Site" in page
    event = AuditEvent.objects.get(action="text.saved")
    assert (event.object_id, event.actor) == (str(row.pk), member)


def test_it_keeps_a_snippet_without_a_subject(client: Client, in_ws: Workspace) -> None:
    page = client.get(url(in_ws, "new/"), {"kind": "snippet"}).content.decode()
    assert "New snippet" in page
    assert '<option value="other" selected>' in page
    assert 'name="subject"' not in page
    client.post(url(in_ws, "new/"), {**GIVEN, "is_snippet": "on"})
    row = SavedText.objects.get()
    assert (row.is_snippet, row.subject) == (True, "")


def test_it_shows_texts_by_folder_and_finds_them(client: Client, in_ws: Workspace) -> None:
    factories.make_text("Zebra", folder="Huts", use="guest_post")
    factories.make_text("Ant", folder="Huts")
    factories.make_text("Loose one")
    page = client.get(url(in_ws)).content.decode()
    assert re.findall(r'<tr class="grp">.*?<b>(.*?)</b>', page) == ["No folder", "Huts"]
    assert page.index("Loose one") < page.index("Ant") < page.index("Zebra")
    found = client.get(url(in_ws), {"q": "ZEB"}).content.decode()
    assert "Zebra" in found
    assert "Loose one" not in found
    only = client.get(url(in_ws), {"use": "guest_post"}).content.decode()
    assert "Zebra" in only
    assert "Loose one" not in only
    assert "No text fits" in client.get(url(in_ws), {"q": "nobody has this"}).content.decode()


def test_it_says_what_is_missing_and_keeps_what_was_typed(client: Client, in_ws: Workspace) -> None:
    factories.make_text("Taken", folder="Huts")
    for given, words in (
        ({"name": ""}, "This field is required"),
        ({"name": "Taken"}, "There is a text of this name in “Huts”. Choose another."),
        ({"name": "Two\r\nlines"}, "Line breaks"),
        ({"body": "<p><br></p>"}, "There is no text yet."),
        ({"body": "x" * 60_000}, "This text has 60,000 characters"),
        ({"subject": "s" * 300}, "A subject has at most 250 characters"),
        ({"use": "nonsense"}, "Select a valid choice"),
    ):
        answer = client.post(url(in_ws, "new/"), {**GIVEN, "folder": "Huts", **given})
        page = answer.content.decode()
        assert answer.status_code == 422, given
        assert words in page, given
        assert 'value="Huts"' in page, given
        assert ("Hello {{ first_name" in page) == ("body" not in given), given
    assert SavedText.objects.count() == 1


def test_it_changes_a_text_and_leaves_its_kind(client: Client, in_ws: Workspace) -> None:
    row = factories.make_text("Old", is_snippet=True)
    page = client.get(url(in_ws, f"{row.pk}/")).content.decode()
    assert "&lt;p&gt;A kept text&lt;/p&gt;" in page
    client.post(url(in_ws, f"{row.pk}/"), {**GIVEN, "name": "New"})
    row.refresh_from_db()
    assert (row.name, row.folder, row.is_snippet, row.subject) == ("New", "Huts", True, "")
    assert client.post(url(in_ws, f"{row.pk}/"), {**GIVEN, "name": "New"}).status_code == 302
    assert client.post(url(in_ws, f"{row.pk}/"), {**GIVEN, "name": ""}).status_code == 422


def test_it_duplicates_and_deletes(client: Client, in_ws: Workspace) -> None:
    row = factories.make_text("n" * 120, folder="Huts", subject="S", use="removal")
    answer = client.post(url(in_ws, f"{row.pk}/duplicate/"))
    copy = SavedText.objects.exclude(pk=row.pk).get()
    assert answer["Location"] == url(in_ws, f"{copy.pk}/")
    assert copy.name == "n" * 112 + " (copy)"
    assert (copy.folder, copy.subject, copy.body, copy.use) == ("Huts", "S", row.body, "removal")
    asked = client.get(url(in_ws, f"{copy.pk}/delete/")).content.decode()
    assert "Steps that were written from it keep their text." in asked
    assert SavedText.objects.count() == 2
    client.post(url(in_ws, f"{copy.pk}/delete/"))
    assert SavedText.objects.get() == row


def test_a_viewer_reads_and_changes_nothing(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    row = factories.make_text("To be read", subject="On {{ site }}", body=BODY)
    client = signed_in(viewer)
    page = client.get(url(in_ws, f"{row.pk}/")).content.decode()
    assert '<span class="chip">First name or “there”</span>' in page
    assert "<textarea" not in page
    assert "New text" not in client.get(url(in_ws)).content.decode()
    for path in ("new/", f"{row.pk}/", f"{row.pk}/duplicate/", f"{row.pk}/delete/"):
        assert client.post(url(in_ws, path), GIVEN).status_code == 403, path
    row.refresh_from_db()
    assert (row.name, SavedText.objects.count()) == ("To be read", 1)


def test_it_belongs_to_one_workspace(signed_in: SignedIn, stranger: User, in_ws: Workspace) -> None:
    row = factories.make_text("Ours alone")
    there = Membership.objects.get(user=stranger).workspace
    client = signed_in(stranger)
    assert client.get(url(in_ws, f"{row.pk}/")).status_code == 404
    assert client.get(url(there, f"{row.pk}/")).status_code == 404
    assert "Ours alone" not in client.get(url(there)).content.decode()
    with workspace(there):
        assert not SavedText.objects.exists()


def test_it_never_runs_what_somebody_kept(
    client: Client, in_ws: Workspace, viewer: User, signed_in: SignedIn
) -> None:
    hostile = (
        '<p onclick="x()">A<script>alert(1)</script><img src=x onerror=alert(1)>'
        '<a href="javascript:x">b</a></p>'
    )
    name = '"><script>alert(2)</script>'
    client.post(url(in_ws, "new/"), {**GIVEN, "name": name, "folder": name[:60], "body": hostile})
    row = SavedText.objects.get()
    assert row.body == "<p>A<a>b</a></p>"
    SavedText.objects.filter(pk=row.pk).update(name=name)
    for person in (client, signed_in(viewer)):
        for path in ("", f"{row.pk}/"):
            page = person.get(url(in_ws, path)).content.decode()
            assert "<script>alert" not in page, path
            assert "onerror" not in page, path


def test_it_asks_the_same_few_queries_for_many_texts(client: Client, in_ws: Workspace) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url(in_ws)).status_code == 200
        return len(asked)

    factories.make_text("One", folder="A")
    queries()
    few = queries()
    for number in range(40):
        factories.make_text(f"More {number}", folder=f"F{number}", subject=f"S {number}")
    assert queries() == few
