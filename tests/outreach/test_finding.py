"""What the palette finds: a few of each kind, of this workspace and of what a person sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from accounts.viewpoint import looking_as
from outreach import finding
from outreach.models import Project, ProjectAccess
from tests import factories

SignedIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(in_ws: Workspace) -> Workspace:
    person = factories.make_contact("ana@ridgewalkers.example", name="Ana Lima", company="Ridge Ltd")
    project = factories.make_project("Ridge links", website="ridge.example")
    mailbox = factories.make_mailbox(address="mira@ridge.example", display_name="Mira Dahl")
    factories.make_campaign(name="Ridge in winter", project=project, mailbox=mailbox, contacts=[person])
    factories.make_text("Ridge note", folder="Huts")
    return in_ws


def kinds(asked: str) -> list[tuple[str, str]]:
    return [(hit.kind, hit.label) for hit in finding.find(asked)]


def test_it_finds_each_kind_by_a_word(filled: Workspace) -> None:
    assert kinds("RIDGE") == [
        ("campaign", "Ridge in winter"),
        ("project", "Ridge links"),
        ("site", "ridgewalkers.example"),
        ("text", "Ridge note"),
        ("mailbox", "mira@ridge.example"),
    ]
    assert kinds("www.ridgewalkers") == [("site", "ridgewalkers.example")]


def test_it_finds_a_person_by_the_whole_address_alone(filled: Workspace) -> None:
    assert ("person", "Ana Lima") in kinds(" Ana@Ridgewalkers.example ")
    assert ("person", "Ana Lima") not in kinds("ana@ridgewalkers")
    assert kinds("Ana Lima") == []


@pytest.mark.parametrize("asked", ["", " ", "r", "%", "__", "\x00\x00", "x" * 5000, "' OR 1=1", "@", "@@"])
def test_it_bears_any_words(filled: Workspace, asked: str) -> None:
    assert kinds(asked) == []


def test_it_gives_a_few_of_each_and_asks_as_often_for_many(filled: Workspace) -> None:
    with CaptureQueriesContext(connection) as few:
        finding.find("ridge")
    for number in range(20):
        factories.make_campaign(name=f"Ridge {number}")
        factories.make_contact(f"a@ridge{number}.example")
        factories.make_text(f"Ridge {number}")
    with CaptureQueriesContext(connection) as many:
        found = kinds("ridge")
    assert len(many) == len(few)
    assert all(sum(kind == one for kind, _ in found) <= finding.MOST for one, _ in found)


def test_it_finds_nothing_of_projects_that_one_does_not_see(filled: Workspace, member: User) -> None:
    row = Membership.objects.get(workspace=filled, user=member)
    row.all_projects = False
    row.save()
    with looking_as(row):
        assert "campaign" not in dict(kinds("ridge"))
        assert "project" not in dict(kinds("ridge"))
    ProjectAccess.objects.create(project=Project.objects.get(name="Ridge links"), membership=row)
    with looking_as(row):
        assert dict(kinds("ridge"))["campaign"] == "Ridge in winter"


def test_it_answers_with_addresses_that_lead_there(
    filled: Workspace, signed_in: SignedIn, viewer: User, stranger: User
) -> None:
    client = signed_in(viewer)
    body = client.get(f"/w/{filled.slug}/find/", {"q": "ridge"}).json()["found"]
    assert len(body) == 5
    for hit in body:
        answer = client.get(hit["url"])
        assert answer.status_code == 200
        assert hit["label"] in answer.content.decode()
    assert signed_in(stranger).get(f"/w/{filled.slug}/find/", {"q": "ridge"}).status_code == 404


def test_it_stays_in_its_workspace(filled: Workspace, stranger: User) -> None:
    with workspace(Membership.objects.get(user=stranger).workspace):
        assert kinds("ridge") == []
