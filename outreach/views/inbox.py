"""The inbox and one conversation: reading, label, done, answer."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit, clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.clock import Now
from accounts.models import Role
from mailbox.models import MailboxState
from mailbox.parsing.html import sanitise
from outreach import labels
from outreach.inbox import conversation, listing, site
from outreach.models import Label, RemovalCase, Reply, ReplyKind, Thread
from outreach.pipeline import compose
from outreach.suppression import is_suppressed
from outreach.views.asking import ask
from outreach.views.listing import kept, page_of

LONGEST_ANSWER = 50_000
# What may load inside the frame of an original mail: our one stylesheet, and nothing else at all.
FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@member(Role.VIEWER)
@require_GET
def inbox(request: MemberRequest) -> HttpResponse:
    """The list with its first conversation; with `?live=` only the list, or 204 while nothing changed."""
    page = _list(request)
    if "live" in request.GET:
        if request.GET["live"] == page["seen"]:
            return HttpResponse(status=204)
        page |= {"live": True, "on": request.GET.get("on", "")}
        return render(request, "outreach/_inbox_list.html", page)
    first = page["rows"][0].thread if page["rows"] else None
    if first is not None:
        page.update(_thread(request, _own(first.pk)))
    return render(request, "outreach/inbox.html", page)


@member(Role.VIEWER)
@require_GET
def thread(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The conversation; with `?live=` only its mails, or 204 while nothing has come."""
    row = _own(pk)
    if "live" in request.GET:
        page = _mails(request, row)
        if request.GET["live"] == page["mails_seen"]:
            return HttpResponse(status=204)
        return render(request, "outreach/_thread_mails.html", page)
    page = {**_list(request, row), **_thread(request, row), "reading": True}
    return render(request, "outreach/inbox.html", page)


