"""The library of texts: the list by folder, one text with its editor, and its acts."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import library
from outreach.forms_library import TextForm
from outreach.models import SavedText, TextUse
from outreach.views import library_examples, merge_fields
from outreach.views.asking import ask
from outreach.views.listing import kept, page_of
from outreach.views.previewing import as_written


@member(Role.VIEWER)
@require_GET
def texts(request: MemberRequest) -> HttpResponse:
    """`?q=` finds a part of a name, `?use=` one purpose."""
    asked = asked_for(request)
    use = request.GET.get("use", "")
    use = use if use in TextUse.values else ""
    found = page_of(request, library.found(asked, use=use))
    page = {
        "page": found,
        "rows": [(row, line_of(row)) for row in found],
        # Behind the last of one's own.
        "examples": [] if found.has_next() else library_examples.shown(asked, use=use),
        "q": asked,
        "use": use,
        "uses": TextUse.choices,
        "query": kept(q=asked, use=use),
        "may_work": request.membership.may(Role.MEMBER),
        "nav_on": "campaigns",
    }
    return render(request, "outreach/library.html", page)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def text_new(request: MemberRequest) -> HttpResponse:
    """A page, where `?kind=snippet` makes a snippet; for htmx the dialog that keeps the text of a step."""
    snippet = request.GET.get("kind") == "snippet"
    form = TextForm(request.POST or None, initial={"is_snippet": snippet})
    if request.method == "POST" and form.is_valid():
        row = form.save(actor=request.user)
        words = f"“{row.name}” is in the library"
        if request.htmx:
            toast = {"text": words, "url": _url(request, "library_text", row.pk)}
            return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"toast": toast})})
        messages.success(request, words)
        return redirect("outreach:library", slug=request.workspace.slug)
    page = {**_form_page(form), "is_snippet": bool(form["is_snippet"].value())}
    wrong = request.method == "POST"
    name = "library_text"
    if request.htmx:
        name = "_library_keep_form" if wrong else "_library_keep"
    return render(request, f"outreach/{name}.html", page, status=422 if wrong else 200)


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def text(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """One text: with its editor for who may change it, to be read by everybody else."""
    row = own_or_404(SavedText, pk)
    may_work = request.membership.may(Role.MEMBER)
    if request.method == "POST" and not may_work:
        raise PermissionDenied("Your role here reads only.")
    form = TextForm(request.POST or None, row=row)
    if request.method == "POST" and form.is_valid():
        form.save(actor=request.user)
        messages.success(request, "Saved. Steps that were written from it keep their text.")
        return redirect("outreach:library", slug=request.workspace.slug)
    page = {
        **_form_page(form),
        "row": row,
        "is_snippet": row.is_snippet,
        "may_work": may_work,
        "written": as_written(row.body),
        "subject_parts": merge_fields.parts_of(row.subject),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "outreach/library_text.html", page, status=status)


@member(Role.MEMBER)
@require_POST
def text_duplicate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    copy = library.duplicate(own_or_404(SavedText, pk), actor=request.user)
    messages.success(request, "This is the copy. The first one is as it was.")
    return redirect("outreach:library_text", slug=request.workspace.slug, pk=copy.pk)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def text_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(SavedText, pk)
    slug = request.workspace.slug
    if request.method == "POST":
        library.delete(row, actor=request.user)
        messages.success(request, f"“{row.name}” deleted")
        return redirect("outreach:library", slug=slug)
    return ask(
        request,
        title=f"Delete “{row.name}”",
        button="Delete the snippet" if row.is_snippet else "Delete the text",
        symbol="trash",
        back=_url(request, "library_text", pk),
        text="This cannot be undone.",
        effects=["Nobody here can use it any more. Steps that were written from it keep their text."],
    )


def line_of(row: SavedText) -> str:
    """What stands under a name: the subject, else the first words."""
    if row.subject:
        return merge_fields.first_words(row.subject, html=False)
    return merge_fields.first_words(row.body, html=True)


def asked_for(request: MemberRequest) -> str:
    """What `?q=` looks for in the names."""
    return request.GET.get("q", "").strip()[: library.MOST_NAME]


def _url(request: MemberRequest, name: str, pk: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": pk})


def _form_page(form: TextForm) -> dict[str, Any]:
    return {
        "form": form,
        "fields": merge_fields.everywhere(),
        "folders": library.folders(),
        "may_work": True,
        "nav_on": "campaigns",
    }
