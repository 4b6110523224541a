"""The page between provider and connection: which account, into which workspace, by whom (threats T6).

Until "Connect" is pressed here nothing is connected; an account that is connected elsewhere can only be
asked to move, by a mail to its own address (T10).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.access import MemberRequest, member
from accounts.models import Role
from mailbox import notices, offers, stop_links
from mailbox.connecting import connect, identity_of
from mailbox.consents import ConsentError, Elsewhere, Stale
from mailbox.limited_use import PERMISSIONS
from mailbox.models import PendingConsent, Provider
from mailbox.views import problem_address

log = logging.getLogger(__name__)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
@never_cache
def confirm(request: MemberRequest) -> HttpResponse:
    row = offers.current(request.session, user=request.user)
    if row is not None and row.used_at is not None:
        # The second of two presses: the list shows what the first one did.
        return redirect("outreach:mailboxes", slug=request.workspace.slug)
    if row is None or not offers.is_open(row):
        return _stale(request, row)
    if request.method == "GET":
        return _ask(request, row)
    act = ACTS.get(request.POST.get("decision", ""))
    # What is confirmed is what the page showed, not what another tab has fetched since.
    if act is None or request.POST.get("offer") != str(row.pk):
        return _stale(request, row)
    try:
        return act(request, row)
    except ConsentError as error:
        log.info("an answer of %s was not connected: %s (%s)", row.provider, error.code, error.detail)
        return redirect(problem_address(request.workspace.slug, row.provider, error))


def _ask(request: MemberRequest, row: PendingConsent) -> HttpResponse:
    offer = offers.shown(row)
    page = {
        "offer": offer,
        "kind": Provider(row.provider),
        "permissions": PERMISSIONS[row.provider],
        "nav_on": "mailboxes",
    }
    return render(request, "mailbox/elsewhere.html" if offer.elsewhere else "mailbox/confirm.html", page)


def _connect(request: MemberRequest, row: PendingConsent) -> HttpResponse:
    connection = offers.connection_of(offers.take(row))
    try:
        mailbox = connect(connection, user=request.user)
    except Elsewhere:
        # Connected there since this page was shown: the answer goes, but the account may be moved.
        offers.lay(connection, user=request.user, session=request.session, elsewhere=True)
        return redirect("mailbox:confirm", slug=request.workspace.slug)
    messages.success(request, f"{mailbox.address} is connected. A notice went to its own address.")
    return redirect("outreach:mailboxes", slug=request.workspace.slug)


def _cancel(request: MemberRequest, row: PendingConsent) -> HttpResponse:
    offers.give_up(row, offers.take(row))
    messages.info(request, "Nothing is connected, and nothing of the account is kept.")
    return redirect("outreach:mailboxes", slug=request.workspace.slug)


def _move(request: MemberRequest, row: PendingConsent) -> HttpResponse:
    """Who has just proved that the account is theirs may have its other connection ended, by its own mail."""
    answer = offers.take(row)
    if not answer["elsewhere"]:
        raise Stale("nothing to move")
    address = str(answer["address"])
    link = stop_links.move_link(identity_of(row.provider, answer["subject"]))
    if link is not None:
        notices.tell_move(address, link, user=request.user)
    audit.record("mailbox.move_asked", f"Asked {address} to move here", actor=request.user)
    return render(request, "mailbox/move_asked.html", {"address": address, "nav_on": "mailboxes"})


def _stale(request: MemberRequest, row: PendingConsent | None) -> HttpResponse:
    provider = row.provider if row else Provider.GOOGLE
    return redirect(problem_address(request.workspace.slug, provider, Stale()))


ACTS: dict[str, Callable[[MemberRequest, PendingConsent], HttpResponse]] = {
    "connect": _connect,
    "cancel": _cancel,
    "move": _move,
}
