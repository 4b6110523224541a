"""Importing people in three steps: the file, matching and checking, done.

Nothing is stored between the steps: the file goes to the browser and comes back in the form, so that a list
which nobody imports leaves no trace here.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member
from accounts.models import Role
from outreach import contacts as people
from outreach import importing, suppression
from outreach.forms_people import PasteForm
from outreach.models import Basis, Contact
from outreach.models.contacts import address_index
from outreach.views.merge_fields import label_of
from outreach.views.rejects import MOST_SHOWN, file_of, groups_of

TARGETS = [
    ("address", "Address"),
    ("name", "Full name"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("company", "Company"),
    ("website", "Site"),
    ("country", "Country"),
    ("timezone", "Time zone"),
]


@dataclass(frozen=True)
class Column:
    """A column of the file: what it holds, where it goes, and the choices there are."""

    header: str
    sample: str
    target: str
    choices: list[tuple[str, str]]


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def contacts_import(request: MemberRequest) -> HttpResponse:
    step = request.POST.get("step", "") if request.method == "POST" else ""
    if step in ("match", "store", "rejects"):
        return _second(request, step)
    form = PasteForm(request.POST or None, request.FILES or None, initial={"basis": "legitimate"})
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        name = (file.name or "") if file else ""
        data = file.read() if file else form.cleaned_data["lines"].encode()
        try:
            report = (
                importing.read_file(data, filename=name) if file else importing.read_pasted(data.decode())
            )
            return _checked(request, data, name, report, form.cleaned_data)
        except importing.ImportRefused as refused:
            form.add_error("file" if file else "lines", str(refused))
    status = 422 if form.is_bound and form.errors else 200
    return render(
        request, "outreach/contacts_import.html", {"form": form, "nav_on": "contacts"}, status=status
    )


def _second(request: MemberRequest, step: str) -> HttpResponse:
    """Reads the file that came back with the chosen columns, and stores it or shows it anew."""
    values = {"basis": request.POST.get("basis", ""), "source": request.POST.get("source", "").strip()}
    if values["basis"] not in Basis.values or not values["source"] or len(values["source"]) > 200:
        return redirect("outreach:contacts_import", slug=request.workspace.slug)
    name = request.POST.get("filename", "")[:200]
    try:
        data = base64.b64decode(request.POST.get("data", ""), validate=True)
        report = (
            importing.read_file(data, filename=name, mapping=_mapping(request))
            if name
            else (importing.read_pasted(data.decode(errors="replace")))
        )
        if step == "rejects":
            return file_of(report.rejects)
        if step == "store" and report.rows:
            stored = importing.store(
                report, source=values["source"], basis=values["basis"], actor=request.user
            )
            return _done(request, report, stored)
        return _checked(request, data, name, report, values)
    except (importing.ImportRefused, people.BadContact, binascii.Error) as refused:
        messages.error(request, str(refused))
        return redirect("outreach:contacts_import", slug=request.workspace.slug)


def _mapping(request: MemberRequest) -> dict[str, str]:
    headers, targets = request.POST.getlist("header"), request.POST.getlist("target")
    return dict(zip(headers, targets, strict=False))


def _checked(
    request: MemberRequest, data: bytes, name: str, report: importing.Report, values: dict[str, Any]
) -> HttpResponse:
    """Step 2: columns on the left, what will happen on the right."""
    known = _known(report.rows)
    blocked = suppression.blocking([row.address for row in report.rows])
    page = {
        "data": base64.b64encode(data).decode(),
        "filename": name,
        "report": report,
        "columns": _columns(data, name, report) if name else [],
        "new": len(report.rows) - len(known),
        "known": len(known),
        "blocked": len(blocked),
        "groups": groups_of(report.rejects),
        "more": max(0, len(report.rejects) - MOST_SHOWN),
        "basis": values["basis"],
        "bases": Basis.choices,
        "source": values["source"],
        "nav_on": "contacts",
    }
    return render(request, "outreach/contacts_import_check.html", page)


def _done(request: MemberRequest, report: importing.Report, stored: importing.Stored) -> HttpResponse:
    messages.success(request, f"{stored.new:,} people added, {stored.known:,} were known")
    if not report.rejects:
        return redirect("outreach:contacts", slug=request.workspace.slug)
    page = {
        "stored": stored,
        "groups": groups_of(report.rejects),
        "rejected": len(report.rejects),
        "more": max(0, len(report.rejects) - MOST_SHOWN),
        "nav_on": "contacts",
    }
    return render(request, "outreach/contacts_import_done.html", page)


def _known(rows: list[importing.Row]) -> set[uuid.UUID]:
    indexes = [address_index(row.address) for row in rows]
    return set(Contact.objects.filter(address_index__in=indexes).values_list("pk", flat=True))


def _columns(data: bytes, name: str, report: importing.Report) -> list[Column]:
    table = importing.read_table(data, filename=name)
    rows = [cells for _, cells in table.rows]
    if not rows or not report.mapping:
        return []
    found = []
    for place, cell in enumerate(rows[0]):
        header = cell or f"Column {place + 1}"
        cells = [row[place].strip() if place < len(row) else "" for row in rows[1:]]
        blank = sum(1 for cell in cells if not cell)
        sample = ", ".join(list(dict.fromkeys(cell for cell in cells if cell))[:2])[:80]
        target = report.mapping.get(header, "")
        own = target if target and target not in dict(TARGETS) else people.field_name(header)
        choices = [("", "Leave out"), *TARGETS, *([(own, f"New field: {label_of(own)}")] if own else [])]
        found.append(Column(header, f"{sample} ({blank} blank)" if blank else sample, target, choices))
    return found
