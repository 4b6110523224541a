"""Pasted lines, CSV and XLSX become people; each row that cannot is named."""

from __future__ import annotations

import io
import time

import openpyxl
import pytest

from accounts.models import User, Workspace
from outreach import contacts, importing
from outreach.importing import ImportRefused, read_file, read_pasted
from outreach.imports.storing import store
from outreach.models import Contact, Site
from tests.factories import make_contact, make_suppression

CSV = (
    "Email,Name,Company,Country,Page title\n"
    "ana@one.example,Ana Lima,One,PT,Huts\n"
    "bo@two.example,Bo,Two,us,Maps\n"
)


def test_it_reads_lines_as_people_write_them(db: None) -> None:
    text = (
        'Ana Lima <ana@one.example>\n"Lima, Bo" <bo@two.example>,\ncy@three.example\n'
        "dee@four.example, Dee Ray\n\nEd Moe; ed@five.example\n"
        "f@six.example, g@seven.example; h@eight.example\n"
    )
    report = read_pasted(text)
    assert report.rejects == []
    assert [(row.address, row.first_name) for row in report.rows] == [
        ("ana@one.example", "Ana"),
        ("bo@two.example", "Bo"),
        ("cy@three.example", ""),
        ("dee@four.example", "Dee"),
        ("ed@five.example", "Ed"),
        ("f@six.example", ""),
        ("g@seven.example", ""),
        ("h@eight.example", ""),
    ]


def test_it_keeps_the_good_rows_and_names_the_bad(db: None) -> None:
    report = read_pasted("ana@one.example\nnot an address\nbo@\n\nANA@one.example\ncy@three.example")
    assert [row.address for row in report.rows] == ["ana@one.example", "cy@three.example"]
    assert [reject.line for reject in report.rejects] == [2, 3, 5]
    assert "not an address" in report.rejects[0].reason
    assert report.rejects[2].reason == "The same address stands in line 1."


@pytest.mark.parametrize(
    "line",
    [
        "ana@one.example\x0bBcc: x@y.example",
        "Ana\x00 <ana@one.example>",
        "=cmd|' /C calc'!A0",
        "<script>@x</script>",
    ],
)
def test_it_refuses_what_could_become_a_header_or_a_command(db: None, line: str) -> None:
    report = read_pasted(line)
    assert report.rows == []
    assert len(report.rejects) == 1
    assert "\x0b" not in report.rejects[0].text


def test_it_refuses_a_header_injection_in_a_quoted_cell(db: None) -> None:
    report = read_file(b'Email,Name\nana@one.example,"Ana\r\nBcc: x@y.example"\nbo@two.example,Bo\n')
    assert [row.address for row in report.rows] == ["bo@two.example"]
    assert "control characters" in report.rejects[0].reason


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        b"\xef\xbb\xbf" + CSV.encode(),
        CSV.encode("utf-16"),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").encode(),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("\n", "\r").encode(),
        CSV.replace("Ana Lima", '"Ana Lima"').encode(),
        CSV.replace("\n", "\n\n").encode(),
    ],
    ids=["plain", "mark", "utf-16", "semicolons", "tabs", "crlf", "old ends", "quotes", "empty lines"],
)
def test_it_reads_a_file_however_it_was_saved(db: None, data: bytes) -> None:
    report = read_file(data, filename="people.csv")
    assert report.rejects == []
    assert [(row.address, row.name, row.company, row.country) for row in report.rows] == [
        ("ana@one.example", "Ana Lima", "One", "PT"),
        ("bo@two.example", "Bo", "Two", "US"),
    ]
    assert report.rows[0].fields == {"page_title": "Huts"}
    assert report.mapping["Page title"] == "page_title"


def test_it_reads_an_old_character_set(db: None) -> None:
    text = "E-Mail;Vorname;Nachname;Firma\nj@eins.example;Jürgen;Müßig;Gärtnerei Größe und Söhne\n" * 1
    report = read_file((text + "k@zwei.example;Käthe;Öztürk;Café für Bücher\n").encode("cp1252"))
    assert [row.name for row in report.rows] == ["Jürgen Müßig", "Käthe Öztürk"]


