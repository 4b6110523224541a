"""The page behind a link mailed to a mailbox's own address: GET shows, POST ends the connection (T6)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import public
from accounts.tenancy import workspace
from mailbox import stop_links
from mailbox.endings import end_by_link


@public("opened from a mail to the mailbox: the signed link is the right, and it only stops")
@require_http_methods(["GET", "POST"])
@never_cache
def stop(request: HttpRequest, token: str) -> HttpResponse:
    target = stop_links.read(token)
    mailbox = stop_links.mailbox_of(target) if target else None
    if target is None or mailbox is None:
        # One answer for a link that is not ours, too old, or whose connection is over.
        return render(request, "mailbox/stop.html", {"step": "over"})
    moves = target.purpose == stop_links.MOVE
    with workspace(target.workspace_id):
        page = {
            "address": str(mailbox.address),
            "company": mailbox.company,
            "moves": moves,
            "house": "" if moves else mailbox.workspace.name,
        }
        if request.method == "POST":
            end_by_link(mailbox)
            return render(request, "mailbox/stop.html", {**page, "step": "done"})
    return render(request, "mailbox/stop.html", {**page, "step": "ask"})
