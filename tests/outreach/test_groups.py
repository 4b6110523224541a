"""Tags and lists through the front door: made in one place, people in and out of them, with undo."""

from __future__ import annotations

import datetime as dt
import re
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import AuditEvent, User, Workspace
from accounts.tenancy import workspace
from outreach import groups
from outreach.imports import undoing, work
from outreach.models import Contact, ContactImport, Enrollment, Group, Grouping
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def at(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/contacts/groups/{path}"


def inside(name: str) -> list[str]:
    """The addresses that stand in it, in order."""
    rows = Contact.objects.filter(groupings__group__name=name, groupings__is_in=True)
    return sorted(row.address for row in rows)


def press(client: Client, ws: Workspace, act: str, name: str, query: str = "", **given: Any) -> str:
    where = at(ws, "people/") + (f"?{query}" if query else "")
    answer = client.post(where, {"act": act, "kind": "tag", "name": name, **given}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def undo_of(page: str) -> str:
    found = re.search(r'action="([^"]*/groups/undo/[^"]*)"', page)
    assert found, "the toast offers no undo"
    return found[1].replace("&amp;", "&")


def test_it_makes_renames_and_deletes(client: Client, in_ws: Workspace) -> None:
    page = client.post(at(in_ws), {"kind": "list", "name": "  Spring   2027 "}, follow=True).content.decode()
    assert "List “Spring 2027” is there now" in page
    row = Group.objects.get()
    assert (row.kind, row.name) == ("list", "Spring 2027")
    client.post(at(in_ws, f"{row.pk}/"), {"name": "Autumn"})
    row.refresh_from_db()
    assert row.name == "Autumn"
    ana = factories.make_contact("ana@a.example")
    Grouping.objects.create(group=row, contact=ana)
    asked = client.get(at(in_ws, f"{row.pk}/delete/")).content.decode()
    assert "1 person" in asked
    client.post(at(in_ws, f"{row.pk}/delete/"))
    assert not Group.objects.exists()
    assert Contact.objects.get() == ana
    assert AuditEvent.objects.filter(action__startswith="group.").count() == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "tag", "name": "pRESS"}, "There is a tag “Press” already."),
        ({"kind": "tag", "name": ""}, "Give it a name."),
        ({"kind": "tag", "name": "a\nb"}, "Line breaks"),
        ({"kind": "tag", "name": "x" * 61}, "at most 60 characters"),
        ({"kind": "heap", "name": "Other"}, "Select a valid choice"),
    ],
)
def test_it_says_beside_the_field_what_is_wrong(
    client: Client, in_ws: Workspace, given: dict[str, str], words: str
) -> None:
    factories.make_group("Press")
    answer = client.post(at(in_ws), given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Group.objects.count() == 1


def test_a_list_may_bear_the_name_of_a_tag(client: Client, in_ws: Workspace) -> None:
    factories.make_group("Press")
    assert client.post(at(in_ws), {"kind": "list", "name": "Press"}).status_code == 302
    assert Group.objects.count() == 2


def test_it_merges_one_into_another(client: Client, in_ws: Workspace) -> None:
    ana, ben = (factories.make_contact(f"{name}@a.example") for name in ("ana", "ben"))
    old, new = factories.make_group("Old", people=[ana, ben]), factories.make_group("New", people=[ben])
    asked = client.get(at(in_ws, f"{old.pk}/merge/?into={new.pk}")).content.decode()
    assert "Merge 2 people" in asked
    client.post(at(in_ws, f"{old.pk}/merge/"), {"into": str(new.pk), "confirmed": "yes"})
    assert list(Group.objects.all()) == [new]
    assert inside("New") == ["ana@a.example", "ben@a.example"]
    assert client.get(at(in_ws, f"{new.pk}/merge/?into={new.pk}")).status_code == 404


def test_it_puts_the_selected_in_and_undo_takes_only_them_out(client: Client, in_ws: Workspace) -> None:
    people = [factories.make_contact(f"{name}@a.example") for name in ("ana", "ben", "cleo")]
    factories.make_group("Press", people=people[:1])
    page = press(client, in_ws, "put", "press", person=[str(row.pk) for row in people[:2]])
    assert "1 person put into tag “Press”" in page
    assert inside("Press") == ["ana@a.example", "ben@a.example"]
    client.post(undo_of(page))
    assert inside("Press") == ["ana@a.example"]
    again = client.post(undo_of(page), follow=True).content.decode()
    assert "Nothing is left of this to undo" in again
    assert inside("Press") == ["ana@a.example"]


def test_it_takes_out_and_undo_puts_back(client: Client, in_ws: Workspace) -> None:
    people = [factories.make_contact(f"{name}@a.example") for name in ("ana", "ben")]
    row = factories.make_group("Press", people=people)
    page = press(client, in_ws, "take", "Press", person=[str(people[0].pk)])
    assert "1 person taken out of tag “Press”" in page
    assert inside("Press") == ["ben@a.example"]
    client.post(undo_of(page))
    assert inside("Press") == ["ana@a.example", "ben@a.example"]
    # What came after an act is not turned round by undoing it.
    page = press(client, in_ws, "take", "Press", person=[str(people[0].pk)])
    groups.put(row, Contact.objects.filter(pk=people[0].pk), actor=None)
    client.post(undo_of(page))
    assert inside("Press") == ["ana@a.example", "ben@a.example"]


def test_all_that_fit_are_put_in_by_one_statement(client: Client, in_ws: Workspace) -> None:
    Contact.objects.bulk_create(
        [
            factories.contact_row(f"p{number}@a.example", country="PT" if number else "DE")
            for number in range(130)
        ]
    )
    page = client.get(f"/w/{in_ws.slug}/contacts/", {"country": "PT"}).content.decode()
    assert "All 129 that fit" in page
    with CaptureQueriesContext(connection) as few:
        page = press(client, in_ws, "put", "Portugal", "country=PT", all="yes")
    assert "129 people put into tag “Portugal”" in page
    assert Grouping.objects.standing().count() == 129
    assert len([one for one in few if "INSERT INTO outreach_grouping" in one["sql"]]) == 1
    client.post(undo_of(page))
    assert not Grouping.objects.standing().exists()


def test_an_unknown_name_makes_one_only_to_put_in(client: Client, in_ws: Workspace) -> None:
    ana = factories.make_contact("ana@a.example")
    assert "There is no tag “Nix”" in press(client, in_ws, "take", "Nix", person=[str(ana.pk)])
    assert not Group.objects.exists()
    assert "Give it a name" in press(client, in_ws, "put", "", person=[str(ana.pk)])
    assert "Nobody was chosen" in press(client, in_ws, "put", "Nix", person=[str(uuid.uuid4())])
    assert not Group.objects.exists()
    press(client, in_ws, "put", "Nix", person=[str(ana.pk)])
    assert inside("Nix") == ["ana@a.example"]


def test_one_person_bears_tags_on_their_page(client: Client, in_ws: Workspace) -> None:
    ana = factories.make_contact("ana@a.example")
    page = press(client, in_ws, "put", "Press", f"person={ana.pk}", person=[str(ana.pk)])
    assert "<title>ana" in page
    assert "Take out of tag Press" in page
    client.post(undo_of(page))
    assert "In none yet" in client.get(f"/w/{in_ws.slug}/contacts/{ana.pk}/").content.decode()


def test_rows_cost_no_more_queries(client: Client, in_ws: Workspace) -> None:
    url = f"/w/{in_ws.slug}/contacts/"
    factories.make_group("Zero", people=[factories.make_contact("zero@a.example")])
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for number in range(12):
        person = factories.make_contact(f"p{number}@p{number}.example")
        factories.make_group(f"Tag {number}", people=[person])
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)
    with CaptureQueriesContext(connection) as places:
        client.get(at(in_ws))
    assert len(places) <= len(many)


