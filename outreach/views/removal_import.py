"""Bringing in a backlink list in three steps: the list, matching and checking, done.

Nothing is stored between the steps: the list goes to the browser and comes back in the form.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.templatetags.ui import plural
from outreach.forms_removals import LinksForm
from outreach.links import importing, request_text
from outreach.models import Project
from outreach.views.rejects import MOST_SHOWN, file_of, groups_of


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def removal_import(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    project = own_or_404(Project, pk)
    step = request.POST.get("step", "") if request.method == "POST" else ""
    if step in ("store", "rejects"):
        return _second(request, project, step)
    form = LinksForm(request.POST, request.FILES) if request.method == "POST" else LinksForm()
    columns: list[str] = []
    if request.method == "POST" and form.is_valid():
        data, name = _given(form)
        source, target = form.cleaned_data["source_column"], form.cleaned_data["target_column"]
        try:
            report = _read(project, data, name, source, target)
            return _checked(request, project, data, name, report, source, target)
        except importing.NoColumn as no_column:
            columns = no_column.columns
            form.add_error("file" if name else "lines", str(no_column))
        except importing.ImportRefused as refused:
            form.add_error("file" if name else "lines", str(refused))
    page = {"project": project, "form": form, "columns": columns}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "outreach/removal_import.html", page, status=status)


def _given(form: LinksForm) -> tuple[bytes, str]:
    """(the list, its file's name or "")."""
    file = form.cleaned_data["file"]
    if file:
        return file.read(), file.name or "list"
    return form.cleaned_data["lines"].encode(errors="replace"), ""


def _read(project: Project, data: bytes, name: str, source: str, target: str) -> importing.Report:
    return importing.read(
        data, filename=name, website=project.website, source_column=source, target_column=target
    )


def _second(request: MemberRequest, project: Project, step: str) -> HttpResponse:
    """Reads the list that came back, and stores it or gives the rejected rows as a file."""
    name = request.POST.get("filename", "")[:200]
    source, target = request.POST.get("source_column", ""), request.POST.get("target_column", "")
    try:
        data = base64.b64decode(request.POST.get("data", ""), validate=True)
        report = _read(project, data, name, source, target)
        if step == "rejects":
            return file_of(report.rejects)
        if not report.rows:
            return _checked(request, project, data, name, report, source, target)
    except (importing.ImportRefused, importing.NoColumn, binascii.Error) as refused:
        messages.error(request, f"The list could not be read again: {refused}")
        return redirect("outreach:removal_import", slug=request.workspace.slug, pk=project.pk)
    stored = importing.store(project, report, actor=request.user)
    request_text.prepare(project, actor=request.user)
    messages.success(request, f"{plural(stored.new, 'link')} on {plural(stored.sites, 'site')} imported")
    if not report.rejects:
        return redirect("outreach:removal", slug=request.workspace.slug, pk=project.pk)
    page = {"project": project, "stored": stored, "report": report, **_rejected(report)}
    return render(request, "outreach/removal_import_done.html", page)


def _checked(
    request: MemberRequest,
    project: Project,
    data: bytes,
    name: str,
    report: importing.Report,
    source: str,
    target: str,
) -> HttpResponse:
    """Step 2: how the list was read on the left, what will happen on the right."""
    page = {
        "project": project,
        "data": base64.b64encode(data).decode(),
        "filename": name,
        "source_column": source,
        "target_column": target,
        "report": report,
        "sites": len({row.source.domain for row in report.rows}),
        "known": importing.known(project, report),
        **_rejected(report),
    }
    return render(request, "outreach/removal_import_check.html", page)


def _rejected(report: importing.Report) -> dict[str, Any]:
    return {
        "groups": groups_of(report.rejects),
        "rejected": len(report.rejects),
        "more": max(0, len(report.rejects) - MOST_SHOWN),
    }
