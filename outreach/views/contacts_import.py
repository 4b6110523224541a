"""The first step of an import: the file or the lines, and where the addresses are from."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member
from accounts.models import Role
from outreach.forms_people import ImportForm
from outreach.importing import ImportRefused
from outreach.imports import steps
from outreach.imports.tasks import carry_on
from outreach.models import ContactImport


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def contacts_import(request: MemberRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None, initial={"basis": "legitimate"})
    if request.method == "POST" and form.is_valid():
        try:
            row = _begun(form, request)
        except ImportRefused as refused:
            form.add_error("file" if form.cleaned_data["file"] else "lines", str(refused))
        else:
            carry_on(row)
            return redirect("outreach:contact_import", slug=request.workspace.slug, pk=row.pk)
    status = 422 if form.is_bound and form.errors else 200
    return render(
        request, "outreach/contacts_import.html", {"form": form, "nav_on": "contacts"}, status=status
    )


def _begun(form: ImportForm, request: MemberRequest) -> ContactImport:
    data = form.cleaned_data
    file = data["file"]
    return steps.begin(
        file.read() if file else data["lines"].encode(errors="replace"),
        filename=(file.name or "list") if file else "",
        pasted=not file,
        basis=data["basis"],
        source=data["source"],
        actor=request.user,
    )