@member(Role.MEMBER)
@require_POST
def thread_answer(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Queue the answer; the page minted the id, so that a second press makes no second mail."""
    row = _own(pk)
    text = request.POST.get("text", "")
    confirmed = request.POST.get("confirmed") == "yes"
    try:
        compose_id = uuid.UUID(request.POST.get("compose_id", ""))
    except ValueError:
        return _again(request, row, text, problem="The page was too old. Press Send once more.")
    if len(text) > LONGEST_ANSWER:
        words = f"This has {len(text):,} characters; an answer takes {LONGEST_ANSWER:,}."
        return _again(request, row, text, problem=words)
    try:
        compose.write_answer(row, compose_id=compose_id, text=text, actor=request.user, confirmed=confirmed)
    except compose.NeedsConfirmation as asks:
        return _again(request, row, text, compose_id=compose_id, asks=str(asks))
    except compose.Blocked as blocked:
        return _again(request, row, text, compose_id=compose_id, problem=str(blocked))
    messages.success(request, "The answer goes out in a moment")
    return redirect("outreach:thread", slug=request.workspace.slug, pk=pk)


@member(Role.MEMBER)
@require_POST
def thread_done(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Done: it waits for nobody. `?undo` puts it back to those that wait."""
    row = own_or_404(Thread, pk)
    url = reverse("outreach:thread_done", kwargs={"slug": request.workspace.slug, "pk": pk})
    if "undo" in request.GET:
        newest = row.replies.filter(kind=ReplyKind.REPLY).order_by("-received_at").first()
        since = newest.received_at if newest else row.last_at
        if Thread.objects.filter(pk=pk, done_at__isnull=False).update(waits_since=since, done_at=None):
            audit.record("thread.reopened", "A conversation waits again", actor=request.user, object_id=pk)
        return redirect("outreach:thread", slug=request.workspace.slug, pk=pk)
    if Thread.objects.filter(pk=pk, done_at=None).update(waits_since=None, done_at=Now()):
        audit.record("thread.done", "A conversation was marked as done", actor=request.user, object_id=pk)
    messages.success(request, "Done", extra_tags=f"undo:{url}?undo")
    return redirect("outreach:inbox", slug=request.workspace.slug)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def thread_label(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The label of one reply (`?reply=`), by default of the newest. "Opted out" asks first: it is final."""
    row = _own(pk)
    reply = _reply(row, request.GET.get("reply", ""))
    wanted = request.POST.get("label") or request.GET.get("label", "")
    back = reverse("outreach:thread", kwargs={"slug": request.workspace.slug, "pk": pk})
    if wanted and wanted not in Label.values:
        raise Http404
    label = Label(wanted) if wanted else None
    if label == Label.OPTED_OUT and request.POST.get("confirmed") != "yes":
        return ask(
            request,
            title=f"{reply.from_address} opted out",
            button="Never write to this address again",
            back=back,
            effects=[
                "The address goes on the suppression list, for every campaign of this workspace.",
                "What waits for it is cancelled. This is their word, so nobody here can take it back.",
            ],
            fields={"label": Label.OPTED_OUT, "confirmed": "yes"},
        )
    if request.method == "POST" and labels.set_label(reply, label, actor=request.user):
        messages.success(request, f"Label: {label.label}" if label else "Label taken back")
    return redirect(back)


@member(Role.VIEWER)
@require_GET
@xframe_options_sameorigin
def reply_frame(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The original of a reply, in a document that can do nothing and loads nothing."""
    reply = own_or_404(Reply, pk)
    # Cleaned when it was stored, and by today's rules once more.
    answer = render(request, "outreach/reply_frame.html", {"html": sanitise(reply.html or "")})
    answer["Content-Security-Policy"] = FRAME_POLICY
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store, private"
    return answer


def _own(pk: uuid.UUID) -> Thread:
    rows = Thread.objects.select_related("contact__site", "campaign", "project", "mailbox", "enrollment")
    return own_or_404(rows, pk)


def _reply(row: Thread, named: str) -> Reply:
    if named:
        return own_or_404(row.replies.all(), named)
    found = row.replies.filter(kind=ReplyKind.REPLY).order_by("-received_at").first()
    if found is None:
        raise Http404
    return found


def _list(request: MemberRequest, here: Thread | None = None) -> dict[str, Any]:
    """The left pane. Opened from elsewhere, a conversation stands among those of its own kind."""
    show = request.GET.get("show", "")
    if here is not None and "show" not in request.GET and here.waits_since is None:
        show = "all"
    show = show if show in listing.FILTERS else ""
    page = page_of(request, listing.threads(show))
    rows = listing.rows_of(page)
    count = listing.counts()["waiting"]
    stamp = repr([(row.thread.pk, row.thread.last_at, row.label, row.line) for row in rows]) + str(count)
    return {
        "page": page,
        "rows": rows,
        "filters": [(value, words, count if not value else None) for value, words in listing.FILTERS.items()],
        "show": show,
        "query": kept(show=show),
        "seen": hashlib.sha256(stamp.encode()).hexdigest()[:20],
    }


def _mails(request: MemberRequest, row: Thread) -> dict[str, Any]:
    items = conversation.of_thread(row, now=clock.now())
    stamp = repr([
        (item.mail.pk, item.mail.state, [(e.at, e.words) for e in item.evidence])
        if isinstance(item, conversation.Ours)
        else (item.reply.pk, item.reply.label)
        for item in items
    ])  # fmt: skip
    return {
        "thread": row,
        "items": items,
        "mails_seen": hashlib.sha256(stamp.encode()).hexdigest()[:20],
        "all_labels": [(value.value, value.label, *labels.MARKS[value]) for value in Label],
        "may_work": request.membership.may(Role.MEMBER),
    }


def _thread(request: MemberRequest, row: Thread) -> dict[str, Any]:
    """The middle and the right pane."""
    mails = _mails(request, row)
    last = next(
        (
            item.reply
            for item in reversed(mails["items"])
            if isinstance(item, conversation.Theirs) and item.is_last
        ),
        None,
    )
    to = last.from_address if last else row.contact.address
    blocked = is_suppressed(to) or is_suppressed(row.contact.address)
    case = RemovalCase.objects.filter(enrollment=row.enrollment_id, enrollment__isnull=False).first()
    return {
        **mails,
        "to": to,
        "blocked": blocked,
        "asks": blocked is not None,
        "compose_id": uuid.uuid4(),
        "text": "",
        "problem": "",
        "cannot": _cannot(row),
        "case": case,
        "site_contact": site.contact_with(row.contact, now=clock.now()),
    }


def _cannot(row: Thread) -> str:
    """Why nothing can be written from here, or "" where it can."""
    mailbox = row.mailbox
    if mailbox is None or mailbox.state == MailboxState.REVOKED:
        return "Access to the mailbox of this conversation was removed, so nothing can be sent from here."
    if mailbox.state == MailboxState.BROKEN:
        return f"{mailbox.address} needs reconnecting before an answer can leave."
    return ""


def _again(
    request: MemberRequest,
    row: Thread,
    text: str,
    *,
    compose_id: uuid.UUID | None = None,
    problem: str = "",
    asks: str = "",
) -> HttpResponse:
    """The page with the typed text, and what stands against sending it."""
    page = {**_list(request, row), **_thread(request, row), "reading": True}
    page |= {"text": text, "problem": problem or asks, "compose_id": compose_id or uuid.uuid4()}
    return render(request, "outreach/inbox.html", page, status=422)
