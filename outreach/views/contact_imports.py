"""Imports of people: the list of them, one on its way, and what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts import clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import contacts as people
from outreach.forms_groups import GroupForm, names_of_groups
from outreach.imports import parts, steps, undoing
from outreach.imports.tasks import carry_on
from outreach.models import Basis, ContactImport, ImportState, ListShape
from outreach.models.imports import REMEMBERED
from outreach.views.asking import ask
from outreach.views.listing import page_of
from outreach.views.merge_fields import label_of
from outreach.views.rejects import MOST_SHOWN, groups_of, whole_file_of

TARGETS = [
    ("address", "Address"),
    ("name", "Full name"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("company", "Company"),
    ("website", "Site"),
    ("country", "Country"),
    ("timezone", "Time zone"),
    ("tags", "Tags"),
]
_NAMED = dict(TARGETS)
LONGEST_TARGET = 40
# (tone, mark) of each state.
MARKS = {
    ImportState.CHECKING: ("m", "sending"),
    ImportState.CHECKED: ("w", "attention"),
    ImportState.STORING: ("m", "sending"),
    ImportState.DONE: ("g", "quiet"),
    ImportState.REFUSED: ("b", "refused"),
    ImportState.CANCELLED: ("n", "cancelled"),
    ImportState.UNDOING: ("m", "sending"),
    ImportState.UNDONE: ("n", "cancelled"),
}
TEMPLATES = {
    ImportState.CHECKED: "outreach/contacts_import_check.html",
    ImportState.CHECKING: "outreach/contacts_import_working.html",
    ImportState.STORING: "outreach/contacts_import_working.html",
    ImportState.UNDOING: "outreach/contacts_import_working.html",
}
_NO_ADDRESS = "Choose the column that holds the addresses."


@dataclass(frozen=True)
class Column:
    """A column of the list: what it holds, where it goes, and the choices there are."""

    header: str
    sample: str
    target: str
    choices: list[tuple[str, str]]


@member(Role.MEMBER)
@require_GET
def contact_imports(request: MemberRequest) -> HttpResponse:
    rows = ContactImport.objects.select_related("created_by").order_by("-created_at", "-id")
    page = page_of(request, rows)
    context = {
        "page": page,
        "imports": [(row, *MARKS[ImportState(row.state)]) for row in page],
        "nav_on": "contacts",
    }
    return render(request, "outreach/contact_imports.html", context)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def contact_import(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """What is asked, how far it is, or what became of it. `?live`: the bar alone, until something else is."""
    row = own_or_404(ContactImport.objects.select_related("created_by"), pk)
    if request.method == "POST":
        return _told(request, row)
    if request.htmx and "live" in request.GET:
        if not row.is_working:
            return HttpResponseClientRefresh()
        return render(request, "outreach/_import_progress.html", {"row": row})
    return _shown(request, row, row.mapping)


@member(Role.MEMBER)
@require_GET
def contact_import_rejects(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(ContactImport, pk)
    return whole_file_of(parts.rejects_of(row), row.layout.headers)


@member(Role.MEMBER)
@require_POST
def contact_import_cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(ContactImport, pk)
    if steps.cancel(row):
        messages.success(request, "Cancelled. The list is forgotten.")
    else:
        messages.warning(request, "This import had ended already.")
    return redirect("outreach:contact_import", slug=request.workspace.slug, pk=pk)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def contact_import_undo(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(ContactImport, pk)
    back = reverse("outreach:contact_import", kwargs={"slug": request.workspace.slug, "pk": pk})
    if request.method == "POST":
        if undoing.begin(row, actor=request.user):
            carry_on(row)
        else:
            messages.warning(request, "This import cannot be undone any more.")
        return redirect(back)
    if not row.may_be_undone:
        messages.warning(request, "This import cannot be undone any more.")
        return redirect(back)
    found = undoing.outlook(row)
    return ask(
        request,
        title="Undo this import",
        button=f"Delete {_count(found.goes)}" if found.goes else "Undo",
        symbol="arrow-back-up",
        back=back,
        effects=_effects(row, found),
    )


def _effects(row: ContactImport, found: undoing.Outlook) -> list[str]:
    effects = [f"{_count(found.goes)} that this import added {_are(found.goes)} deleted."]
    if found.stays:
        effects.append(f"{_count(found.stays)} stay: {', '.join(found.reasons)}.")
    if row.filled:
        effects.append(
            f"What it filled in at {_count(row.filled)} known before is emptied, "
            "where it still is what this import wrote."
        )
    if row.grouped:
        effects.append("Whom it put into tags and lists is taken out of them again.")
    return [*effects, "Blocks stay: who opted out or bounced is never written to."]


def _told(request: MemberRequest, row: ContactImport) -> HttpResponse:
    """A person's word on a list that was checked: these columns, or store it."""
    step, basis = request.POST.get("step", ""), request.POST.get("basis", row.basis)
    if row.state != ImportState.CHECKED or step not in ("match", "store") or basis not in Basis.values:
        return redirect("outreach:contact_import", slug=request.workspace.slug, pk=row.pk)
    mapping = _mapping(request, row)
    if row.shape == ListShape.TABLE and "address" not in mapping.values():
        return _shown(request, row, mapping, problem=_NO_ADDRESS)
    form = GroupForm(request.POST, required=False)
    if step == "store" and not form.is_valid():
        return _shown(request, row, mapping, form=form)
    if step == "match":
        told = steps.match(row, mapping)
    else:
        group = form.find_or_make(actor=request.user)
        told = steps.store(row, mapping=mapping, basis=basis, group=group)
    if told:
        carry_on(row)
    if row.state == ImportState.DONE:
        messages.success(request, f"{_count(row.new)} added, {row.known:,} known before")
    return redirect("outreach:contact_import", slug=request.workspace.slug, pk=row.pk)


