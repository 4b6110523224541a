"""Who gets a campaign: pick known contacts, or paste lines or a file; and take people out again."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import campaigns, importing, suppression
from outreach.contacts import BadContact
from outreach.forms_people import PasteForm
from outreach.holding import held_sentence
from outreach.imports import storing
from outreach.models import Campaign, CampaignKind, Contact, Enrollment
from outreach.people_filter import PeopleFilter, told
from outreach.pipeline import compose
from outreach.views.campaigns import frame
from outreach.views.contacts import menus_of
from outreach.views.listing import ids_of, kept, page_of

MOST_PICKED = 1000
# So many of those who fit a filter are added by one press.
MOST_ADDED = 5000


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def campaign_people(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`?from=known` picks from the contacts, the other half of the page takes pasted lines or a file."""
    rows = Campaign.objects.filter(kind=CampaignKind.OUTREACH).select_related("mailbox", "project")
    row = own_or_404(rows, pk)
    form = PasteForm(initial={"basis": "legitimate"})
    rejects: list[importing.Reject] = []
    status = 200
    if request.method == "POST":
        try:
            if request.POST.get("about") == "pick":
                chosen = ids_of(request.POST.getlist("contact"), most=MOST_PICKED)
                return _picked(request, row, Contact.objects.filter(pk__in=chosen))
            if request.POST.get("about") == "fit":
                return _picked(request, row, _outside(row, PeopleFilter.of(request.GET))[:MOST_ADDED])
            form = PasteForm(request.POST, request.FILES)
            stored = _pasted(request, row, form)
            if stored is not None and not stored.rejects:
                return redirect("outreach:campaign_people", slug=request.workspace.slug, pk=pk)
            # The rows that were not taken stay in the field, so that they can be mended and sent again.
            rejects = stored.rejects if stored else []
            if stored is not None:
                form = PasteForm(
                    initial={**_kept(form), "lines": "\n".join(reject.text for reject in rejects)}
                )
            status = 200 if stored else 422
        except (campaigns.NotAllowed, compose.NotReady) as no:
            form.add_error(None, str(no)) if form.is_bound else messages.error(request, str(no))
            status = 422
    return render(request, "outreach/campaign_people.html", _page(request, row, form, rejects), status=status)


def _picked(request: MemberRequest, row: Campaign, chosen: QuerySet[Contact]) -> HttpResponse:
    people = list(chosen.only("pk", "workspace_id"))
    if people:
        messages.success(request, _words(campaigns.add_contacts(row, people, actor=request.user)))
    else:
        messages.warning(request, "Nobody was chosen")
    return redirect("outreach:campaign_people", slug=request.workspace.slug, pk=row.pk)


def _pasted(request: MemberRequest, row: Campaign, form: PasteForm) -> storing.Stored | None:
    """Stores the good rows and adds them; None, with a sentence beside the field, where there are none."""
    if not form.is_valid():
        return None
    data = form.cleaned_data
    try:
        report = form.report()
        stored = storing.store(report, source=data["source"], basis=data["basis"], actor=request.user)
    except (importing.ImportRefused, BadContact) as refused:
        form.add_error("file" if data["file"] else "lines", str(refused))
        return None
    if stored.contacts:
        messages.success(request, _words(campaigns.add_contacts(row, stored.contacts, actor=request.user)))
    elif not stored.rejects:
        form.add_error("lines", "There is no address in it.")
        return None
    return stored


def _kept(form: PasteForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("basis", "source")}


def _page(
    request: MemberRequest, row: Campaign, form: PasteForm, rejects: list[importing.Reject]
) -> dict[str, Any]:
    wanted = PeopleFilter.of(request.GET)
    inside = Enrollment.objects.filter(campaign=row)
    held = request.GET.get("held", "")[:60]
    shown = inside.filter(pk__in=_held_back(row, held)) if held else inside
    enrolled = page_of(request, shown.select_related("contact__site").order_by("-created_at", "-id"))
    outside = _outside(row, wanted)
    known = list(outside.select_related("site")[:50])
    blocked = suppression.blocking([person.address for person in known])
    return {
        **frame(request, row),
        "form": form,
        "rejects": rejects,
        "page": enrolled,
        "known": [(person, blocked.get(person.address)) for person in known],
        "wanted": wanted,
        "menus": menus_of(wanted)[:2],
        "fit": told(outside) if wanted.is_set and known else "",
        "most_added": MOST_ADDED,
        "held": held,
        "held_words": held_sentence(held) if held else "",
        "filter_query": wanted.query(),
        "query": "&".join(filter(None, (wanted.query(), kept(held=held)))),
    }


def _outside(row: Campaign, wanted: PeopleFilter) -> QuerySet[Contact]:
    """Those who fit and are not in the campaign yet, newest first."""
    inside = Enrollment.objects.filter(campaign=row, contact=OuterRef("pk"))
    return wanted.rows().filter(~Exists(inside)).order_by("-created_at", "-id")


def _held_back(row: Campaign, code: str) -> list[uuid.UUID]:
    """Those who would be left out now for this reason, as the composer's check counts them."""
    return [one.pk for one, _ in compose.readiness(row).held_back if one.reason == code]


def _words(added: campaigns.Added) -> str:
    words = "1 person added" if added.added == 1 else f"{added.added:,} people added"
    if added.known:
        words += f", {added.known:,} were in it already"
    if added.held_back:
        words += f", {added.held_back:,} held back"
    return words
