"""Pixel, click and the recipient's page: for anybody who holds a mail, without sign-in or cookie."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.encoding import iri_to_uri
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import public
from accounts.models import Workspace
from accounts.tenancy import workspace
from tracking.acts import NotOffered, perform
from tracking.ingest import note
from tracking.models import Kind
from tracking.page import Page, page_of
from tracking.recipient import Act
from tracking.tokens import Invalid, Mark, read_click, read_opt_out, read_pixel

GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


@public("whoever holds a mail of ours, by its token")
@require_safe
def pixel(request: HttpRequest, token: str) -> HttpResponse:
    """The same image always: whoever guesses learns nothing (threats T25)."""
    try:
        mark = read_pixel(token)
        note(request, Kind.OPENED, workspace_id=mark.workspace_id, key=mark.key)
    except Invalid:
        pass
    return _private(HttpResponse(GIF, content_type="image/gif"))


@public("whoever holds a mail of ours, by its token")
@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """To the target that the token or its row holds, and nowhere else (threats T24)."""
    try:
        found = read_click(token)
        with workspace(found.workspace_id):
            target = found.target()
    except Invalid:
        return _private(render(request, "tracking/no_link.html", status=404))
    note(request, Kind.CLICKED, workspace_id=found.workspace_id, key=found.key, link=found.link_no)
    # Django's own redirect refuses targets over 2,048 characters; these were checked at both ends.
    return _private(HttpResponse(status=302, headers={"Location": iri_to_uri(target)}))


@public("whoever holds a mail of ours, by its token")
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows, POST acts (RFC 8058): a scanner that follows links stops nobody's mail.

    No CSRF token is asked for: no cookie is involved, the address itself is the right to act.
    """
    try:
        mark = read_opt_out(token)
    except Invalid:
        return _private(render(request, "tracking/no_recipient.html", status=404))
    sender = Workspace.objects.filter(pk=mark.workspace_id).first()
    if sender is None:
        return _private(render(request, "tracking/no_sender.html", status=410))
    with workspace(sender):
        if request.method == "POST":
            return _act(request, sender, mark)
        asking = request.GET.get("ask") == Act.WRONG_PERSON.value
        return _shown(request, page_of(sender, mark, asking=asking))


def _act(request: HttpRequest, sender: Workspace, mark: Mark) -> HttpResponse:
    """The page's forms name their act; a POST that names none comes from a mail program: one click."""
    page, named = page_of(sender, mark), request.POST.get("act")
    try:
        act = Act(named) if named is not None else Act.STOP
        perform(page, mark, act, note=request.POST.get("note", ""))
    except NotOffered:
        if named is None:
            return _private(_plain("Nothing is stored of this mail any more.", status=410))
        return _shown(request, page_of(sender, mark, refused=True), status=400)
    except ValueError:
        return _shown(request, page_of(sender, mark, refused=True), status=400)
    if named is None:
        return _private(_plain(f"{sender.name} does not write to this address any more."))
    return _shown(request, page_of(sender, mark, done=act))


def _shown(request: HttpRequest, page: Page, *, status: int = 200) -> HttpResponse:
    return _private(render(request, "tracking/recipient.html", {"page": page}, status=status))


def _plain(sentence: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status)


def _private(response: HttpResponse) -> HttpResponse:
    """Kept by no cache and no index; tells no other site where the visitor came from."""
    response["Cache-Control"] = "no-store, no-cache, max-age=0, private"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
