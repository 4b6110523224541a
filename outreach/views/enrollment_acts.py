"""What a person does about people of a campaign, one or many: pause, go on, skip a step, take out."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Max, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.templatetags.ui import plural
from outreach import enrollments
from outreach.models import Campaign, Enrollment, Message
from outreach.models.messages import STOPPABLE
from outreach.views.asking import ask
from outreach.views.listing import ids_of


def offers(row: Enrollment) -> dict[str, Any]:
    """What the buttons below a person say: the step to skip, and who else is of the same site."""
    beside = enrollments.beside(row)
    if row.paused_at is None:
        beside = beside.filter(paused_at=None)
    else:
        beside = beside.filter(paused_at__isnull=False)
    return {"skippable": enrollments.skippable(row), "beside": beside.count()}


@member(Role.MEMBER)
@require_POST
def enrollment_pause(request: MemberRequest, pk: uuid.UUID, person: uuid.UUID) -> HttpResponse:
    """`?site=yes`: everybody of the same site. Undo lets those go on who were paused by this, no others."""
    row = _own(pk, person)
    count = enrollments.pause(_meant(request, row), actor=request.user)
    if count:
        row.refresh_from_db(fields=["paused_at"])
        undo = f"{_url(request, 'enrollment_go_on', row)}?{urlencode({'since': row.paused_at})}"
        words = f"{_whom(row, count)} paused. The campaign goes on with the others."
        messages.success(request, words, extra_tags=f"undo:{undo}")
    return _back(request, pk)


@member(Role.MEMBER)
@require_POST
def enrollment_go_on(request: MemberRequest, pk: uuid.UUID, person: uuid.UUID) -> HttpResponse:
    """`?site=yes`: everybody of the same site; `?since=`: those of them who were paused in this moment."""
    row = _own(pk, person)
    since = moment_of(request.GET.get("since", ""))
    meant = enrollments.beside(row).filter(paused_at=since) if since else _meant(request, row)
    count = enrollments.go_on(meant, actor=request.user)
    if count:
        undo = f"undo:{_url(request, 'enrollment_pause', row)}" if not request.GET else ""
        words = f"{_whom(row, count)} going on. Waiting mails keep their place."
        messages.success(request, words, extra_tags=undo)
    return _back(request, pk)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def enrollment_skip(request: MemberRequest, pk: uuid.UUID, person: uuid.UUID) -> HttpResponse:
    """The step that waits, if it still is the one that the button named."""
    row = _own(pk, person)
    waiting = enrollments.skippable(row)
    position = waiting.step.position if waiting and waiting.step else 0
    if waiting is None or (request.method == "POST" and request.POST.get("step") != str(position)):
        messages.error(request, str(enrollments.NotSkipped()))
        return _back(request, pk)
    if request.method == "POST":
        try:
            planned = enrollments.skip(row, waiting, actor=request.user)
            after = f"Step {position + 1} is planned." if planned else "No step follows."
            messages.success(request, f"Step {position} to {row.contact.greeting} is skipped. {after}")
        except enrollments.NotSkipped as no:
            messages.error(request, str(no))
        return _back(request, pk)
    follows = row.campaign.steps.filter(position=position + 1).first()
    then = (
        f"Step {position + 1} follows, its {follows.wait_words} counted from now."
        if follows
        else "It is the last one, so this person’s way ends here."
    )
    return ask(
        request,
        title=f"Skip step {position} for {row.contact.greeting}",
        button=f"Skip step {position}",
        symbol="arrow-right",
        back=reverse("outreach:campaign", kwargs={"slug": request.workspace.slug, "pk": pk}),
        effects=[f"Step {position} to {row.contact.address} will not go. This cannot be undone.", then],
        fields={"step": str(position)},
    )


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def campaign_remove(request: MemberRequest, pk: uuid.UUID, person: uuid.UUID) -> HttpResponse:
    """Take one person out: before the launch the row goes, afterwards the waiting mails do."""
    row = _own(pk, person)
    if request.method == "POST":
        enrollments.take_out(row, actor=request.user)
        messages.success(request, f"{row.contact.greeting} gets nothing more from this campaign")
        return _back(request, pk)
    waiting = plural(row.messages.filter(state__in=STOPPABLE).count(), "mail")
    return ask(
        request,
        title=f"Take {row.contact.greeting} out of {row.campaign.name}",
        button="Take out" if waiting.startswith("0 ") else f"Take out, cancel {waiting}",
        back=reverse("outreach:campaign", kwargs={"slug": request.workspace.slug, "pk": pk}),
        effects=[
            f"{waiting} to {row.contact.address} will not go.",
            "What went out before stays in the record. The contact stays.",
        ],
    )


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def enrollments_selected(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`act` for the selected people: pause, go_on, or take_out, which asks first, with the number.

    The question's own address names them, and its button posts back to that address.
    """
    campaign = own_or_404(Campaign, pk)
    act = request.POST.get("act", "") or request.GET.get("act", "")
    since = moment_of(request.GET.get("since", ""))
    named = ids_of([*request.GET.getlist("person"), *request.POST.getlist("person")])
    rows = Enrollment.objects.filter(campaign=campaign)
    rows = rows.filter(paused_at=since) if since else rows.filter(pk__in=named)
    if act == "take_out":
        return _take_out(request, campaign, rows)
    if request.method == "POST" and act == "pause":
        _pause(request, campaign, rows)
    elif request.method == "POST" and act == "go_on":
        count = enrollments.go_on(rows, actor=request.user)
        if count:
            messages.success(request, f"{_people(count)} going on. Waiting mails keep their place.")
        else:
            messages.warning(request, "Nobody of the selection is paused.")
    return _back(request, pk)


