"""Removal work to start tests from: a project with a list, cases with contacts, requests and answers."""

from __future__ import annotations

import datetime as dt

from accounts import clock
from outreach.links import cases, importing, request_text
from outreach.models import (
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    Project,
    RemovalCase,
    Verdict,
)
from tests import factories


def make_list(project: Project, *, sites: int = 3, pages: int = 2) -> list[RemovalCase]:
    """So many sites with so many linking pages each, undecided."""
    lines = [
        f"https://site{site:03}.example/page/{page},https://fernhill.example/,cheap tents"
        for site in range(sites)
        for page in range(pages)
    ]
    text = "Source URL,Target URL,Anchor\n" + "\n".join(lines)
    importing.store(project, importing.read(text.encode(), website="fernhill.example"), actor=None)
    rows = RemovalCase.objects.filter(project=project).select_related("site", "project", "enrollment")
    return list(rows.order_by("site__domain"))


def make_ready(case: RemovalCase) -> RemovalCase:
    """Decided, with a contact of its own."""
    cases.set_verdict(case, Verdict.REMOVE, actor=None)
    cases.set_contact(case, address=f"webmaster@{case.site.domain}", name="Webmaster", actor=None)
    return case


def make_asked(case: RemovalCase, *, days_ago: int = 3) -> Message:
    """As after a request that was accepted some days ago, and a reminder that waits."""
    campaign = request_text.prepare(case.project, actor=None)
    make_ready(case)
    assert case.contact is not None
    enrollment: Enrollment = factories.make_enrollment(campaign, case.contact, state=EnrollmentState.RUNNING)
    RemovalCase.objects.filter(pk=case.pk).update(enrollment=enrollment)
    type(campaign).objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING, launched_at=clock.now())
    at = clock.now() - dt.timedelta(days=days_ago)
    mail = factories.make_message(
        enrollment, state=MessageState.SENT, sent_at=at, attempted_at=at, text="Please remove the links."
    )
    factories.make_message(
        enrollment,
        position=2,
        state=MessageState.PLANNED,
        due_at=clock.now() + dt.timedelta(days=2),
        thread=mail.thread,
    )
    case.refresh_from_db()
    return mail
