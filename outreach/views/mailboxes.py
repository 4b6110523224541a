"""Mailboxes: the list, one mailbox's settings, the bin, and the receipt that it leaves."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit, bells, clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.viewpoint import sees_all_projects, sees_project, whole_workspace
from mailbox import domains
from mailbox.connecting import highest_cap
from mailbox.forms import MailboxForm
from mailbox.limited_use import PERMISSIONS
from mailbox.models import USABLE, Mailbox, MailboxState, Provider, Receipt, Replies
from mailbox.receipts import grants_page, is_complete, number
from mailbox.revocation import revoke
from outreach import completeness, refused_reads, tasks
from outreach.mailbox_contents import contents, in_words, waiting_kinds
from outreach.mailbox_list import ACCESS, access_line, rows_of
from outreach.pipeline import compare
from outreach.receipt_text import as_text, lines_of


@member(Role.VIEWER)
@require_GET
def mailboxes(request: MemberRequest) -> HttpResponse:
    return render(request, "outreach/mailboxes.html", _list(request))


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def mailbox(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Mailbox.objects.live().select_related("owner"), pk)
    if request.POST.get("about") == "replies":
        return _set_replies(request, row)
    if request.method == "GET" and request.GET.get("part") == "comparison":
        proof = completeness.of_mailbox(row)
        return render(request, "outreach/_comparison.html", {"proof": proof, "row": {"mailbox": row}})
    if request.method == "GET" and request.GET.get("part") == "domain":
        looked = {"standing": domains.look(row), "looked": True, "row": {"mailbox": row}}
        return render(request, "outreach/_domain.html", looked)
    may_edit = may_bin(request, row) and request.membership.may(Role.MEMBER)
    if request.method == "POST" and not may_edit:
        raise PermissionDenied("A mailbox is changed by its owner or by an admin.")
    ceiling = highest_cap(row.provider, str(row.subject), str(row.address))
    form = MailboxForm(request.POST or None, mailbox=row, ceiling=ceiling)
    if request.method == "POST" and form.is_valid():
        for name, value in form.cleaned_data.items():
            setattr(row, name, value)
        row.save(update_fields=list(form.cleaned_data))
        audit.record(
            "mailbox.changed", f"Settings of {row.address} changed", actor=request.user, object_id=row.pk
        )
        messages.success(request, f"Settings of {row.address} are saved.")
        return redirect("outreach:mailbox", slug=request.workspace.slug, pk=row.pk)
    now = clock.now()
    page = {
        "row": rows_of([row], now=now, may=lambda one: may_bin(request, one))[0],
        "form": form,
        "proof": completeness.of_mailbox(row),
        "standing": domains.known(row),
        "unreadable": refused_reads.unreadable(row),
        "may_compare": request.membership.may(Role.MEMBER) and row.state in USABLE,
        "may_edit": may_edit,
        "is_mine": row.owner_id == request.user.pk,
        "is_private": row.replies == Replies.PRIVATE,
        "nav_on": "mailboxes",
    }
    return render(request, "outreach/mailbox.html", page, status=422 if form.errors else 200)


def _set_replies(request: MemberRequest, row: Mailbox) -> HttpResponse:
    """Whose replies these are, its owner alone decides: not even the workspace's owner opens them."""
    if row.owner_id != request.user.pk:
        raise PermissionDenied("Only the person who connected a mailbox decides who reads its replies.")
    wanted = request.POST.get("replies", "")
    if wanted not in Replies.values:
        raise Http404
    if Mailbox.objects.filter(pk=row.pk).exclude(replies=wanted).update(replies=wanted):
        words = (
            "private to its owner" if wanted == Replies.PRIVATE else "read by everybody who sees the project"
        )
        audit.record(
            "mailbox.replies",
            f"Replies to {row.address} are {words} now",
            actor=request.user,
            object_id=row.pk,
        )
        messages.success(request, f"Replies to {row.address} are {words} now.")
    return redirect("outreach:mailbox", slug=request.workspace.slug, pk=row.pk)


