"""What a person does in removal work: verdicts for one site or many, the requests, and holding them."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import campaigns
from outreach.links import cases, counting, request_text, words
from outreach.models import CampaignState, Project, RemovalCase, Verdict
from outreach.models.messages import STOPPABLE
from outreach.pipeline import compose
from outreach.views.asking import ask
from outreach.views.listing import ids_of, kept
from outreach.views.removals import line_of

MOST_NAMED = 6
_DISAVOW_EFFECTS = (
    "Requests that wait are cancelled. One that is being sent this second may still go.",
    "Each site stands in the disavow file from now on. We do not upload the file anywhere.",
    "A good link in that file can do harm. The verdict can be changed at any time.",
)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def case_verdict(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Keep and ask at once; disavow by the dialog, for no key alone puts a site into the file."""
    case = own_or_404(RemovalCase.objects.select_related("site", "project", "enrollment"), pk)
    wanted = _verdict(request.POST.get("verdict") or request.GET.get("verdict", ""))
    if request.method == "GET":
        return _ask_disavow(request, case) if wanted == Verdict.DISAVOW else redirect(_back(request, case))
    cases.set_verdict(case, wanted, actor=request.user)
    if request.htmx and request.GET.get("from") != "case":
        rows = counting.with_links(RemovalCase.objects.filter(pk=pk)).select_related(*words.RELATED)
        line = line_of(rows.prefetch_related(*words.prefetches()).get(), now=clock.now())
        answer = render(request, "outreach/_removal_cells.html", {"line": line, "may_work": True})
        # After the row is in its place: the question what has changed goes out with the new mark.
        answer["HX-Trigger-After-Settle"] = "verdict"
        return answer
    messages.success(request, f"{case.site.domain}: {wanted.label}")
    return redirect(_back(request, case))


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def removal_verdicts(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """One verdict for the selected sites. Disavow asks first, with the number.

    The question's own address names the sites, and its button posts back to that address.
    """
    row = own_or_404(Project, pk)
    sent = request.POST if request.method == "POST" else request.GET
    wanted = _verdict(sent.get("verdict", ""))
    named = ids_of([*request.GET.getlist("case"), *request.POST.getlist("case")])
    rows = RemovalCase.objects.filter(project=row, pk__in=named).select_related("site")
    chosen = list(rows.order_by("site__domain"))
    back = _url(request, "removal", row.pk)
    if not chosen:
        messages.warning(request, "No site is selected.")
        return redirect(back)
    if request.method == "GET" and wanted != Verdict.DISAVOW:
        return redirect(back)
    if wanted == Verdict.DISAVOW and (request.method == "GET" or sent.get("confirmed") != "yes"):
        query = urlencode({"case": [str(case.pk) for case in chosen], "verdict": wanted}, doseq=True)
        if request.method == "POST":
            return redirect(f"{_url(request, 'removal_verdicts', row.pk)}?{query}")
        return _ask_for_many(request, chosen, back)
    count = cases.set_verdicts(chosen, wanted, actor=request.user)
    messages.success(request, f"{count:,} of {len(chosen):,} sites: {wanted.label}")
    return redirect(back)


def _ask_for_many(request: MemberRequest, chosen: list[RemovalCase], back: str) -> HttpResponse:
    names = ", ".join(case.site.domain for case in chosen[:MOST_NAMED])
    more = f" and {len(chosen) - MOST_NAMED} more" if len(chosen) > MOST_NAMED else ""
    return ask(
        request,
        title=f"Disavow {len(chosen):,} sites",
        button=f"Put {len(chosen):,} sites into the file",
        back=back,
        text=f"{names}{more}.",
        effects=_DISAVOW_EFFECTS,
        fields={"verdict": Verdict.DISAVOW, "confirmed": "yes"},
    )


def _ask_disavow(request: MemberRequest, case: RemovalCase) -> HttpResponse:
    return ask(
        request,
        title=f"Disavow {case.site.domain}",
        button="Put 1 site into the file",
        back=_back(request, case),
        effects=_DISAVOW_EFFECTS,
        fields={"verdict": Verdict.DISAVOW},
    )


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def removal_write(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The dialog names the number of sites; the POST queues one mail for each."""
    row = own_or_404(Project, pk)
    back = _url(request, "removal", pk)
    found = cases.writable(row)
    only = request.GET.get("case", "")
    ready = [case for case in found.ready if not only or str(case.pk) == only]
    if request.method == "POST":
        return _write(request, row, ready, back)
    if not ready:
        return redirect(back)
    campaign = request_text.campaign_of(row)
    mailbox = campaign.mailbox if campaign else None
    reminders = max(0, campaign.steps.count() - 1) if campaign else 0
    effects = [
        f"From {mailbox.address}." if mailbox else "From the first mailbox that is connected.",
        f"{reminders} reminder{'' if reminders == 1 else 's'} follow, only while nobody has answered "
        "and a link is still there.",
        "The text is frozen when a mail is queued. A verdict of “Keep” or “Disavow” cancels what waits.",
    ]
    if found.held_back and not only:
        effects.insert(0, f"{len(found.held_back):,} sites are left out: {_why_left_out(found.held_back)}")
    one = f"{ready[0].contact.address if ready[0].contact else ''} gets one mail that lists its links."
    return ask(
        request,
        title=f"Write to {_sites(len(ready))}" if len(ready) > 1 else f"Write to {ready[0].site.domain}",
        button=f"Queue {len(ready):,} mail{'' if len(ready) == 1 else 's'}",
        symbol="send",
        tone="btn-primary",
        back=back,
        text="Each site gets one mail that lists its links." if len(ready) > 1 else one,
        effects=effects,
    )


def _write(request: MemberRequest, row: Project, ready: list[RemovalCase], back: str) -> HttpResponse:
    try:
        written = cases.write_to(row, ready, actor=request.user)
    except compose.NotReady as not_ready:
        for problem in not_ready.problems[:3]:
            messages.error(request, problem.sentence)
        return redirect(back)
    if written.asked:
        messages.success(request, f"Mails to {_sites(len(written.asked))} are planned")
    for case, sentence in written.held_back[:3]:
        messages.warning(request, f"{case.site.domain} is left out: {sentence}")
    if not written.asked and not written.held_back:
        messages.warning(request, "No site is ready. Nothing was sent.")
    return redirect(back)


@member(Role.MEMBER)
@require_POST
def removal_pause(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Hold every request of the project, or let them go on."""
    row = own_or_404(Project, pk)
    campaign = request_text.campaign_of(row)
    if campaign is None:
        raise Http404
    try:
        if campaign.state == CampaignState.RUNNING:
            campaigns.pause(campaign, actor=request.user)
            waiting = campaign.messages.filter(state__in=STOPPABLE).count()
            messages.success(request, f"Paused. {waiting:,} requests keep their place")
        else:
            campaigns.resume(campaign, actor=request.user)
            messages.success(request, "Requests go on")
    except campaigns.NotAllowed as no:
        messages.error(request, str(no))
    return redirect(_url(request, "removal", pk))


def _why_left_out(held: list[tuple[RemovalCase, str]]) -> str:
    counts: dict[str, int] = {}
    for case, sentence in held:
        key = sentence.replace(case.contact.address, "the contact") if case.contact else sentence
        counts[key] = counts.get(key, 0) + 1
    most = sorted(counts.items(), key=lambda item: -item[1])[:3]
    return " ".join(f"{count} × {sentence}" if len(held) > 1 else sentence for sentence, count in most)


def _sites(count: int) -> str:
    return "1 site" if count == 1 else f"{count:,} sites"


def _verdict(text: str) -> Verdict:
    if text not in Verdict.values:
        raise Http404
    return Verdict(text)


def _back(request: MemberRequest, case: RemovalCase) -> str:
    if request.GET.get("from") == "case":
        return _url(request, "case", case.pk)
    query = kept(show=request.GET.get("show", "")[:20], page=request.GET.get("page", "")[:6])
    return _url(request, "removal", case.project_id) + (f"?{query}" if query else "")


def _url(request: MemberRequest, name: str, pk: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": pk})
