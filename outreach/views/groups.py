"""Tags and lists in one place; putting people in and taking them out, with undo."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.templatetags.ui import plural
from outreach import groups as book
from outreach.forms_groups import GroupForm
from outreach.models import Contact, Group
from outreach.people_filter import PeopleFilter
from outreach.views.asking import ask
from outreach.views.listing import ids_of, page_of


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def groups(request: MemberRequest) -> HttpResponse:
    """All tags and lists; a new one, by members."""
    may_work = request.membership.may(Role.MEMBER)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and not may_work:
        raise PermissionDenied("Your role here reads only.")
    if request.method == "POST" and form.is_valid():
        try:
            row = book.make(form.cleaned_data["kind"], form.cleaned_data["name"], actor=request.user)
        except book.BadName as bad:
            form.add_error("name", str(bad))
        else:
            messages.success(request, f"{row.title} is there now")
            return redirect("outreach:groups", slug=request.workspace.slug)
    page = page_of(request, book.with_counts(book.by_name()))
    context = {
        "page": page,
        "groups": [(row, _people(row.people)) for row in page],
        "form": form,
        "may_work": may_work,
        "nav_on": "contacts",
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "outreach/groups.html", context, status=status)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def group(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Its name, and into which other one it may go."""
    row = own_or_404(Group, pk)
    form = GroupForm(request.POST or None, row=row)
    before = row.title
    if request.method == "POST" and form.is_valid():
        try:
            book.rename(row, form.cleaned_data["name"], actor=request.user)
        except book.BadName as bad:
            form.add_error("name", str(bad))
            row.refresh_from_db()
        else:
            messages.success(request, f"{before} is “{row.name}” now")
            return redirect("outreach:groups", slug=request.workspace.slug)
    context = {
        "group": row,
        "form": form,
        "count": _count(row),
        "others": book.by_name().filter(kind=row.kind).exclude(pk=row.pk)[:500],
        "nav_on": "contacts",
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "outreach/group.html", context, status=status)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def group_merge(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Into another one of its kind (`into`). It asks first: nobody can tell later who was in which."""
    row = own_or_404(Group, pk)
    chosen = request.POST.get("into") or request.GET.get("into", "")
    if not chosen:
        return redirect("outreach:group", slug=request.workspace.slug, pk=pk)
    into = own_or_404(Group.objects.filter(kind=row.kind).exclude(pk=row.pk), chosen)
    if request.method == "POST" and request.POST.get("confirmed") == "yes":
        moved = book.merge(row, into, actor=request.user)
        messages.success(
            request, f"{plural(moved, 'person,people')} put into {into.word}; {row.word} is gone"
        )
        return redirect("outreach:groups", slug=request.workspace.slug)
    return ask(
        request,
        title=f"Merge {row.word} into “{into.name}”",
        button=f"Merge {_count(row)}",
        back=reverse("outreach:group", kwargs={"slug": request.workspace.slug, "pk": pk}),
        effects=[
            f"Everybody of “{row.name}” stands in “{into.name}” then.",
            f"“{row.name}” is gone. Filters that name it find nobody and say so. This cannot be undone.",
        ],
        fields={"into": str(into.pk), "confirmed": "yes"},
    )


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def group_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Group, pk)
    if request.method == "POST":
        book.delete(row, actor=request.user)
        messages.success(request, f"{row.title} is deleted. Its people stay")
        return redirect("outreach:groups", slug=request.workspace.slug)
    return ask(
        request,
        title=f"Delete {row.word}",
        button=f"Delete the {row.kind}",
        symbol="trash",
        back=reverse("outreach:groups", kwargs={"slug": request.workspace.slug}),
        effects=[
            f"{_count(row)} stay, without it.",
            "Filters that name it find nobody and say so. This cannot be undone.",
        ],
    )


@member(Role.MEMBER)
@require_POST
def group_people(request: MemberRequest) -> HttpResponse:
    """`act` "put" or "take": who is named (`person`), or with `all` everybody whom the filter of
    the address finds. An unknown name makes a new tag or list."""
    act = request.POST.get("act", "put")
    if act not in ("put", "take"):
        raise Http404
    form = GroupForm(request.POST)
    people = _meant(request)
    if not form.is_valid():
        messages.error(request, f"Nothing changed. {next(iter(form.errors.values()))[0]}")
        return _back(request)
    kind, name = form.cleaned_data["kind"], form.cleaned_data["name"]
    row = book.find(kind, name)
    if act == "take" and row is None:
        messages.warning(request, f"There is no {kind} “{name}”. Nothing changed.")
        return _back(request)
    if not people.exists():
        messages.warning(request, "Nobody was chosen. Nothing changed.")
        return _back(request)
    row = row or book.make(kind, name, actor=request.user)
    change = (book.put if act == "put" else book.take)(row, people, actor=request.user)
    if not change.count:
        messages.warning(
            request, f"Nothing changed: {'all stand in' if act == 'put' else 'none stands in'} it."
        )
        return _back(request)
    undo = f"{reverse('outreach:group_undo', kwargs={'slug': request.workspace.slug})}?act={change.act}"
    if request.GET.get("person"):
        undo += f"&person={request.GET['person'][:36]}"
    where = "put into" if act == "put" else "taken out of"
    words = f"{plural(change.count, 'person,people')} {where} {row.word}"
    messages.success(request, words, extra_tags=f"undo:{undo}")
    return _back(request)


@member(Role.MEMBER)
@require_POST
def group_undo(request: MemberRequest) -> HttpResponse:
    """The act that `?act=` names, where nothing came after it."""
    named = ids_of([request.GET.get("act", "")])
    count = book.undo(named[0], actor=request.user) if named else 0
    if count:
        messages.success(request, f"Undone for {plural(count, 'person,people')}")
    else:
        messages.warning(request, "Nothing is left of this to undo.")
    return _back(request)


def _meant(request: MemberRequest) -> QuerySet[Contact]:
    if request.POST.get("all") == "yes":
        return PeopleFilter.of(request.GET).rows()
    rows: QuerySet[Contact] = Contact.objects.filter(pk__in=ids_of(request.POST.getlist("person")))
    return rows


def _back(request: MemberRequest) -> HttpResponse:
    """To the person's page where the act came from there (`?person=`), else to the list as it was."""
    slug, person = request.workspace.slug, ids_of([request.GET.get("person", "")])
    if person:
        return redirect("outreach:contact", slug=slug, pk=person[0])
    query = PeopleFilter.of(request.GET).query()
    url = reverse("outreach:contacts", kwargs={"slug": slug})
    return redirect(f"{url}?{query}" if query else url)


def _count(row: Group) -> str:
    return _people(book.with_counts(Group.objects.filter(pk=row.pk)).get().people)


def _people(count: int) -> str:
    most = book.MOST_COUNTED
    return f"{most:,}+ people" if count > most else plural(count, "person,people")
