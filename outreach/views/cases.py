"""One site's case file: its links, what happened, who is asked, and why it stands where it stands."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.viewpoint import whole_workspace
from outreach import contacts as people
from outreach.forms_removals import CaseContactForm
from outreach.gates.facts import SITE_DAYS, SITE_MAILS
from outreach.links import cases, history, words
from outreach.links.counting import GONE
from outreach.models import Backlink, Campaign, CampaignState, LinkState, Message, RemovalCase, Thread
from outreach.models.messages import COUNTED
from outreach.suppression import is_suppressed
from outreach.views.listing import page_of


@dataclass(frozen=True)
class Link:
    """A row of the table of links; `path` is the page without its host where that is the site's own."""

    row: Backlink
    chip: words.Chip
    path: str
    target: str


def _own(pk: uuid.UUID) -> RemovalCase:
    rows = RemovalCase.objects.select_related(*words.RELATED).prefetch_related(*words.prefetches())
    return own_or_404(rows, pk)


@member(Role.VIEWER)
@require_GET
def case(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = _own(pk)
    now = clock.now()
    links = page_of(request, Backlink.objects.filter(case=row).order_by("source_url", "pk"))
    states = list(Backlink.objects.filter(case=row).values_list("state", flat=True))
    threads = Thread.objects.filter(enrollment=row.enrollment_id, enrollment__isnull=False)
    ready = {found.pk for found in cases.writable(row.project).ready}
    page = {
        "case": row,
        "chip": words.state_of(row),
        "sentence": words.sentence_of(row, now=now),
        "page": links,
        "links": [_link(link, row.site.domain) for link in links],
        "total": len(states),
        "still": sum(state in (LinkState.LIVE, LinkState.NOFOLLOW) for state in states),
        "gone": sum(state in GONE for state in states),
        "by_hand": [(state.value, words.link_state(state.value)) for state in words.BY_HAND],
        "entries": history.of_case(row, now=now),
        "thread": threads.order_by("-last_at").first(),
        "used": _used(row, now),
        "budget": SITE_MAILS,
        "days": SITE_DAYS,
        "blocked": is_suppressed(row.contact.address) if row.contact else None,
        "can_write": row.pk in ready,
        "wants": _wanted_by(row),
        "nav_on": "removals",
        "may_work": request.membership.may(Role.MEMBER),
    }
    return render(request, "outreach/case.html", page)


def _link(link: Backlink, domain: str) -> Link:
    host, _, path = link.source_url.partition("://")[2].partition("/")
    same = host.removeprefix("www.") == domain
    target = link.target_url.partition("://")[2].rstrip("/")
    return Link(link, words.link_state(link.state), f"/{path}" if same else f"{host}/{path}", target)


@whole_workspace("a site's budget is one over all projects")
def _used(row: RemovalCase, now: dt.datetime) -> int:
    """Mails to the site in the time of its budget, over all projects."""
    since = now - dt.timedelta(seconds=SITE_DAYS * settings.DAY_SECONDS)
    mails = Message.objects.filter(contact__site=row.site_id, state__in=COUNTED)
    return mails.exclude(kind__in=["answer", "test"]).filter(created_at__gt=since).count()


def _wanted_by(row: RemovalCase) -> list[Campaign]:
    """Campaigns that ask the same site for something while this case asks for a removal."""
    found = Campaign.objects.filter(
        kind="outreach",
        state__in=[CampaignState.RUNNING, CampaignState.PAUSED],
        enrollments__contact__site=row.site_id,
    )
    return list(found.distinct().order_by("name")[:3])


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def case_contact(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """A dialog for htmx, else a page: an address that is typed, or somebody known there."""
    row = _own(pk)
    form = CaseContactForm(request.POST if request.method == "POST" else None, case=row)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            person = cases.set_contact(
                row,
                contact=data.get("known"),
                address=data["address"],
                name=data["name"],
                source=data["source"],
                actor=request.user,
            )
        except people.BadContact as bad:
            form.add_error(bad.field if bad.field in form.fields else "address", str(bad))
        except cases.NotAllowed as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, f"{person.address} is asked for {row.site.domain}")
            return redirect("outreach:case", slug=request.workspace.slug, pk=pk)
    page = {"case": row, "form": form, "nav_on": "removals"}
    if request.htmx and request.method == "GET":
        return render(request, "outreach/_case_contact.html", page)
    return render(request, "outreach/case_contact.html", page, status=422 if form.errors else 200)


@member(Role.MEMBER)
@require_POST
def case_links(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """What a person saw: of the link that is named, or of all."""
    row = _own(pk)
    wanted = request.POST.get("state", "")
    if wanted not in LinkState.values:
        raise Http404
    named = request.POST.get("link", "")
    try:
        link = own_or_404(Backlink.objects.filter(case=row), uuid.UUID(named)) if named else None
    except ValueError as wrong:
        raise Http404 from wrong
    count = cases.set_link_state(row, LinkState(wanted), link=link, actor=request.user)
    if count:
        many = "1 link" if count == 1 else f"{count:,} links"
        messages.success(request, f"{many} recorded: {LinkState(wanted).label}")
    return redirect("outreach:case", slug=request.workspace.slug, pk=pk)


@member(Role.MEMBER)
@require_POST
def case_scope(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = _own(pk)
    cases.set_scope(row, whole_domain=request.POST.get("scope") == "domain", actor=request.user)
    messages.success(request, "Saved")
    return redirect("outreach:case", slug=request.workspace.slug, pk=pk)
