"""One person's mail edited by hand: a page of its own, and one press that takes the edit back."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import hand_edits, rendering, templating
from outreach.forms import LineField
from outreach.forms_campaigns import refuse_too_long
from outreach.models import CampaignKind, Enrollment, HandEdit, Step


class HandEditForm(forms.Form):
    """A mail as it goes out. What is still to be filled in is refused beside its field."""

    subject = LineField(required=False, label="Subject", max_length=rendering.LONGEST_SUBJECT)
    body = forms.CharField(
        required=False, strip=False, label="Text", widget=forms.Textarea(attrs={"rows": 18})
    )

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        refuse_too_long(body)
        return body


def offers(person: Enrollment, step: Step) -> dict[str, Any]:
    """What the preview says below this person's mail."""
    edit = HandEdit.objects.filter(enrollment=person, step=step).select_related("edited_by").first()
    return {
        "hand_edit": edit,
        "text_changed": edit is not None and edit.of_text != hand_edits.text_hash(step),
        "may_hand_edit": not hand_edits.may_edit(person, step),
    }


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def hand_edit(request: MemberRequest, pk: uuid.UUID, person: uuid.UUID, position: int) -> HttpResponse:
    row, step = _own(pk, person, position)
    back = _back(request, row, step)
    no = hand_edits.may_edit(row, step)
    form = HandEditForm(request.POST or None, initial=_initial(row, step))
    status = 200
    if request.method == "POST":
        if form.is_valid() and _save(request, form, row, step):
            messages.success(request, f"{row.contact.greeting} gets this mail as you wrote it")
            return redirect(back)
        status = 422
    elif no:
        messages.error(request, no)
        return redirect(back)
    page = {
        "form": form,
        "campaign": row.campaign,
        "enrollment": row,
        "step": step,
        "back": back,
        "edited": HandEdit.objects.filter(enrollment=row, step=step).exists(),
        "answers": "" if step.begins_thread else _subject(row, step),
    }
    return render(request, "outreach/hand_edit.html", page, status=status)


@member(Role.MEMBER)
@require_POST
def hand_edit_undo(request: MemberRequest, pk: uuid.UUID, person: uuid.UUID, position: int) -> HttpResponse:
    row, step = _own(pk, person, position)
    try:
        if hand_edits.revert(row, step, actor=request.user):
            messages.success(request, f"{row.contact.greeting} gets the campaign’s text again")
    except hand_edits.NotAllowed as no:
        messages.error(request, str(no))
    return redirect(_back(request, row, step))


def _save(request: MemberRequest, form: HandEditForm, row: Enrollment, step: Step) -> bool:
    data = form.cleaned_data
    try:
        hand_edits.save(row, step, subject=data["subject"], body=data["body"], actor=request.user)
    except hand_edits.NotFinal as wrong:
        for problem in wrong.problems:
            form.add_error(problem.field or None, ValidationError(problem.sentence))
        return False
    except hand_edits.NotAllowed as no:
        form.add_error(None, str(no))
        return False
    return True


def _initial(row: Enrollment, step: Step) -> dict[str, str]:
    """What they would get: the edit there is, else the step's text filled in, its choices made."""
    edit = HandEdit.objects.filter(enrollment=row, step=step).first()
    if edit is not None:
        return {"subject": edit.subject, "body": edit.body}
    campaign = row.campaign
    if campaign.mailbox is None:
        return {"subject": step.subject, "body": step.body}
    values = rendering.values_for(row.contact, mailbox=campaign.mailbox)
    try:
        body, _ = rendering.body_of(step, row.contact, values=values, html=not campaign.text_only)
        return {"subject": _subject(row, step), "body": body}
    except templating.BadTemplate:
        return {"subject": step.subject, "body": step.body}


def _subject(row: Enrollment, step: Step) -> str:
    try:
        return rendering.preview(step, row.contact, by_hand=hand_edits.of(row)).subject
    except templating.BadTemplate:
        return ""


def _own(pk: uuid.UUID, person: uuid.UUID, position: int) -> tuple[Enrollment, Step]:
    rows = Enrollment.objects.filter(campaign=pk, campaign__kind=CampaignKind.OUTREACH).select_related(
        "campaign__mailbox", "campaign__workspace", "campaign__project", "contact__site"
    )
    row = own_or_404(rows, person)
    step = row.campaign.steps.filter(position=position).first()
    if step is None:
        raise Http404
    step.campaign = row.campaign
    return row, step


def _back(request: MemberRequest, row: Enrollment, step: Step) -> str:
    """The composer at this step and this person."""
    place = Enrollment.objects.filter(campaign=row.campaign_id).order_by("created_at", "id")
    before = place.filter(created_at__lt=row.created_at).count()
    before += place.filter(created_at=row.created_at, pk__lt=row.pk).count()
    url = reverse("outreach:campaign_compose", kwargs={"slug": request.workspace.slug, "pk": row.campaign_id})
    return f"{url}?step={step.position}&n={before + 1}"
