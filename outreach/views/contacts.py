"""Contacts: the list, one person's page with every mail, and the form."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts import clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role, User
from accounts.viewpoint import whole_workspace
from outreach import contacts as people
from outreach import groups, saved_views, stages, suppression, to_do, why
from outreach.forms import ContactForm
from outreach.forms_groups import MOST_OFFERED, GroupForm, names_of_groups
from outreach.models import Basis, Contact, GroupKind, Message, MessageState, Reply, ViewPage
from outreach.models.messages import STOPPABLE
from outreach.people_filter import REPLIED, WRITTEN, PeopleFilter, told
from outreach.views.asking import ask
from outreach.views.listing import page_of, slice_of

# What the page of a person shows of tasks: projects that they are on the board of, and open ones.
MOST_CARDS, MOST_TASKS = 5, 5


@member(Role.VIEWER)
@require_GET
def contacts(request: MemberRequest) -> HttpResponse:
    wanted = PeopleFilter.of(request.GET)
    rows = wanted.rows()
    sent = Message.objects.filter(contact=OuterRef("pk"), state=MessageState.SENT).order_by("-sent_at")
    last_at = Subquery(sent.values("sent_at")[:1])
    page = slice_of(request, rows.select_related("site").annotate(last_at=last_at), query=wanted.query())
    standing = groups.of_people(row.pk for row in page.rows)
    for row in page.rows:
        row.in_groups = standing.get(row.pk, [])
    context = {
        "page": page,
        "count": told(rows),
        "blocked": suppression.blocking([row.address for row in page.rows]),
        "wanted": wanted,
        "query": wanted.query(),
        "menus": menus_of(wanted),
        "saved": saved_views.menu_of(ViewPage.CONTACTS, request.GET.dict(), user=request.user),
        "may_administer": request.membership.may(Role.ADMIN),
        "group_form": GroupForm(),
        "group_names": names_of_groups(),
        "may_work": request.membership.may(Role.MEMBER),
        "nav_on": "contacts",
    }
    return render(request, "outreach/contacts.html", context)


@member(Role.VIEWER)
@require_GET
def contact(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Contact.objects.select_related("site"), pk)
    mails = page_of(
        request,
        Message.objects.filter(contact=row).select_related(*why.WITH).order_by("-created_at", "-id"),
    )
    now = clock.now()
    task_cards = list(stages.cards_about(row)[:MOST_CARDS])
    context = {
        "contact": row,
        "page": mails,
        "mails": [(mail, why.state_of(mail, now=now)) for mail in mails],
        "replies": Reply.objects.filter(thread__contact=row).count(),
        "blocked": suppression.is_suppressed(row.address),
        "groups": groups.of_people([row.pk]).get(row.pk, []),
        "group_form": GroupForm(),
        "group_names": names_of_groups(),
        "campaigns": row.enrollments.select_related("campaign").order_by("-created_at"),
        "task_cards": task_cards,
        "open_tasks": list(to_do.about(task_cards)[:MOST_TASKS]),
        "task_from": f"person={pk}",
        "today": to_do.today(),
        "may_work": request.membership.may(Role.MEMBER),
        "nav_on": "contacts",
    }
    return render(request, "outreach/contact.html", context)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def contact_new(request: MemberRequest) -> HttpResponse:
    form = ContactForm(request.POST or None, initial={"basis": "legitimate", "tracking_consent": "unknown"})
    if request.method == "POST" and form.is_valid():
        row = _saved(form, None, request.user)
        if row is not None:
            messages.success(request, f"{row.greeting} is a contact now")
            return redirect("outreach:contact", slug=request.workspace.slug, pk=row.pk)
    return render(request, "outreach/contact_form.html", {"form": form, "nav_on": "contacts"})


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def contact_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Contact.objects.select_related("site"), pk)
    form = ContactForm(request.POST or None, initial=_initial(row))
    if request.method == "POST" and form.is_valid() and _saved(form, row, request.user) is not None:
        messages.success(request, "Saved. Mails that are queued keep the text they have.")
        return redirect("outreach:contact", slug=request.workspace.slug, pk=pk)
    return render(request, "outreach/contact_form.html", {"form": form, "contact": row, "nav_on": "contacts"})


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def contact_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Contact, pk)
    if people.is_elsewhere(row):
        messages.error(
            request,
            "This person also stands in projects that you do not see. Somebody who sees every project can "
            "delete them.",
        )
        return redirect("outreach:contact", slug=request.workspace.slug, pk=pk)
    if request.method == "POST":
        people.delete_contact(row, actor=request.user)
        messages.success(request, "The contact and its mail are deleted")
        return redirect("outreach:contacts", slug=request.workspace.slug)
    with whole_workspace("the number on the button is what goes, private replies included"):
        mails = Message.objects.filter(contact=row)
        count = mails.count()
        replies = Reply.objects.filter(thread__contact=row).count()
    return ask(
        request,
        title=f"Delete {row.name or row.address}",
        button=f"Delete with {count + replies:,} mail{'' if count + replies == 1 else 's'}",
        symbol="trash",
        back=reverse("outreach:contact", kwargs={"slug": request.workspace.slug, "pk": pk}),
        text="This cannot be undone.",
        effects=[
            f"{mails.filter(state__in=STOPPABLE).count():,} waiting mails are cancelled at once.",
            f"{count:,} mails and {replies:,} replies are deleted here, in every campaign.",
            "A block on the address stays, so that an import cannot bring it back.",
        ],
    )


def menus_of(wanted: PeopleFilter) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """(name, title, what is set, choices); what is set and not among them stays set."""
    rows = list(groups.by_name()[:MOST_OFFERED])
    named = {kind: [(str(row.pk), row.name) for row in rows if row.kind == kind] for kind in GroupKind}
    return [
        ("tag", "Tag", wanted.tag, named[GroupKind.TAG]),
        ("list", "List", wanted.list, named[GroupKind.LIST]),
        ("basis", "May be written to by", wanted.basis, list(Basis.choices)),
        ("written", "Mail", wanted.written, list(WRITTEN.items())),
        ("replied", "Replies", wanted.replied, list(REPLIED.items())),
    ]


def _saved(form: ContactForm, row: Contact | None, actor: User) -> Contact | None:
    """The stored contact; None with the sentence beside its field where it cannot be."""
    values = dict(form.cleaned_data)
    fields = values.pop("fields_text")
    try:
        return people.save_contact(**values, fields=fields, contact=row, actor=actor)
    except people.BadContact as bad:
        form.add_error(bad.field if bad.field in form.fields else None, str(bad))
        return None


def _initial(row: Contact) -> dict[str, Any]:
    plain = [
        "address",
        "name",
        "first_name",
        "company",
        "country",
        "timezone",
        "basis",
        "source",
        "tracking_consent",
    ]
    return {
        **{name: getattr(row, name) for name in plain},
        "website": row.site.domain if row.site else "",
        "fields_text": row.fields,
    }
