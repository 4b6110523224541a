"""Importing people through the front door: the file, the columns, the result, past imports."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from outreach.imports import steps
from outreach.models import Contact, ContactImport, ImportPart, ImportState, Suppression
from tests import factories
from tests.outreach.lists import PASTE, csv_of, hidden, workbook_of, worked_off

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str) -> str:
    return f"/w/{ws.slug}/{path}"


def brought(client: Client, ws: Workspace, name: str, data: bytes) -> tuple[str, str]:
    """(the address of the import, its page) behind the first step."""
    file = SimpleUploadedFile(name, data)
    answer = client.post(url(ws, "contacts/import/"), {**PASTE, "file": file})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"], client.get(answer["Location"]).content.decode()


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
    at, page = brought(client, in_ws, "people.csv", text.encode())
    assert "Import 1 person" in page
    assert ">bad, X, y<" in page
    assert "New field: Thema" in page
    assert not Contact.objects.exists()
    done = client.post(at, {**hidden(page), "step": "store"}, follow=True).content.decode()
    row = Contact.objects.get()
    assert (row.address, row.first_name, row.source) == ("anselm@ridge.example", "Anselm", "Their imprint")
    assert row.fields == {"thema": "huts"}
    assert "1 person added" in done
    assert ">bad, X, y<" in done
    assert "Undo this import" in done
    assert not ImportPart.objects.filter(kind__in=["file", "rows"]).exists()


def test_it_reads_a_workbook_at_once(client: Client, in_ws: Workspace) -> None:
    data = workbook_of([["Email", "Name"], ["anselm@ridge.example", "Anselm Ridge"]])
    at, page = brought(client, in_ws, "people.xlsx", data)
    client.post(at, {**hidden(page), "step": "store"})
    assert Contact.objects.get().name == "Anselm Ridge"


def test_it_reads_columns_as_the_person_matches_them(client: Client, in_ws: Workspace) -> None:
    at, page = brought(client, in_ws, "people.csv", b"Email,Who,DR\nanselm@ridge.example,Anselm Ridge,41\n")
    client.post(at, {**hidden(page), "target": ["address", "name", ""], "step": "store"})
    row = Contact.objects.get()
    assert (row.name, row.fields) == ("Anselm Ridge", {})


def test_it_offers_each_place_of_a_column_once(client: Client, in_ws: Workspace) -> None:
    _, page = brought(client, in_ws, "people.csv", b"Email,Last name,Company\nanselm@ridge.example,Ridge,R\n")
    assert hidden(page)["target"] == ["address", "last_name", "company"]
    assert "New field: Last name" not in page


def test_it_checks_anew_with_other_columns(client: Client, in_ws: Workspace) -> None:
    at, page = brought(
        client, in_ws, "people.csv", b"Email,Second\nanselm@ridge.example,other@ridge.example\nx,y\n"
    )
    assert ">x, y<" in page
    fields = {**hidden(page), "target": ["", "address"], "step": "match"}
    page = client.post(at, fields, follow=True).content.decode()
    row = ContactImport.objects.get()
    assert (row.state, row.new, row.rejected) == (ImportState.CHECKED, 1, 1)
    client.post(at, {**hidden(page), "step": "store"})
    assert Contact.objects.get().address == "other@ridge.example"


def test_it_remembers_how_columns_were_matched(client: Client, in_ws: Workspace) -> None:
    at, page = brought(client, in_ws, "a.csv", b"Email,Who,DR\nanselm@ridge.example,Anselm Ridge,41\n")
    client.post(at, {**hidden(page), "target": ["address", "name", ""], "step": "store"})
    _, page = brought(client, in_ws, "b.csv", b"Email,Who,DR\nbrisa@long-way.example,Brisa Way,9\n")
    assert hidden(page)["target"] == ["address", "name", ""]
    _, page = brought(client, in_ws, "c.csv", b"Email,Who,Rank\ncy@long-way.example,Cy,9\n")
    assert hidden(page)["target"] == ["address", "who", "rank"]


def test_it_asks_for_the_column_of_addresses(client: Client, in_ws: Workspace) -> None:
    at, page = brought(client, in_ws, "people.csv", b"Email,Name\nanselm@ridge.example,Anselm\n")
    answer = client.post(at, {**hidden(page), "target": ["", "name"], "step": "store"})
    assert answer.status_code == 422
    assert "Choose the column that holds the addresses" in answer.content.decode()
    assert hidden(answer.content.decode())["target"] == ["", "name"]
    assert ContactImport.objects.get().state == ImportState.CHECKED


def test_it_gives_the_rejected_rows_whole_and_runs_no_formula(client: Client, in_ws: Workspace) -> None:
    long = "x" * 400
    data = f'Email,Name,Note\n=HYPERLINK("x"),Anselm,{long}\nok@ridge.example,B,\nno,C,d,e\n'
    at, page = brought(client, in_ws, "people.csv", data.encode())
    for _ in ("checked", "done"):
        answer = client.get(f"{at}rejected/")
        assert answer["Content-Type"].startswith("text/csv")
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert lines[0] == "Email,Name,Note,,Row,Why"
        assert "'=HYPERLINK" in lines[1]
        assert f",Anselm,{long},,2," in lines[1]
        assert lines[2].startswith("no,C,d,e,4,The row has more cells")
        client.post(at, {**hidden(page), "step": "store"})


def test_it_keeps_a_blocked_address_blocked_through_an_import(client: Client, in_ws: Workspace) -> None:
    factories.make_suppression("anselm@ridge.example")
    lines = {**PASTE, "lines": "Anselm <anselm@ridge.example>"}
    answer = client.post(url(in_ws, "contacts/import/"), lines, follow=True)
    page = answer.content.decode()
    assert "They stay blocked" in page
    at = answer.redirect_chain[-1][0]
    client.post(at, {**hidden(page), "step": "store"})
    client.post(f"{at}undo/")
    assert Suppression.objects.count() == 1
    assert not Contact.objects.exists()


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
    assert not ContactImport.objects.exists()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("people.csv", b"", "empty"),
        ("people.csv", b"\x00\x01\x02\xff\xfe" * 50, "No column holds addresses"),
        ("people.xlsx", b"PK\x03\x04 not a workbook", "not a workbook"),
        ("people.csv", b"Name,Company\nAnselm,Ridge\n", "No column holds addresses"),
        ("people.csv", b"Email\n", "no rows"),
        ("people.csv", b"Email\n" + b"a" * (20 * 1024 * 1024), "larger than 20 MB"),
    ],
    ids=["empty", "binary", "broken workbook", "no addresses", "header only", "too large"],
)
def test_it_refuses_a_file_that_is_no_list_of_people(
    client: Client, in_ws: Workspace, name: str, data: bytes, words: str
) -> None:
    answer = client.post(url(in_ws, "contacts/import/"), {**PASTE, "file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ContactImport.objects.exists()
    assert not Contact.objects.exists()


def test_it_leaves_a_large_list_to_a_worker_and_shows_how_far_it_is(client: Client, in_ws: Workspace) -> None:
    at, page = brought(client, in_ws, "people.csv", csv_of(12_000))
    row = ContactImport.objects.get()
    assert (row.state, row.rows) == (ImportState.CHECKING, None)
    assert "The file is being read" in page
    assert "every 1s" in page
    worked_off(in_ws, row)
    assert client.get(f"{at}?live", headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    page = client.get(at).content.decode()
    assert "Import 12,000 people" in page
    client.post(at, {**hidden(page), "step": "store"})
    assert not Contact.objects.exists()
    bar = client.get(f"{at}?live", headers={"HX-Request": "true"}).content.decode()
    assert '<progress max="12000" value="0"' in bar
    assert "<html" not in bar
    worked_off(in_ws, row)
    assert Contact.objects.count() == 12_000
    assert "every 1s" not in client.get(at).content.decode()


def test_it_refuses_a_large_file_with_a_sentence_on_its_page(client: Client, in_ws: Workspace) -> None:
    at, _ = brought(client, in_ws, "people.csv", b"Name,Company\n" + b"Ana,One\n" * 60_000)
    row = worked_off(in_ws, ContactImport.objects.get())
    assert row.state == ImportState.REFUSED
    page = client.get(at).content.decode()
    assert "This list was not read" in page
    assert "No column holds addresses" in page
    assert not ImportPart.objects.exists()


def test_it_bears_words_that_no_page_sends(client: Client, in_ws: Workspace) -> None:
    at, _ = brought(client, in_ws, "people.csv", b"Email\nanselm@ridge.example\n")
    for fields in (
        {},
        {"step": "store", "basis": "hope"},
        {"step": "nothing"},
        {"step": "match", "header": "Other", "target": "address"},
        {"step": "match", "header": "Email"},
    ):
        assert client.post(at, fields).status_code == 302
    assert not Contact.objects.exists()
    client.post(at, {"step": "store"})
    client.post(at, {"step": "store"})
    assert Contact.objects.count() == 1
    assert client.post(f"{at}cancel/").status_code == 302
    assert ContactImport.objects.get().state == ImportState.DONE


def test_it_forgets_a_list_that_is_cancelled_before_it_is_stored(client: Client, in_ws: Workspace) -> None:
    at, _ = brought(client, in_ws, "people.csv", b"Email\nanselm@ridge.example\nbad\n")
    page = client.post(f"{at}cancel/", follow=True).content.decode()
    assert "Nobody was added" in page
    assert "Undo this import" not in page
    assert not ImportPart.objects.exists()
    assert client.post(at, {"step": "store"}).status_code == 302
    assert not Contact.objects.exists()


def test_it_lists_past_imports_whatever_their_number_in_as_many_queries(
    client: Client, in_ws: Workspace, owner: User
) -> None:
    assert "No import yet" in client.get(url(in_ws, "contacts/imports/")).content.decode()
    factories.make_import("ana@one.example", filename="first.csv", actor=owner)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page = client.get(url(in_ws, "contacts/imports/")).content.decode()
        assert "first.csv" in page
        return len(caught)

    asked()
    before = asked()
    for number in range(10):
        factories.make_import(f"p{number}@one.example", filename=f"{number}.csv", actor=owner)
    assert asked() == before
    page = client.get(url(in_ws, "contacts/imports/")).content.decode()
    assert "Waiting for your word" in page
    assert "Olga" in page


def test_it_takes_twenty_megabytes_and_no_more_rows_than_it_says(in_ws: Workspace) -> None:
    assert steps.MOST_BYTES == 20 * 1024 * 1024
    row = steps.begin(
        b"Email\n" + b"\n".join(b"a%d@one.example" % n for n in range(100_001)),
        filename="people.csv",
        basis="legitimate",
        source="Their imprint",
        actor=None,
    )
    worked_off(in_ws, row)
    assert row.state == ImportState.REFUSED
    assert "More than 100,000 rows" in row.problem
    assert not ImportPart.objects.exists()