def _pause(request: MemberRequest, campaign: Campaign, rows: QuerySet[Enrollment]) -> None:
    count = enrollments.pause(rows, actor=request.user)
    if not count:
        messages.warning(request, "Nobody of the selection could be paused.")
        return
    since = Enrollment.objects.filter(campaign=campaign).aggregate(at=Max("paused_at"))["at"]
    undo = f"{_selected(request, campaign.pk)}?{urlencode({'act': 'go_on', 'since': since})}"
    messages.success(request, f"{_people(count)} paused", extra_tags=f"undo:{undo}")


def _take_out(request: MemberRequest, campaign: Campaign, rows: QuerySet[Enrollment]) -> HttpResponse:
    chosen = list(rows.filter(state__in=enrollments.OPEN).select_related("contact", "campaign"))
    if not chosen:
        messages.warning(request, "Nobody of the selection is still in the campaign.")
        return _back(request, campaign.pk)
    if request.method == "POST" and request.POST.get("confirmed") == "yes":
        enrollments.take_out(*chosen, actor=request.user)
        messages.success(request, f"{len(chosen):,} taken out. They get nothing more from this campaign")
        return _back(request, campaign.pk)
    if request.method == "POST":
        query = urlencode({"act": "take_out", "person": [str(row.pk) for row in chosen]}, doseq=True)
        return redirect(f"{_selected(request, campaign.pk)}?{query}")
    waiting = Message.objects.stoppable().filter(enrollment__in=chosen).count()
    people = plural(len(chosen), "person,people")
    return ask(
        request,
        title=f"Take {people} out of {campaign.name}",
        button=f"Take out {people}",
        symbol="user-x",
        back=reverse("outreach:campaign", kwargs={"slug": request.workspace.slug, "pk": campaign.pk}),
        effects=[
            f"{plural(waiting, 'mail')} to them will not go.",
            "What went out before stays in the record. The contacts stay.",
        ],
        fields={"confirmed": "yes"},
    )


def _own(campaign: uuid.UUID, person: uuid.UUID) -> Enrollment:
    rows = Enrollment.objects.filter(campaign=campaign).select_related("contact__site", "campaign")
    return own_or_404(rows, person)


def _meant(request: MemberRequest, row: Enrollment) -> QuerySet[Enrollment]:
    if request.GET.get("site") == "yes":
        return enrollments.beside(row)
    return Enrollment.objects.filter(pk=row.pk)


def _whom(row: Enrollment, count: int) -> str:
    return f"{row.contact.greeting} is" if count == 1 else f"{count:,} people of one site are"


def _selected(request: MemberRequest, campaign: uuid.UUID) -> str:
    where = {"slug": request.workspace.slug, "pk": campaign}
    return reverse("outreach:enrollments_selected", kwargs=where)


def _people(count: int) -> str:
    return "1 person is" if count == 1 else f"{count:,} people are"


def _url(request: MemberRequest, name: str, row: Enrollment) -> str:
    where = {"slug": request.workspace.slug, "pk": row.campaign_id, "person": row.pk}
    return reverse(f"outreach:{name}", kwargs=where)


def moment_of(text: str) -> dt.datetime | None:
    """None for what is no moment; one without a zone is none."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _back(request: MemberRequest, campaign: uuid.UUID) -> HttpResponse:
    return redirect("outreach:campaign", slug=request.workspace.slug, pk=campaign)
