"""Files that are made to do harm: sheets that never end, entities, cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.importing import Reject
from outreach.tables import ImportRefused, read_table
from outreach.views.rejects import file_of

SHEET = "xl/worksheets/sheet1.xml"


def workbook(alter: Callable[[bytes], bytes]) -> bytes:
    """A small workbook whose sheet was written by somebody with a plan."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Email"])
    book.active.append(["ana@site.example"])
    plain, made = io.BytesIO(), io.BytesIO()
    book.save(plain)
    source = zipfile.ZipFile(plain)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, alter(data) if name == SHEET else data)
    return made.getvalue()


def far(row: int) -> Callable[[bytes], bytes]:
    """The second row says that it is a very late one."""

    def alter(data: bytes) -> bytes:
        plain = re.sub(rb"<dimension[^>]*/>", b"", data)
        return plain.replace(b'<row r="2"', b'<row r="%d"' % row).replace(b'r="A2"', b'r="A%d"' % row)

    return alter


def with_entities(declared: bytes, used: bytes) -> Callable[[bytes], bytes]:
    def alter(data: bytes) -> bytes:
        bare = re.sub(rb"<\?xml[^>]*\?>", b"", data)
        head = b"<!DOCTYPE worksheet [" + declared + b"]>"
        return head + bare.replace(b"<v>1</v>", b"<v>" + used + b"</v>").replace(b't="s"', b't="str"')

    return alter


LAUGHS = b'<!ENTITY a "%s">' % (b"ha" * 50) + b"".join(
    b'<!ENTITY %c "%s">' % (98 + step, (b"&%c;" % (97 + step)) * 50) for step in range(6)
)


@pytest.mark.parametrize("row", [3_000_000, 10**12])
def test_it_refuses_a_row_beyond_the_end(row: int) -> None:
    began = time.thread_time()
    with pytest.raises(ImportRefused, match="lines"):
        read_table(workbook(far(row)), filename="list.xlsx")
    assert time.thread_time() - began < 5


def test_it_reads_past_a_gap() -> None:
    rows = read_table(workbook(far(5_000)), filename="list.xlsx").rows
    assert [(line, cells[0]) for line, cells in rows] == [(1, "Email"), (5_000, "ana@site.example")]


def said_by(data: bytes) -> str:
    """All that was read of it; nothing where it was refused."""
    try:
        return str(read_table(data, filename="list.xlsx").rows)
    except ImportRefused:
        return ""


def test_it_lets_no_entity_grow() -> None:
    began = time.thread_time()
    assert len(said_by(workbook(with_entities(LAUGHS, b"&g;")))) < 10_000
    assert time.thread_time() - began < 5


def test_it_reads_no_file_of_the_server() -> None:
    data = workbook(with_entities(b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;"))
    assert "root:" not in said_by(data)


def cells_of(text: str) -> list[str]:
    """The value of one rejected row as any spreadsheet may cut it: at commas, semicolons, tabs or bars."""
    content = file_of([Reject(2, text, "It is wrong.")]).content.decode("utf-8-sig")
    return [
        cell
        for delimiter in ",;\t|"
        for row in csv.reader(io.StringIO(content), delimiter=delimiter)
        for cell in row
    ]


@pytest.mark.parametrize(
    "text",
    [
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@SUM(1)",
        " =1+1",
        "Bob;=HYPERLINK(1)",
        "Bob|@SUM(1)",
        'Bob";=1+1',
        "Bob\t=1",
        "＝1+1",
        "a,=1",
    ],
)
def test_it_gives_a_spreadsheet_nothing_to_run(text: str) -> None:
    assert [cell for cell in cells_of(text) if cell.strip(' "')[:1] in tuple("=+-@＝＋－＠")] == []


@given(st.text(alphabet=" ab=+-@;,|\t\"'＝", max_size=12))
def test_it_gives_a_spreadsheet_nothing_to_run_whatever_stands_there(text: str) -> None:
    assert [cell for cell in cells_of(text) if cell.strip(' "')[:1] in tuple("=+-@＝＋－＠")] == []


def test_it_leaves_a_plain_row_as_it_was() -> None:
    assert "ana@site.example, Ana - Berg" in cells_of("ana@site.example, Ana - Berg")