def test_a_viewer_looks_only(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    ana = factories.make_contact("ana@a.example")
    factories.make_group("Press", people=[ana])
    me = signed_in(viewer)
    assert "Press" in me.get(at(in_ws)).content.decode()
    assert "Press" in me.get(f"/w/{in_ws.slug}/contacts/{ana.pk}/").content.decode()
    assert me.post(at(in_ws), {"kind": "tag", "name": "Mine"}).status_code == 403
    assert me.post(at(in_ws, "people/"), {"act": "take", "kind": "tag", "name": "Press"}).status_code == 403


def test_two_imports_of_one_tag_at_once_make_it_once(ws: Workspace, transactional_db: None) -> None:
    wrong: list[Exception] = []

    def make() -> None:
        try:
            with workspace(ws):
                groups.find_or_make("tag", "Press", actor=None)
        except Exception as error:  # noqa: BLE001  (shown below)
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with workspace(ws):
        assert Group.objects.count() == 1


LIST = "email,name,tags\nana@a.example,Ana,Press; Winter\nben@b.example,Ben,press\ncleo@c.example,Cleo,\n"


def brought(client: Client, ws: Workspace, lines: str = LIST, **given: str) -> ContactImport:
    client.post(f"/w/{ws.slug}/contacts/import/", {"lines": lines, "basis": "legitimate", "source": "A list"})
    row = ContactImport.objects.order_by("-pk")[0]
    page = client.get(f"/w/{ws.slug}/contacts/imports/{row.pk}/").content.decode()
    assert '<option value="tags" selected>Tags</option>' in page
    client.post(f"/w/{ws.slug}/contacts/imports/{row.pk}/", {"step": "store", "basis": "legitimate", **given})
    row.refresh_from_db()
    return row


def test_an_import_brings_tags_and_puts_everybody_into_a_list(client: Client, in_ws: Workspace) -> None:
    cleo = factories.make_contact("cleo@c.example")
    row = brought(client, in_ws, kind="list", name="Spring")
    assert (row.state, row.grouped) == ("done", 6)
    assert inside("Press") == ["ana@a.example", "ben@b.example"]
    assert inside("Winter") == ["ana@a.example"]
    assert len(inside("Spring")) == 3
    assert undoing.begin(row, actor=None)
    while work.go_on(row):
        pass
    assert list(Contact.objects.all()) == [cleo]
    assert not Grouping.objects.standing().exists()


def test_undoing_an_import_of_known_people_takes_them_out_again(client: Client, in_ws: Workspace) -> None:
    people = [
        factories.make_contact(f"{name}") for name in ("ana@a.example", "ben@b.example", "cleo@c.example")
    ]
    factories.make_group("Press", people=people[:1])
    row = brought(client, in_ws)
    assert (row.new, row.grouped) == (0, 2)
    assert row.may_be_undone
    asked = client.get(f"/w/{in_ws.slug}/contacts/imports/{row.pk}/undo/").content.decode()
    assert "taken out of them again" in asked
    client.post(f"/w/{in_ws.slug}/contacts/imports/{row.pk}/undo/")
    assert inside("Press") == ["ana@a.example"]
    assert inside("Winter") == []


def test_an_import_says_what_is_wrong_with_a_tag_and_with_the_name(client: Client, in_ws: Workspace) -> None:
    lines = (
        f"email,tags\nana@a.example,{'x' * 61}\nben@b.example,{';'.join(map(str, range(21)))}\nc@c.example,\n"
    )
    row = brought(client, in_ws, lines, kind="list", name="y" * 61)
    assert row.state == "checked"
    assert (row.rejected, Group.objects.count()) == (2, 0)
    page = client.get(f"/w/{in_ws.slug}/contacts/imports/{row.pk}/").content.decode()
    assert "At most 20 tags for one person; this has 21." in page


def test_what_was_taken_out_is_forgotten_after_a_day(in_ws: Workspace) -> None:
    row = factories.make_group("Press", people=[factories.make_contact("ana@a.example")])
    groups.take(row, Contact.objects.all(), actor=None)
    work.forget()
    assert Grouping.objects.count() == 1
    Grouping.objects.update(at=clock.now() - dt.timedelta(days=2))
    work.forget()
    assert not Grouping.objects.exists()


def test_a_campaign_takes_everybody_of_a_list(client: Client, in_ws: Workspace) -> None:
    people = [factories.make_contact(f"p{number}@a.example") for number in range(60)]
    factories.make_contact("other@a.example")
    row = factories.make_group("Spring", kind="list", people=people)
    campaign = factories.make_campaign(contacts=people[:2])
    url = f"/w/{in_ws.slug}/campaigns/{campaign.pk}/people/?list={row.pk}"
    page = client.get(url).content.decode()
    assert "Add all 58 that fit" in page
    done = client.post(url, {"about": "fit"}, follow=True).content.decode()
    assert "58 people added" in done
    assert Enrollment.objects.filter(campaign=campaign).count() == 60
