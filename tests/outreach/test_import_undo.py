"""Undoing an import: who goes, who stays and why, and what is blank again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from outreach import contacts
from outreach.importing import read_pasted
from outreach.imports import steps, storing, undoing
from outreach.models import (
    Card,
    Contact,
    ContactImport,
    Enrollment,
    ImportPart,
    ImportState,
    Message,
    RemovalCase,
    Site,
)
from tests import factories
from tests.outreach.lists import csv_of, worked_off

SignedIn = Callable[[User], Client]
# What may hold a contact; an undo has to ask each of them.
HOLDERS = {"messages", "enrollments", "threads", "cases", "cards"}


def stored(*addresses: str) -> ContactImport:
    row = factories.make_import(*addresses)
    assert steps.store(row, mapping=row.mapping, basis=row.basis)
    while steps.go_on(row):
        pass
    return row


def undone(here: Workspace, row: ContactImport) -> ContactImport:
    assert undoing.begin(row, actor=None)
    return worked_off(here, row)


def person(address: str) -> Contact:
    row = contacts.find(address)
    assert row is not None
    return row


def test_it_asks_every_table_that_may_hold_a_person() -> None:
    found = {relation.get_accessor_name() for relation in Contact._meta.related_objects}
    # A tag or a list keeps nobody: it goes with the person.
    assert found == HOLDERS | {"groupings"}


def test_it_deletes_who_means_nothing_to_anybody(in_ws: Workspace) -> None:
    before = factories.make_contact("kept@two.example")
    row = undone(in_ws, stored("ana@one.example", "bo@one.example", "kept@two.example"))
    assert (row.state, row.removed) == (ImportState.UNDONE, 2)
    assert list(Contact.objects.all()) == [before]
    assert not row.may_be_undone
    assert not undoing.begin(row, actor=None)


def test_it_keeps_who_was_written_to_enrolled_attached_edited_or_named_again(
    in_ws: Workspace, signed_in: SignedIn, member: User
) -> None:
    names = ("written", "answered", "enrolled", "attached", "carded", "edited", "again", "goes")
    row = stored(*[f"{name}@one.example" for name in names])
    campaign = factories.make_campaign()
    factories.make_message(factories.make_enrollment(campaign, person("written@one.example")))
    factories.make_enrollment(campaign, person("enrolled@one.example"))
    project = factories.make_project()
    site = Site.objects.get(domain="one.example")
    RemovalCase.objects.create(project=project, site=site, contact=person("attached@one.example"))
    Card.objects.create(project=project, contact=person("carded@one.example"))
    factories.make_thread(factories.make_enrollment(campaign, person("answered@one.example")))
    # Each is held by one thing alone.
    alone = [person("written@one.example"), person("answered@one.example")]
    Message.objects.filter(contact__in=alone).update(
        enrollment=None, campaign=None, step=None, kind="answer", compose_id=uuid.uuid4()
    )
    Enrollment.objects.filter(contact__in=alone).delete()
    edited = person("edited@one.example")
    contacts.save_contact(address=edited.address, name="Now Known", contact=edited)
    storing.store(read_pasted("again@one.example"), source="Another list")
    client = signed_in(member)
    at = f"/w/{in_ws.slug}/contacts/imports/{row.pk}/"
    asked = client.get(f"{at}undo/").content.decode()
    assert "Delete 1 person" in asked
    assert (
        "7 people stay: 2 exchanged mail with you, 1 in a campaign, 1 the contact of a removal case, "
        "1 on a project’s board, " in asked
    )
    assert "2 edited since or named by another list" in asked
    client.post(f"{at}undo/")
    row.refresh_from_db()
    assert (row.state, row.removed) == (ImportState.UNDONE, 1)
    left = {str(one.address).partition("@")[0] for one in Contact.objects.all()}
    assert left == set(names) - {"goes"}
    assert "7 people stay" in client.get(at).content.decode()


def test_it_does_not_delete_who_is_held_by_a_project_that_a_member_does_not_see(
    in_ws: Workspace, signed_in: SignedIn, member: User
) -> None:
    from accounts.models import Membership
    from outreach.models import ProjectAccess

    seen = factories.make_project("Seen")
    row = stored("ana@one.example", "bo@one.example")
    factories.make_enrollment(factories.make_campaign(), person("ana@one.example"))
    me = Membership.objects.get(user=member, workspace=in_ws)
    Membership.objects.filter(pk=me.pk).update(all_projects=False)
    ProjectAccess.objects.create(membership=me, project=seen)
    client = signed_in(member)
    at = f"/w/{in_ws.slug}/contacts/imports/{row.pk}/undo/"
    assert "Delete 1 person" in client.get(at).content.decode()
    client.post(at)
    assert [one.address for one in Contact.objects.all()] == ["ana@one.example"]


def test_it_empties_what_it_filled_in_where_nobody_changed_it(in_ws: Workspace) -> None:
    both: dict[str, Any] = {"name": "", "company": "", "country": "", "fields": {"own": "mine"}}
    same = factories.make_contact("ana@one.example", **both)
    changed = factories.make_contact("bo@one.example", **both)
    data = (
        b"Email,Name,Company,Country,Topic\n"
        b"ana@one.example,Ana Lima,One,PT,huts\nbo@one.example,Bo Ray,Two,ES,maps\n"
    )
    row = steps.begin(data, filename="a.csv", basis="legitimate", source="List", actor=None)
    worked_off(in_ws, row)
    steps.store(row, mapping=row.mapping, basis=row.basis)
    worked_off(in_ws, row)
    same.refresh_from_db()
    assert (row.filled, same.company, same.fields) == (2, "One", {"own": "mine", "topic": "huts"})
    Contact.objects.filter(pk=changed.pk).update(company="Three", fields={"own": "mine", "topic": "passes"})
    undone(in_ws, row)
    same.refresh_from_db()
    changed.refresh_from_db()
    assert (same.name, same.company, same.country, same.fields) == ("", "", "", {"own": "mine"})
    assert (changed.name, changed.company, changed.country) == ("", "Three", "")
    assert changed.fields == {"own": "mine", "topic": "passes"}
    assert row.emptied == 2
    assert not ImportPart.objects.filter(kind="journal").exists()


def test_it_goes_on_in_batches_behind_the_page(in_ws: Workspace, signed_in: SignedIn, member: User) -> None:
    row = worked_off(
        in_ws,
        steps.begin(csv_of(1_300), filename="a.csv", basis="legitimate", source="List", actor=None),
    )
    steps.store(row, mapping=row.mapping, basis=row.basis)
    worked_off(in_ws, row)
    client = signed_in(member)
    at = f"/w/{in_ws.slug}/contacts/imports/{row.pk}/"
    page = client.post(f"{at}undo/", follow=True).content.decode()
    assert "The import is being undone" in page
    assert Contact.objects.count() == 1_300
    assert undoing.go_on(row, until=0.0)
    row.refresh_from_db()
    assert (row.state, row.removed, Contact.objects.count()) == (ImportState.UNDOING, 500, 800)
    worked_off(in_ws, row)
    assert (row.state, row.removed, Contact.objects.count()) == (ImportState.UNDONE, 1_300, 0)


def test_it_looks_again_before_it_deletes(in_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody enrols a person between the look and the lock."""
    row = stored("ana@one.example", "bo@one.example")
    assert undoing.begin(row, actor=None)
    at_work = undoing._at_work
    untouched = type(Contact.objects.all()).untouched
    looks: list[int] = []

    def looked(rows: object) -> object:
        looks.append(1)
        if len(looks) == 2:
            factories.make_enrollment(factories.make_campaign(), person("ana@one.example"))
        return untouched(rows)  # type: ignore[arg-type]

    monkeypatch.setattr(type(Contact.objects.all()), "untouched", looked)
    assert at_work(row)
    while undoing.go_on(row):
        pass
    assert [one.address for one in Contact.objects.all()] == ["ana@one.example"]


def test_it_stands_in_the_activity_log(in_ws: Workspace, owner: User) -> None:
    row = stored("ana@one.example")
    undoing.begin(row, actor=owner)
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"contacts.imported", "contacts.import_undone"} <= actions


def test_it_is_not_offered_after_thirty_days(
    in_ws: Workspace, signed_in: SignedIn, member: User, later: Callable[..., None]
) -> None:
    row = stored("ana@one.example")
    at = f"/w/{in_ws.slug}/contacts/imports/{row.pk}/"
    later(days=31)
    client = signed_in(member)
    assert "Undo this import" not in client.get(at).content.decode()
    assert client.get(f"{at}undo/").status_code == 302
    client.post(f"{at}undo/")
    assert Contact.objects.count() == 1
