"""Lists of people for tests of imports, and what a browser would send back of a checked one."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

import openpyxl

from accounts.models import Workspace
from outreach.imports.tasks import carry_on_import
from outreach.models import ContactImport

PASTE = {"basis": "legitimate", "source": "Their imprint"}


def csv_of(count: int, *, begin: int = 0) -> bytes:
    """So many people at fifty sites."""
    rows = [f"p{number}@s{number % 50}.example,Pat {number}" for number in range(begin, begin + count)]
    return "\n".join(["Email,Name", *rows]).encode()


def workbook_of(rows: Iterable[Iterable[object]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def hidden(page: str) -> dict[str, object]:
    """The fields of the second step as a browser would send them back."""
    headers = re.findall(r'name="header" value="([^"]*)"', page)
    targets = re.findall(r'<option value="([^"]*)" selected>', page)
    return {"header": headers, "target": targets[: len(headers)], "basis": "legitimate"}


def worked_off(here: Workspace, row: ContactImport, **turns: Any) -> ContactImport:
    """A worker's turns until there is nothing to do for it."""
    for _ in range(50):
        row.refresh_from_db()
        if not row.is_working:
            return row
        carry_on_import.run(str(here.pk), str(row.pk))
    raise AssertionError(f"still {row.state} after 50 turns")