def test_it_reads_a_workbook(db: None) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for cells in (["Email", "First name", "Visits"], ["ana@one.example", "Ana", 12], ["nobody", "Bo", None]):
        book.active.append(cells)
    data = io.BytesIO()
    book.save(data)
    report = read_file(data.getvalue(), filename="people.xlsx")
    assert [(row.address, row.first_name, row.fields) for row in report.rows] == [
        ("ana@one.example", "Ana", {"visits": "12"})
    ]
    assert report.rejects[0].line == 3
    assert list(report.mapping) == ["Email", "First name", "Visits"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"x" * (importing.MOST_BYTES + 1), "MB"),
        (b"Name,Company\nAna,One\n", "No column holds addresses"),
        (b"PK\x03\x04 broken", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "Old Excel"),
        (b"Email\n" + b"\n".join(b"a%d@one.example" % n for n in range(10_001)), "More than 10,000"),
    ],
)
def test_it_says_why_it_reads_nothing(db: None, data: bytes, words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        read_file(data, filename="people.csv")


@pytest.mark.parametrize("text", ["", " \n ", "x" * (importing.MOST_BYTES + 1)])
def test_it_refuses_an_empty_or_a_huge_paste(db: None, text: str) -> None:
    with pytest.raises(ImportRefused):
        read_pasted(text)


def test_it_names_a_line_of_nothing_but_signs(db: None) -> None:
    report = read_pasted(" ;,, ")
    assert (report.rows, len(report.rejects)) == ([], 1)


def test_it_reads_a_pasted_table_and_a_list_without_header(db: None) -> None:
    assert len(read_pasted(CSV).rows) == 2
    report = read_file(b"Ana Lima;ana@one.example\nBo;bo@two.example\n")
    assert [(row.name, row.address) for row in report.rows] == [
        ("Ana Lima", "ana@one.example"),
        ("Bo", "bo@two.example"),
    ]


def test_it_takes_a_persons_mapping(db: None) -> None:
    data = b"Mail,Anything,Noise\nana@one.example,Ana Lima,x\n"
    report = read_file(data, mapping={"Mail": "address", "Anything": "name", "Noise": ""})
    assert (report.rows[0].name, report.rows[0].fields) == ("Ana Lima", {})


def test_it_names_rows_with_too_many_cells_and_bad_values(db: None) -> None:
    data = (
        b"Email,Country,Timezone\na@one.example,PT,,,x\nb@one.example,Narnia,\nc@one.example,Germany,\n"
        b"d@one.example,,Mars/Base\n"
    )
    report = read_file(data)
    assert [row.country for row in report.rows] == ["DE"]
    assert [reject.line for reject in report.rejects] == [2, 3, 5]


def test_it_stores_people_once_and_fills_blanks(in_ws: Workspace, owner: User) -> None:
    known = make_contact("ana@one.example", name="", company="Kept", country="")
    make_suppression("bo@two.example", reason="opted_out")
    stored = store(read_file(CSV.encode()), source="Fair list", country="GB", actor=owner)
    assert (stored.new, stored.known, stored.suppressed) == (1, 1, 1)
    assert [row.address for row in stored.contacts] == ["ana@one.example", "bo@two.example"]
    known.refresh_from_db()
    assert (known.name, known.company, known.country) == ("Ana Lima", "Kept", "PT")
    assert known.fields == {"page_title": "Huts"}
    fresh = Contact.objects.exclude(pk=known.pk).get()
    assert (fresh.source, fresh.country) == ("Fair list", "US")
    assert fresh.site is not None
    assert fresh.site.domain == "two.example"
    again = store(read_file(CSV.encode()), source="Fair list")
    assert (again.new, again.known) == (0, 2)
    assert Contact.objects.count() == 2


def test_it_takes_every_person_of_one_line(in_ws: Workspace) -> None:
    stored = store(
        read_pasted("f@six.example, g@seven.example; h@eight.example, F@six.example"), source="List"
    )
    assert (stored.new, len(stored.rejects)) == (3, 1)
    for address in ("f@six.example", "g@seven.example", "h@eight.example"):
        person = contacts.find(address)
        assert person is not None, address
        assert person.address == address


def test_it_leaves_the_columns_of_a_reject_file_out() -> None:
    report = read_file(b"Email,Name,Row,Why\nana@one.example,Ana,7,It was wrong\n")
    assert report.rows[0].fields == {}


def test_it_takes_ten_thousand_rows_in_a_breath(in_ws: Workspace) -> None:
    lines = [f"p{number}@s{number % 200}.example,Pat {number}" for number in range(9_990)] + ["broken"] * 10
    began = time.monotonic()
    stored = store(read_file(("Email,Name\n" + "\n".join(lines)).encode()), source="List")
    assert (stored.new, len(stored.rejects)) == (9_990, 10)
    assert Site.objects.count() == 200
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ana Lima", "Ana"),
        ("Lima, Ana", "Ana"),
        ("Dr. Ana Lima", "Ana"),
        ("A. Lima", ""),
        ("", ""),
        ("ana@x.example", ""),
    ],
)
def test_it_finds_the_first_name(name: str, first: str) -> None:
    assert contacts.first_name_of(name) == first


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("ana@mail.one.co.uk", "one.co.uk"),
        ("https://www.one.example:8080/a?b=c", "one.example"),
        ("WWW.One.Example", "one.example"),
        ("me.github.io", "me.github.io"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("http://[broken", ""),
        ("localhost", ""),
        ("", ""),
    ],
)
def test_it_finds_the_site(text: str, domain: str) -> None:
    assert contacts.registrable(text) == domain


def test_it_gives_no_site_to_a_free_mail_address(in_ws: Workspace) -> None:
    assert contacts.site_for("ana@gmail.com") is None


def test_it_keeps_a_contact_and_says_what_is_wrong_with_one(in_ws: Workspace, owner: User) -> None:
    row = contacts.save_contact(address=" Ana@One.Example ", name="Ana Lima", actor=owner)
    assert (row.first_name, row.source) == ("Ana", "Added by hand")
    assert contacts.find("ANA@one.example") == row
    for values, field in (
        ({"address": "ana@ONE.example"}, "address"),
        ({"address": "nobody"}, "address"),
        ({"address": "b@c.example", "name": "Bo\r\nBcc: x@y.example"}, "name"),
        ({"address": "b@c.example", "country": "Portugal"}, "country"),
        ({"address": "b@c.example", "timezone": "Mars"}, "timezone"),
        ({"address": "b@c.example", "website": "not a site"}, "website"),
        ({"address": "b@c.example", "basis": "hope"}, "basis"),
        ({"address": "b@c.example", "fields": {"!!": "x"}}, "fields"),
    ):
        with pytest.raises(contacts.BadContact) as bad:
            contacts.save_contact(**values)
        assert bad.value.field == field
