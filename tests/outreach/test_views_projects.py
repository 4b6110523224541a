"""Projects, sites and their lists, through the front door."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from outreach.models import Campaign, Message, MessageState, Project
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str) -> str:
    return f"/w/{ws.slug}/{path}"


def test_it_makes_renames_and_lists_a_project(client: Client, in_ws: Workspace) -> None:
    answer = client.post(
        url(in_ws, "projects/new/"), {"name": "Guides", "website": "https://Fernhill.example/a"}
    )
    row = Project.objects.get()
    assert answer["Location"] == url(in_ws, f"projects/{row.pk}/")
    assert row.website == "fernhill.example"
    client.post(url(in_ws, f"projects/{row.pk}/edit/"), {"name": "Trail guides", "website": ""})
    assert "Trail guides" in client.get(url(in_ws, "projects/")).content.decode()


def test_it_refuses_a_taken_name_and_a_line_break_and_keeps_the_text(
    client: Client, in_ws: Workspace
) -> None:
    factories.make_project("Guides")
    taken = client.post(url(in_ws, "projects/new/"), {"name": "Guides", "website": "kept.example"})
    assert "There is a project of this name" in taken.content.decode()
    assert "kept.example" in taken.content.decode()
    broken = client.post(url(in_ws, "projects/new/"), {"name": "Guides\r\nBcc: x@y.example"})
    assert "Line breaks" in broken.content.decode()
    assert Project.objects.count() == 1


def test_it_names_the_numbers_before_it_deletes_a_project_with_its_mail(
    client: Client, in_ws: Workspace
) -> None:
    sent = factories.make_message(state=MessageState.SENT)
    factories.make_reply(sent)
    project = sent.project
    asked = client.get(url(in_ws, f"projects/{project.pk}/delete/")).content.decode()
    assert "Delete 2 mails" in asked
    assert Project.objects.filter(pk=project.pk).exists()
    client.post(url(in_ws, f"projects/{project.pk}/delete/"))
    assert not Project.objects.filter(pk=project.pk).exists()
    assert not Message.objects.exists()
    assert not Campaign.objects.exists()


def test_it_shows_a_viewer_the_project_and_no_acts(
    signed_in: SignedIn, viewer: User, in_ws: Workspace
) -> None:
    project = factories.make_project()
    client = signed_in(viewer)
    page = client.get(url(in_ws, f"projects/{project.pk}/"))
    assert page.status_code == 200
    assert "/delete/" not in page.content.decode()
    assert client.post(url(in_ws, f"projects/{project.pk}/delete/")).status_code == 403
    assert client.get(url(in_ws, "projects/new/")).status_code == 403


def test_it_answers_404_to_a_stranger(signed_in: SignedIn, stranger: User, in_ws: Workspace) -> None:
    project = factories.make_project()
    assert signed_in(stranger).get(url(in_ws, f"projects/{project.pk}/")).status_code == 404


@pytest.mark.parametrize("path", ["projects/", "sites/", "contacts/", "suppressions/", "campaigns/"])
def test_it_asks_no_more_of_the_database_for_50_rows_than_for_5(
    client: Client, in_ws: Workspace, path: str
) -> None:
    _rows(5)
    client.get(url(in_ws, path))
    with CaptureQueriesContext(connection) as few:
        assert client.get(url(in_ws, path)).status_code == 200
    _rows(45)
    with CaptureQueriesContext(connection) as many:
        page = client.get(url(in_ws, path)).content.decode()
    assert len(many) == len(few), [query["sql"] for query in many.captured_queries]
    assert page.count("<tr") >= 46


def test_it_asks_no_more_for_a_site_or_a_contact_with_many_mails(client: Client, in_ws: Workspace) -> None:
    contact = factories.make_contact("anselm@ridge.example")
    pages = [url(in_ws, f"contacts/{contact.pk}/"), url(in_ws, f"sites/{contact.site_id}/")]
    counts: dict[str, list[int]] = {page: [] for page in pages}
    for more in (5, 45):
        for _ in range(more):
            enrollment = factories.make_enrollment(factories.make_campaign(), contact)
            factories.make_message(enrollment, state=MessageState.SENT)
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as found:
                assert client.get(page).status_code == 200
            counts[page].append(len(found))
    for few, many in counts.values():
        assert few == many


def test_it_shows_a_sites_people_and_finds_a_site_by_a_part_of_its_domain(
    client: Client, in_ws: Workspace
) -> None:
    ridge = factories.make_contact("anselm@ridge.example", name="Anselm Ridge")
    factories.make_contact("brisa@other.example")
    found = client.get(url(in_ws, "sites/"), {"q": "ridg"}).content.decode()
    assert "ridge.example" in found
    assert "other.example" not in found
    assert "Anselm Ridge" in client.get(url(in_ws, f"sites/{ridge.site_id}/")).content.decode()


def _rows(count: int) -> None:
    for _ in range(count):
        contact = factories.make_contact()
        campaign = factories.make_campaign(contacts=[contact])
        factories.make_message(campaign.enrollments.get(), state=MessageState.SENT)
        factories.make_suppression(f"gone-{contact.pk}@blocked.example")
