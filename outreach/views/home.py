"""Home: what needs somebody, what goes on, what happens by itself. A new workspace sees its first steps."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts import clock
from accounts.access import MemberRequest, member
from accounts.models import Role
from mailbox.limited_use import PERMISSIONS
from mailbox.models import Provider
from outreach import suggestions, to_do, today
from outreach.inbox import listing
from outreach.views import campaign_counts as counts

MOST_REPLIES = 7
MOST_CAMPAIGNS = 8
MOST_TASKS = 5


@member(Role.VIEWER)
@require_GET
def home(request: MemberRequest) -> HttpResponse:
    start = today.start()
    if start is not None:
        page = {
            "start": start,
            "permissions": PERMISSIONS,
            "providers": Provider.choices,
            "google_privacy": settings.GOOGLE_PRIVACY_URL,
            "microsoft_privacy": settings.MS_PRIVACY_URL,
            "may_work": request.membership.may(Role.MEMBER),
            "now": clock.now(),
        }
        return render(request, "outreach/first_run.html", page)
    now = clock.now()
    waiting = today.waiting_threads()
    doubts, doubt_count = today.doubts()
    suggested = suggestions.waiting().count()
    broken, sending = today.broken(), today.sending(now=now)
    replied, written, early = today.answered_of_written(now=now)
    # One more than is shown tells that there are others.
    tasks = list(to_do.due(request.membership)[: MOST_TASKS + 1])
    page = {
        "now": now,
        "broken": broken,
        "held": sum(row.held for row in broken),
        "doubts": doubts,
        "doubt_count": doubt_count,
        "problems": len(broken) + (1 if doubt_count else 0) + (1 if suggested else 0),
        "suggested": suggested,
        "replies": listing.rows_of(waiting[:MOST_REPLIES]),
        "reply_count": listing.told(waiting),
        "tasks": tasks[:MOST_TASKS],
        "task_count": f"{MOST_TASKS}+" if len(tasks) > MOST_TASKS else len(tasks),
        "today": to_do.today(),
        "campaigns": counts.with_counts(today.running())[:MOST_CAMPAIGNS],
        "drafts": today.drafts(),
        "sending": sending,
        "coming": sum(row.coming for row in sending),
        "next": today.next_mails(now=now),
        "chart": today.chart(now=now),
        "replied": replied,
        "written": written,
        "early": early,
        "undecided": today.undecided(),
        "may_work": request.membership.may(Role.MEMBER),
    }
    return render(request, "outreach/home.html", page)
