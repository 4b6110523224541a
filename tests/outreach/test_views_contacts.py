"""Contacts: the form, the search, the page of one person and deletion, through the front door."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User, Workspace
from outreach.models import Contact, Message, MessageState, Suppression
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str) -> str:
    return f"/w/{ws.slug}/{path}"


def person(**values: str) -> dict[str, str]:
    return {
        "address": "anselm@ridge.example",
        "name": "Anselm Ridge",
        "basis": "legitimate",
        "tracking_consent": "unknown",
        **values,
    }


def test_it_adds_a_contact_with_fields_of_their_own(client: Client, in_ws: Workspace) -> None:
    answer = client.post(
        url(in_ws, "contacts/new/"),
        person(fields_text="Their topic: winter closures\npage = Huts", country="de"),
    )
    row = Contact.objects.get()
    assert answer["Location"] == url(in_ws, f"contacts/{row.pk}/")
    assert (row.first_name, row.country, str(row.site)) == ("Anselm", "DE", "ridge.example")
    assert row.fields == {"their_topic": "winter closures", "page": "Huts"}
    page = client.get(answer["Location"]).content.decode()
    assert "winter closures" in page
    assert "anselm@ridge.example" in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"address": "anselm@ridge"}, "not an address"),
        ({"address": "nobody"}, "not an address"),
        ({"address": "a@b.example, c@d.example"}, "This looks like two"),
        ({"address": "a@b.example\r\nBcc: c@d.example"}, "Line breaks"),
        ({"name": "Anselm\r\nBcc: all@ridge.example"}, "Line breaks"),
        ({"fields_text": "no colon here"}, "Line 1 is not of the form"),
        ({"fields_text": "topic: x\nfirst name: y\n1: z"}, "Line 3 is not of the form"),
        ({"country": "Germany"}, "at most 2"),
        ({"timezone": "Mars/Olympus"}, "not a time zone"),
        ({"website": "not a domain"}, "does not look like a domain"),
    ],
)
def test_it_says_what_is_wrong_beside_the_field_and_keeps_the_text(
    client: Client, in_ws: Workspace, values: dict[str, str], words: str
) -> None:
    answer = client.post(url(in_ws, "contacts/new/"), person(company="Kept & Sons", **values))
    page = answer.content.decode()
    assert words in page
    assert "Kept &amp; Sons" in page
    assert not Contact.objects.exists()


def test_it_refuses_an_address_that_somebody_else_has(client: Client, in_ws: Workspace) -> None:
    factories.make_contact("anselm@ridge.example")
    answer = client.post(url(in_ws, "contacts/new/"), person(address="Anselm@Ridge.example"))
    assert 'class="field wrong"' in answer.content.decode()
    assert Contact.objects.count() == 1


def test_it_changes_a_contact(client: Client, in_ws: Workspace) -> None:
    row = factories.make_contact("anselm@ridge.example", name="Anselm")
    form = client.get(url(in_ws, f"contacts/{row.pk}/edit/")).content.decode()
    assert "anselm@ridge.example" in form
    client.post(url(in_ws, f"contacts/{row.pk}/edit/"), person(name="Anselm Fell", company="Ridge"))
    row.refresh_from_db()
    assert (row.name, row.company) == ("Anselm Fell", "Ridge")


def test_it_finds_by_whole_address_or_a_part_of_company_and_site(client: Client, in_ws: Workspace) -> None:
    factories.make_contact("anselm@ridge.example", company="Almanac")
    factories.make_contact("brisa@long-way.example", company="Journal")
    for asked in ("Anselm@Ridge.example", "almana", "ridge"):
        page = client.get(url(in_ws, "contacts/"), {"q": asked}).content.decode()
        assert "anselm@ridge.example" in page, asked
        assert "brisa@long-way.example" not in page, asked
    assert "Nobody fits" in client.get(url(in_ws, "contacts/"), {"q": "anselm@ridge"}).content.decode()


def test_it_names_what_goes_with_a_contact_and_keeps_the_block(client: Client, in_ws: Workspace) -> None:
    sent = factories.make_message(state=MessageState.SENT)
    factories.make_reply(sent)
    contact = sent.contact
    assert contact is not None
    factories.make_suppression(contact.address)
    asked = client.get(url(in_ws, f"contacts/{contact.pk}/delete/")).content.decode()
    assert "Delete with 2 mails" in asked
    client.post(url(in_ws, f"contacts/{contact.pk}/delete/"))
    assert not Contact.objects.filter(pk=contact.pk).exists()
    assert not Message.objects.exists()
    assert Suppression.objects.count() == 1


def test_it_shows_a_blocked_person_as_suppressed(client: Client, in_ws: Workspace) -> None:
    contact = factories.make_contact("anselm@ridge.example")
    factories.make_suppression("ridge.example", scope="domain")
    assert "Suppressed" in client.get(url(in_ws, "contacts/")).content.decode()
    assert "The whole domain is blocked" in client.get(url(in_ws, f"contacts/{contact.pk}/")).content.decode()


def test_it_lets_a_viewer_look_and_nothing_more(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    contact = factories.make_contact()
    client = signed_in(viewer)
    assert client.get(url(in_ws, f"contacts/{contact.pk}/")).status_code == 200
    for path in (f"contacts/{contact.pk}/edit/", f"contacts/{contact.pk}/delete/", "contacts/import/"):
        assert client.post(url(in_ws, path)).status_code == 403