def _mapping(request: MemberRequest, row: ContactImport) -> dict[str, str]:
    """What was chosen for the columns that there are; the rest stays as it was."""
    pairs = zip(request.POST.getlist("header"), request.POST.getlist("target"), strict=False)
    chosen = {header: target[:LONGEST_TARGET] for header, target in pairs}
    return {header: chosen.get(header, target) for header, target in row.mapping.items()}


def _shown(
    request: MemberRequest,
    row: ContactImport,
    mapping: Mapping[str, str],
    *,
    problem: str = "",
    form: GroupForm | None = None,
) -> HttpResponse:
    page: dict[str, Any] = {"row": row, "nav_on": "contacts"}
    if not row.is_working:
        rejects = parts.rejects_of(row, most=MOST_SHOWN)
        page |= {
            "groups": groups_of(rejects),
            "more": max(0, row.rejected - len(rejects)),
            "partial": row.rejected > len(rejects),
            "fetchable": bool(rejects) and row.created_at > clock.now() - REMEMBERED,
        }
    if row.state == ImportState.CHECKED:
        good = (row.rows or 0) - row.rejected
        page |= {"columns": _columns(row, mapping), "good": good, "bases": Basis.choices, "problem": problem}
        page |= {"group_form": form or GroupForm(required=False), "group_names": names_of_groups()}
    elif row.state == ImportState.UNDONE:
        page["outlook"] = undoing.outlook(row)
    page["tone"], page["mark"] = MARKS[ImportState(row.state)]
    template = TEMPLATES.get(ImportState(row.state), "outreach/contacts_import_done.html")
    return render(request, template, page, status=422 if problem or form else 200)


def _columns(row: ContactImport, mapping: Mapping[str, str]) -> list[Column]:
    layout = row.layout
    found = []
    for header, samples, blank in zip(layout.headers, layout.samples, layout.blanks, strict=True):
        sample = ", ".join(samples)[:80]
        target = mapping.get(header, "")
        own = target if target and target not in _NAMED else people.field_name(header)
        more = [(own, f"New field: {label_of(own)}")] if own and own not in _NAMED else []
        choices = [("", "Leave out"), *TARGETS, *more]
        found.append(Column(header, f"{sample} ({blank:,} blank)" if blank else sample, target, choices))
    return found


def _count(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
