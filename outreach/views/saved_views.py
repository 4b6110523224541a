"""Keeping the filter of a list under a name, opening it again, renaming, sharing and deleting it."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import saved_views as book
from outreach.forms import LineField
from outreach.groups import BadName
from outreach.models import SavedView, ViewPage
from outreach.views.asking import ask


class ViewForm(forms.Form):
    """`page` and `query` come with a new one only."""

    name = LineField(max_length=60, label="Name", error_messages={"required": "Give it a name."})
    is_shared = forms.BooleanField(required=False, label="Everybody in the workspace sees it")
    page = forms.ChoiceField(choices=ViewPage.choices, widget=forms.HiddenInput, required=False)
    query = forms.CharField(max_length=4000, required=False, widget=forms.HiddenInput)


@member(Role.MEMBER)
@require_POST
def view_new(request: MemberRequest) -> HttpResponse:
    """Keep the filter `query` of `page`. What is wrong is said on a page of its own, with what was typed."""
    form = ViewForm(request.POST)
    if request.POST.get("page", ViewPage.CONTACTS) not in ViewPage.values:
        raise Http404
    if form.is_valid():
        given = form.cleaned_data
        try:
            row = book.save(
                given["page"] or ViewPage.CONTACTS,
                name=given["name"],
                query=given["query"],
                is_shared=given["is_shared"],
                owner=request.user,
            )
        except BadName as bad:
            form.add_error("name", str(bad))
        else:
            messages.success(request, f"“{row.name}” is kept")
            return redirect(_address(request, row))
    return render(request, "outreach/saved_view.html", {"form": form, "back": _list(request, "")}, status=422)


@member(Role.VIEWER)
@require_GET
def view_open(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    return redirect(_address(request, own_or_404(book.visible_to(request.user), pk)))


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def view_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Its name, and who sees it."""
    row = _mine(request, pk)
    form = ViewForm(request.POST or None, initial={"name": row.name, "is_shared": row.is_shared})
    if request.method == "POST" and form.is_valid():
        try:
            book.change(row, name=form.cleaned_data["name"], is_shared=form.cleaned_data["is_shared"])
        except BadName as bad:
            form.add_error("name", str(bad))
        else:
            messages.success(request, f"“{row.name}” is saved")
            return redirect(_address(request, row))
    page = {"form": form, "row": row, "back": _address(request, row)}
    return render(request, "outreach/saved_view.html", page, status=422 if form.errors else 200)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def view_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = _mine(request, pk)
    if request.method == "POST":
        row.delete()
        messages.success(request, f"“{row.name}” is deleted")
        return redirect(_list(request, row.page))
    effects = ["What it shows stays as it is. Others do not see the view any more."]
    return ask(
        request,
        title=f"Delete the view “{row.name}”",
        button="Delete the view",
        symbol="trash",
        back=_address(request, row),
        effects=effects if row.is_shared else ["What it shows stays as it is."],
    )


def _mine(request: MemberRequest, pk: uuid.UUID) -> SavedView:
    """Changed by its owner; a shared one by admins too, since an owner may have left."""
    row = own_or_404(book.visible_to(request.user), pk)
    if row.owner_id != request.user.pk and not request.membership.may(Role.ADMIN):
        raise PermissionDenied("A view is changed by whoever made it, or by an admin.")
    return row


def _list(request: MemberRequest, page: str) -> str:
    name = page if page in ViewPage.values else ViewPage.CONTACTS.value
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug})


def _address(request: MemberRequest, row: SavedView) -> str:
    return f"{_list(request, row.page)}?{row.query}"
