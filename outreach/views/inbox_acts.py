"""What is done with a conversation besides answering: label, done, unread, assign, snooze, note; the news."""

from __future__ import annotations

import json
import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import labels
from outreach.inbox import acts, news, presence
from outreach.models import Label, Note, Reply, ReplyKind, Thread
from outreach.views import inbox_page
from outreach.views.asking import ask


@member(Role.MEMBER)
@require_POST
def thread_done(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Done: it waits for nobody. `?undo` puts it back to those that wait."""
    row = own_or_404(Thread, pk)
    if "undo" in request.GET:
        acts.reopen(row, actor=request.user)
        return _to_thread(request, pk)
    acts.close(row, actor=request.user)
    messages.success(request, "Done", extra_tags=f"undo:{_url(request, 'thread_done', pk)}?undo")
    return _to_list(request)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def thread_label(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The label of one reply (`?reply=`), by default of the newest. "Opted out" asks first: it is final."""
    row = inbox_page.own(pk)
    reply = _reply(row, request.GET.get("reply", ""))
    wanted = request.POST.get("label") or request.GET.get("label", "")
    back = _url(request, "thread", pk)
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
    return redirect(inbox_page.with_filters(request, back))


@member(Role.MEMBER)
@require_POST
def thread_unread(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Unread again; with `read`, which an opened page sends, read."""
    row = own_or_404(Thread, pk)
    if "read" in request.POST:
        acts.set_unread(row, False)
        return HttpResponse(status=204)
    if acts.set_unread(row, True):
        messages.success(request, "Marked as unread")
    return _to_list(request)


@member(Role.MEMBER)
@require_POST
def thread_assign(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """To the member `to`, or to nobody. Undo is the same act with whoever had it before."""
    row = inbox_page.own(pk)
    to = request.POST.get("to") or request.GET.get("to", "")
    person = own_or_404(acts.assignable(row), to) if to else None
    before = row.assignee
    if acts.assign(row, person, actor=request.user):
        words = "Nobody has it now"
        if person is not None:
            words = (
                "It is yours now"
                if person.user_id == request.user.pk
                else f"Given to {person.user.short_name}"
            )
        back = urlencode({"to": str(before.pk)}) if before else ""
        messages.success(request, words, extra_tags=f"undo:{_url(request, 'thread_assign', pk)}?{back}")
    return _to_thread(request, pk)


@member(Role.MEMBER)
@require_POST
def thread_snooze(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Out of the way until a time (`choice`, or `date` in the browser's `zone`); `?undo` takes it back."""
    row = own_or_404(Thread, pk)
    if "undo" in request.GET:
        acts.wake(row, actor=request.user)
        return _to_thread(request, pk)
    given = request.POST
    try:
        until = acts.snooze_time(given.get("choice", ""), given.get("date", ""), given.get("zone", ""))
    except acts.Refused as refused:
        return _again(request, pk, {"snooze_problem": str(refused)})
    acts.snooze(row, until, actor=request.user)
    words = f"Comes back on {until:%-d %b} at {until:%H:%M}"
    messages.success(request, words, extra_tags=f"undo:{_url(request, 'thread_snooze', pk)}?undo")
    return _to_list(request)


@member(Role.MEMBER)
@require_POST
def thread_note(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """A note to colleagues. The page minted its id."""
    row = own_or_404(Thread, pk)
    text = request.POST.get("note", "")
    try:
        note_id = uuid.UUID(request.POST.get("note_id", ""))
        note = acts.add_note(row, text, note_id=note_id, actor=request.user)
    except acts.Refused as refused:
        return _again(request, pk, {"note_problem": str(refused), "note_text": text})
    except ValueError:
        return _again(
            request, pk, {"note_problem": "The page was too old. Press it again.", "note_text": text}
        )
    undo = _url(request, "note_remove", note.pk)
    messages.success(request, "Note written, for colleagues only", extra_tags=f"undo:{undo}")
    return _to_thread(request, pk)


@member(Role.MEMBER)
@require_POST
def note_remove(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """By its author, or an admin."""
    note = own_or_404(Note.objects.select_related("thread"), pk)
    if note.author_id != request.user.pk and not request.membership.may(Role.ADMIN):
        raise PermissionDenied("A note is removed by whoever wrote it, or by an admin.")
    if acts.remove_note(note, actor=request.user):
        messages.success(request, "The note is gone")
    return _to_thread(request, note.thread_id)


@member(Role.MEMBER)
@require_POST
def thread_writing(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """An open answer says that it has text in it (`writes`), or none any more. The text stays there."""
    row = own_or_404(Thread, pk)
    presence.tell(row.pk, request.user, writes="writes" in request.POST)
    return HttpResponse(status=204)


@member(Role.VIEWER)
@require_GET
def inbox_news(request: MemberRequest) -> HttpResponse:
    """What came since the page's `mark`; 204 while nothing has and as many wait as it shows (`waiting`)."""
    try:
        mark = uuid.UUID(request.GET.get("mark", ""))
    except ValueError:
        mark = news.begin()
    found = news.since(mark, request.membership)
    if not found.sentence and request.GET.get("waiting", "") == found.waiting:
        return HttpResponse(status=204)
    answer = render(
        request, "outreach/_news.html", {"mark": found.mark, "waiting": found.waiting, "live": True}
    )
    if found.sentence:
        url = _url(request, "thread", found.thread) if found.thread else _url(request, "inbox")
        answer["HX-Trigger"] = json.dumps({"toast": {"text": found.sentence, "url": url}})
    return answer


def _reply(row: Thread, named: str) -> Reply:
    if named:
        return own_or_404(row.replies.all(), named)
    found = row.replies.filter(kind=ReplyKind.REPLY).order_by("-received_at").first()
    if found is None:
        raise Http404
    return found


def _url(request: MemberRequest, name: str, pk: uuid.UUID | None = None) -> str:
    more = {"pk": pk} if pk is not None else {}
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, **more})


def _to_list(request: MemberRequest) -> HttpResponse:
    return redirect(inbox_page.with_filters(request, _url(request, "inbox")))


def _to_thread(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    return redirect(inbox_page.with_filters(request, _url(request, "thread", pk)))


def _again(request: MemberRequest, pk: uuid.UUID, problem: dict[str, str]) -> HttpResponse:
    """The page with the sentence beside the field."""
    page = inbox_page.whole(request, inbox_page.own(pk)) | problem
    return render(request, "outreach/inbox.html", page, status=422)
