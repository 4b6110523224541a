"""Contacts: the form, the search, the page of one person, deletion and import, through the front door."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User, Workspace
from outreach.models import Contact, Message, MessageState, Suppression
from tests import factories

SignedIn = Callable[[User], Client]
PASTE = {"basis": "legitimate", "source": "Their imprint"}


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


CSVS = {
    "a byte-order mark and semicolons": "\ufeffE-Mail;Vorname;Thema\r\n"
    "anselm@ridge.example;Anselm;huts\r\nbad;X;y\r\n",
    "old line ends": "Email,First name,Thema\ranselm@ridge.example,Anselm,huts\rbad,X,y\r",
    "tabs": "email\tfirst name\tThema\nanselm@ridge.example\tAnselm\thuts\nbad\tX\ty\n",
}


@pytest.mark.parametrize("text", CSVS.values(), ids=list(CSVS))
def test_it_imports_a_file_in_three_steps_and_names_each_rejected_row(
    client: Client, in_ws: Workspace, text: str
) -> None:
    file = SimpleUploadedFile("people.csv", text.encode())
    checked = client.post(url(in_ws, "contacts/import/"), {**PASTE, "file": file})
    page = checked.content.decode()
    assert "Import 1 person" in page
    assert ">bad, X, y<" in page
    assert "New field: Thema" in page
    assert not Contact.objects.exists()
    done = client.post(url(in_ws, "contacts/import/"), {**_hidden(page), "step": "store"}, follow=True)
    row = Contact.objects.get()
    assert (row.address, row.first_name, row.source) == ("anselm@ridge.example", "Anselm", "Their imprint")
    assert row.fields == {"thema": "huts"}
    assert "1 people added" in done.content.decode() or "1 person" in done.content.decode()


def test_it_reads_columns_as_the_person_matches_them(client: Client, in_ws: Workspace) -> None:
    file = SimpleUploadedFile("people.csv", b"Email,Who,DR\nanselm@ridge.example,Anselm Ridge,41\n")
    page = client.post(url(in_ws, "contacts/import/"), {**PASTE, "file": file}).content.decode()
    fields = {**_hidden(page), "target": ["address", "name", ""], "step": "store"}
    client.post(url(in_ws, "contacts/import/"), fields)
    row = Contact.objects.get()
    assert (row.name, row.fields) == ("Anselm Ridge", {})


def test_it_gives_the_rejected_rows_as_a_file_that_runs_no_formula(client: Client, in_ws: Workspace) -> None:
    file = SimpleUploadedFile("people.csv", b'Email,Name\n=HYPERLINK("x"),Anselm\nok@ridge.example,B\n')
    page = client.post(url(in_ws, "contacts/import/"), {**PASTE, "file": file}).content.decode()
    answer = client.post(url(in_ws, "contacts/import/"), {**_hidden(page), "step": "rejects"})
    assert answer["Content-Type"].startswith("text/csv")
    assert "'=HYPERLINK" in answer.content.decode()


def test_it_keeps_a_blocked_address_blocked_through_an_import(client: Client, in_ws: Workspace) -> None:
    factories.make_suppression("anselm@ridge.example")
    page = client.post(
        url(in_ws, "contacts/import/"), {**PASTE, "lines": "Anselm <anselm@ridge.example>"}
    ).content.decode()
    assert "They stay blocked" in page
    client.post(url(in_ws, "contacts/import/"), {**_hidden(page), "step": "store"})
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lines": ""}, "Paste some lines"),
        ({"lines": "x" * (2 * 1024 * 1024 + 1)}, "more than 2 MB"),
        ({"lines": "anselm@ridge.example", "source": ""}, "Say where the addresses are from"),
        ({"lines": "anselm@ridge.example", "source": "a\nb"}, "Line breaks"),
    ],
)
def test_it_answers_bad_input_beside_the_field(
    client: Client, in_ws: Workspace, values: dict[str, str], words: str
) -> None:
    answer = client.post(url(in_ws, "contacts/import/"), {**PASTE, **values})
    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("people.csv", b""),
        ("people.csv", b"\x00\x01\x02\xff\xfe" * 50),
        ("people.xlsx", b"PK\x03\x04 not a workbook"),
        ("people.csv", b"Name,Company\nAnselm,Ridge\n"),
        ("people.csv", b"Email\n" + b"a" * (2 * 1024 * 1024)),
    ],
    ids=["empty", "binary", "broken workbook", "no addresses", "too large"],
)
def test_it_refuses_a_file_that_is_no_list_of_people(
    client: Client, in_ws: Workspace, name: str, data: bytes
) -> None:
    answer = client.post(url(in_ws, "contacts/import/"), {**PASTE, "file": SimpleUploadedFile(name, data)})
    assert answer.status_code in (200, 422)
    assert "Import 1 " not in answer.content.decode()
    assert not Contact.objects.exists()


def test_it_starts_over_when_the_second_step_comes_back_mangled(client: Client, in_ws: Workspace) -> None:
    for data in ("%%%", "", "AAAA"):
        answer = client.post(
            url(in_ws, "contacts/import/"),
            {
                **PASTE,
                "step": "store",
                "filename": "people.csv",
                "data": data,
                "header": "x",
                "target": "address",
            },
        )
        assert answer.status_code in (200, 302)
    assert not Contact.objects.exists()


def _hidden(page: str) -> dict[str, object]:
    """The fields of step 2 as a browser would send them back."""
    pairs = re.findall(r'<input type="hidden" name="(data|filename|source)" value="([^"]*)"', page)
    headers = re.findall(r'name="header" value="([^"]*)"', page)
    targets = re.findall(r'<option value="([^"]*)" selected>', page)
    return {**dict(pairs), "header": headers, "target": targets[: len(headers)], "basis": "legitimate"}