@member(Role.MEMBER)
@require_POST
def mailbox_compare(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Lay every conversation beside the provider's now; the page follows it."""
    row = own_or_404(Mailbox.objects.live(), pk)
    if row.state not in USABLE:
        messages.error(request, f"{row.address} needs reconnecting before it can be compared.")
        return redirect("outreach:mailbox", slug=request.workspace.slug, pk=pk)
    compare.begin(row)
    ids = (str(row.workspace_id), str(row.pk))
    transaction.on_commit(lambda: bells.ring(tasks.compare_mailbox, *ids))
    messages.success(request, f"Every conversation of {row.address} is being compared.")
    return redirect("outreach:mailbox", slug=request.workspace.slug, pk=pk)


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def mailbox_revoke(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The bin: what goes is said first, then it goes at once. No second sign-in: stopping is never slower."""
    row = own_or_404(Mailbox.objects.select_related("owner"), pk)
    if not may_bin(request, row):
        raise PermissionDenied("Access is removed by the mailbox's owner or by an admin.")
    if request.method == "POST":
        receipt = revoke(row, actor=request.user, kept_projects=_kept(request.POST, row))
        return redirect("outreach:receipt", slug=request.workspace.slug, pk=receipt.pk)
    if row.state == MailboxState.REVOKED:
        return redirect("outreach:mailboxes", slug=request.workspace.slug)
    dialog = _dialog(row, _kept(request.GET, row))
    if request.htmx:
        return render(request, "outreach/_revoke.html", dialog)
    return render(request, "outreach/mailboxes.html", {**_list(request), **dialog, "asks": True})


@member(Role.VIEWER)
@require_GET
@never_cache
def receipt(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    return render(request, "outreach/receipt.html", _receipt(own_or_404(_receipts(), pk)))


@member(Role.VIEWER)
@require_GET
@never_cache
def receipt_lines(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The lines again, or nothing where nothing has changed: what is being read never moves."""
    page = _receipt(own_or_404(_receipts(), pk))
    if request.GET.get("known") == page["mark"]:
        return HttpResponse(status=204)
    return render(request, "outreach/_receipt_lines.html", {**page, "again": True})


@member(Role.VIEWER)
@require_GET
def receipt_text(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(_receipts(), pk)
    answer = HttpResponse(as_text(row), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, f"receipt-{number(row)}.txt") or ""
    return answer


def may_bin(request: MemberRequest, row: Mailbox) -> bool:
    """Everybody their own, whatever they may do here; admins and owners any."""
    return row.owner_id == request.user.pk or request.membership.may(Role.ADMIN)


def _list(request: MemberRequest) -> dict[str, Any]:
    now = clock.now()
    rows = rows_of(
        Mailbox.objects.select_related("owner").order_by("revoked_at", "connected_at", "pk"),
        now=now,
        may=lambda one: may_bin(request, one),
    )
    live = [row for row in rows if row.mailbox.is_live]
    # What was kept names its project.
    told = [action for action in ACCESS if sees_all_projects() or action != "mailbox.mail_kept"]
    events = audit.lines().filter(action__in=told)[:5]
    return {
        "rows": [*live, *(row for row in rows if not row.mailbox.is_live)],
        "live": len(live),
        "can_send": sum(row.can_send for row in live),
        "lately": [access_line(event) for event in events],
        "permissions": PERMISSIONS[Provider.GOOGLE],
        "google_privacy": settings.GOOGLE_PRIVACY_URL,
        "microsoft_privacy": settings.MS_PRIVACY_URL,
        "may_connect": request.membership.may(Role.MEMBER),
        "nav_on": "mailboxes",
    }


def _kept(data: Any, row: Mailbox) -> list[str]:
    """Ids of the projects set to Keep: of this workspace, and never for Google."""
    if row.provider == Provider.GOOGLE:
        return []
    asked = {
        name.removeprefix("keep-")
        for name, value in data.items()
        if name.startswith("keep-") and value == "keep"
    }
    return [str(part.project.pk) for part in contents(row) if str(part.project.pk) in asked]


def _dialog(row: Mailbox, kept: list[str]) -> dict[str, Any]:
    with whole_workspace("the bin takes the mail of every project"):
        found = contents(row)
        kinds = waiting_kinds(row)
    shown = [part for part in found if sees_project(part.project.pk)]
    return {
        "mailbox": row,
        "elsewhere": sum(part.mails for part in found if part not in shown),
        "google": row.provider == Provider.GOOGLE,
        "symbol": "brand-google" if row.provider == Provider.GOOGLE else "brand-windows",
        "parts": [(part, str(part.project.pk) in kept) for part in shown if part.mails or part.threads],
        "queued": sum(part.queued for part in found),
        "kinds": in_words(kinds),
        "mails": sum(part.mails for part in found),
        "threads": sum(part.threads for part in found),
        "to_delete": sum(part.mails for part in found if str(part.project.pk) not in kept),
        "grants_page": grants_page(row),
    }


def _receipts() -> Any:
    return Receipt.objects.select_related("mailbox", "actor").prefetch_related("steps")


def _receipt(row: Receipt) -> dict[str, Any]:
    lines = lines_of(row)
    done = sum(line.tone == "g" for line in lines)
    steps = list(row.steps.all())
    return {
        "receipt": row,
        "number": number(row),
        "lines": lines,
        "complete": is_complete(steps),
        "done": done,
        "yours": sum(line.tone == "w" for line in lines),
        # Changes with every line's state and with the count: the page asks with it.
        "mark": "-".join([str(row.deleted), *(f"{step.code}.{step.state}" for step in steps)]),
        "nav_on": "mailboxes",
        "back": reverse("outreach:mailboxes", kwargs={"slug": row.workspace.slug}),
    }
