"""Mails in doubt: what we know of them, and the three words that a person may say (decisions 1)."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import doubts, timeline, why
from outreach.models import Campaign, Message, MessageState
from outreach.pipeline import settle
from outreach.reasons import DRAFT_EDITED
from outreach.views.asking import ask
from outreach.views.listing import PER_PAGE, ids_of, kept, page_of
from tracking.models import Event

SAID = {
    settle.Decision.SENT: "Noted: it was sent. The next steps follow it.",
    settle.Decision.SEND_AGAIN: "It is queued once more",
    settle.Decision.DO_NOT_SEND: "It is not sent",
    settle.Decision.AS_EDITED: "It leaves as it stands in the mailbox",
}
_OF_MANY = {
    settle.Decision.SENT: ("is noted as sent", "are noted as sent"),
    settle.Decision.SEND_AGAIN: ("is queued once more", "are queued once more"),
    settle.Decision.DO_NOT_SEND: ("is not sent", "are not sent"),
    settle.Decision.AS_EDITED: ("leaves as edited", "leave as edited"),
}
MOST_NAMED = 6
_THROWN = "An edited draft is thrown away: our own text goes."


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def in_doubt(request: MemberRequest) -> HttpResponse:
    """The list. `decision` and any number of `mail` decide; sending again is asked about first."""
    may_work = request.membership.may(Role.MEMBER)
    if request.method == "POST":
        if not may_work:
            raise PermissionDenied
        return _decide(request)
    if request.GET.get("decision") == settle.Decision.SEND_AGAIN.value and may_work:
        return _ask_again(request)
    wanted = request.GET.get("campaign", "")
    campaign = own_or_404(Campaign, wanted) if wanted else None
    rows = doubts.in_doubt()
    page = page_of(request, rows.filter(campaign=campaign) if campaign else rows)
    return render(
        request,
        "outreach/doubts.html",
        {
            "page": page,
            "rows": (known := doubts.known(page.object_list)),
            "edited": any(row.edited for row in known),
            "campaign": campaign,
            "query": kept(campaign=wanted),
            "may_work": may_work,
            "nav_on": "campaigns",
        },
    )


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def doubt(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """One of them, with its text and all that happened to it."""
    rows = Message.objects.select_related(*why.WITH, "thread").prefetch_related("replies")
    row = own_or_404(rows, pk)
    if request.method == "POST":
        try:
            decision = settle.Decision(request.POST.get("decision", ""))
            settle.decide(row, decision, actor=request.user)
            messages.success(request, SAID[decision])
        except settle.NotInDoubt:
            messages.warning(request, "This was settled in the meantime. Nothing was changed.")
        except ValueError:
            messages.error(request, "Choose one of the three.")
        return redirect(request.get_full_path())
    page = {
        "mail": row,
        "shown": why.state_of(row),
        "open": row.state == MessageState.DOUBT,
        "edited": row.reason == DRAFT_EDITED,
        "entries": timeline.of_message(row, Event.objects.filter(key=row.pk).order_by("at")),
        "nav_on": "campaigns",
    }
    return render(request, "outreach/doubt.html", page)


def _decide(request: MemberRequest) -> HttpResponse:
    back = _back(request)
    try:
        decision = settle.Decision(request.POST.get("decision", ""))
    except ValueError:
        messages.error(request, "Choose one of the three.")
        return redirect(back)
    chosen = _chosen(request)
    if not chosen:
        messages.warning(request, "No mail in doubt is selected. Nothing was changed.")
        return redirect(back)
    if decision is settle.Decision.SEND_AGAIN and request.POST.get("confirmed") != "yes":
        return redirect(_asking(request, chosen))
    done = sum(_decided(request, row, decision) for row in chosen)
    if len(chosen) == done == 1:
        messages.success(request, SAID[decision])
    elif done:
        messages.success(request, f"{done:,} of {len(chosen):,} {_OF_MANY[decision][done > 1]}")
    if done < len(chosen):
        messages.warning(request, f"{len(chosen) - done:,} settled in the meantime and left as they are.")
    return redirect(back)


def _decided(request: MemberRequest, row: Message, decision: settle.Decision) -> bool:
    try:
        settle.decide(row, decision, actor=request.user)
    except settle.NotInDoubt:
        return False
    return True


def _chosen(request: MemberRequest) -> list[Message]:
    """Those of the named rows that are in doubt and that whoever asks may see."""
    found = ids_of([*request.GET.getlist("mail"), *request.POST.getlist("mail")], most=PER_PAGE)
    return list(doubts.in_doubt().filter(pk__in=found))


def _ask_again(request: MemberRequest) -> HttpResponse:
    rows = doubts.known(_chosen(request))
    if not rows:
        messages.warning(request, "No mail in doubt is selected. Nothing was changed.")
        return redirect(_back(request))
    one = len(rows) == 1
    names = ", ".join(row.person for row in rows[:MOST_NAMED])
    more = f" and {len(rows) - MOST_NAMED:,} more" if len(rows) > MOST_NAMED else ""
    return ask(
        request,
        title=f"Send again to {rows[0].person}" if one else f"Send {len(rows):,} mails again",
        button="Send 1 mail again" if one else f"Send {len(rows):,} mails again",
        back=_back(request),
        text="" if one else f"{names}{more}.",
        effects=[
            *([_THROWN] if any(row.edited for row in rows) else []),
            f"If {'it' if one else 'one of them'} left after all, the person gets it twice.",
            "Looking into the Sent folder of the mailbox first settles it.",
            f"{'It goes' if one else 'They go'} through every gate again, and in the mailbox’s usual turn.",
        ],
        fields={"decision": settle.Decision.SEND_AGAIN.value, "confirmed": "yes"},
    )


def _asking(request: MemberRequest, rows: list[Message]) -> str:
    asked = {"decision": settle.Decision.SEND_AGAIN.value, "mail": [str(row.pk) for row in rows]}
    if "campaign" in request.GET:
        asked["campaign"] = request.GET["campaign"]
    return f"{_url(request)}?{urlencode(asked, doseq=True)}"


def _back(request: MemberRequest) -> str:
    """The list as it was filtered."""
    query = kept(campaign=request.GET.get("campaign", ""), page=request.GET.get("page", ""))
    return f"{_url(request)}?{query}" if query else _url(request)


def _url(request: MemberRequest) -> str:
    return reverse("outreach:doubts", kwargs={"slug": request.workspace.slug})
