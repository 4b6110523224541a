"""The composer: the text of each step, its preview for a real recipient, and the checks before the launch."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from mailbox import domains
from mailbox.models import USABLE
from outreach import campaigns, rendering, text_modes
from outreach.forms_campaigns import StepForm
from outreach.models import Campaign, CampaignKind, CampaignState, Step
from outreach.pipeline import compose
from outreach.views import checks, hand_edit, merge_fields
from outreach.views.asking import ask
from outreach.views.campaign_words import counting_words, window_words
from outreach.views.forecast import ahead_of
from outreach.views.previewing import as_written, preview_of

# From here on the rail shows a step as one line; the open one and those that need somebody keep their text.
MANY_STEPS = 5


@dataclass(frozen=True)
class Entry:
    """A step in the left rail."""

    step: Step
    title: str
    line: str
    on: bool
    problem: str


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def campaign_compose(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The page; a POST stores the step: from htmx by itself while one writes, else by the Save button."""
    row = _own(pk)
    step = _step(row, request.GET.get("step", "1"))
    may_edit = _may_edit(request, row)
    if request.method == "POST" and not request.membership.may(Role.MEMBER):
        raise PermissionDenied("Your role here reads only.")
    if request.method != "POST":
        form = StepForm(
            initial={
                "subject": step.subject,
                "body": step.body,
                "wait_days": step.wait_days,
                "working_days": step.working_days,
                "new_thread": step.new_thread,
                "condition": step.condition,
            }
        )
        return render(request, "outreach/composer.html", _page(request, row, step, form))
    form = StepForm(request.POST)
    saved = may_edit and form.is_valid() and _save(request, row, step, form)
    if request.htmx:
        # 422 keeps the page's guard up: it warns before unsaved text is left behind.
        words = {"saved": saved, "form": form, "at": timezone.now()}
        answer = render(request, "outreach/_composer_saved.html", words, status=200 if saved else 422)
        if saved:
            answer["HX-Trigger"] = "stored"
        return answer
    if saved:
        messages.success(request, "Saved")
        return redirect(_url(request, "campaign_compose", pk) + f"?step={step.position}")
    return render(request, "outreach/composer.html", _page(request, row, step, form), status=422)


@member(Role.VIEWER)
@require_GET
def campaign_preview(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """One recipient's mail of one step: `?step=2&n=12` is the twelfth person."""
    row = _own(pk)
    step = _step(row, request.GET.get("step", "1"))
    return render(request, "outreach/_composer_preview.html", _preview(request, row, step))


@member(Role.VIEWER)
@require_GET
def campaign_checks(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The checks, with the rail of steps and the header's acts, which follow from them.

    `?look=domain` asks the name servers first about the sender's domain, which may take seconds.
    """
    row = _own(pk)
    step = _step(row, request.GET.get("step", "1"))
    looked = request.GET.get("look") == "domain" and row.mailbox is not None
    if looked and row.mailbox:
        domains.look(row.mailbox)
    page = {**_frame(request, row, step, looked=looked), "live": True}
    return render(request, "outreach/_composer_checks.html", page)


@member(Role.MEMBER)
@require_POST
def step_new(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = _own(pk)
    known = row.steps.count()
    position = known + 1
    try:
        _insist_on_editable(row)
        campaigns.save_step(row, position, subject="", body="", actor=request.user)
    except campaigns.NotAllowed as no:
        messages.error(request, str(no))
        position = known
    return redirect(_url(request, "campaign_compose", pk) + f"?step={position}")


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def step_delete(request: MemberRequest, pk: uuid.UUID, position: int) -> HttpResponse:
    row = _own(pk)
    step = _step(row, str(position))
    back = _url(request, "campaign_compose", pk)
    title = _title(position, row.steps.count())
    if request.method == "POST":
        try:
            _insist_on_editable(row)
            campaigns.remove_step(step, actor=request.user)
            messages.success(request, f"{title} deleted")
        except campaigns.NotAllowed as no:
            messages.error(request, str(no))
        return redirect(back)
    return ask(
        request,
        title=f"Delete {title.lower()} of {row.name}",
        button="Delete the step",
        symbol="trash",
        back=back,
        effects=_lost_with(row, step),
    )


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def campaign_launch(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The dialog names the number; the POST plans the mails or says what stops it."""
    row = _own(pk)
    back = _url(request, "campaign_compose", pk)
    if request.method == "POST":
        try:
            launched = compose.launch(row, actor=request.user)
        except compose.NotReady as not_ready:
            for problem in not_ready.problems[:3]:
                messages.error(request, problem.sentence)
            return redirect(back)
        messages.success(request, _launched(launched))
        return redirect("outreach:campaign", slug=request.workspace.slug, pk=pk)
    found = compose.readiness(row)
    if found.problems or not found.ready:
        return redirect(back)
    ready, held = len(found.ready), len(found.held_back)
    effects = [
        f"From {row.mailbox.address if row.mailbox else 'no mailbox'}. {window_words(row)}.",
        "Follow-ups go only to people who have not answered.",
        "The text is frozen when a mail is queued. You can pause at any time.",
    ]
    if held:
        who = "1 person is" if held == 1 else f"{held:,} people are"
        effects.insert(0, f"{who} held back and left out. The reasons stand on the campaign’s page.")
    return ask(
        request,
        title=f"Queue {row.name}",
        button=f"Queue {ready:,}",
        symbol="send",
        tone="btn-primary",
        back=back,
        text=f"{ready:,} people get the first mail." if ready > 1 else "One person gets the first mail.",
        effects=effects,
    )


@member(Role.MEMBER)
@require_POST
def campaign_test(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """This step as the shown person would get it, to one's own address. The page minted the id."""
    row = _own(pk)
    step = _step(row, request.POST.get("step", "1"))
    person = checks.person_at(row, checks.number(request.POST.get("n")))
    try:
        compose_id = uuid.UUID(request.POST.get("compose_id", ""))
        compose.write_test(
            step,
            person.contact if person else None,
            compose_id=compose_id,
            user=request.user,
            enrollment=person,
        )
        messages.success(request, f"The test goes to {request.user.email} in a moment")
    except (compose.Blocked, compose.NotReady) as no:
        messages.error(request, str(no))
    except ValueError:
        messages.error(request, "The page was too old. Press “Send me a test” once more.")
    return redirect(_url(request, "campaign_compose", pk) + f"?step={step.position}")


@member(Role.MEMBER)
@require_POST
def campaign_mode(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Rich text or plain text, for all steps of the campaign at once."""
    row = _own(pk)
    plain, step = request.POST.get("mode") == "plain", request.POST.get("step", "1")
    known = [str(each.position) for each in row.steps.all()]
    back = _url(request, "campaign_compose", pk) + f"?step={step if step in known else 1}"
    if plain and "sure" not in request.POST and text_modes.loses_form(row):
        return ask(
            request,
            title=f"Turn {row.name} into plain text",
            button="Turn into plain text",
            back=back,
            text="This is for all steps, and switching back does not bring it back.",
            effects=[
                "Bold, italic and other form is lost. Links keep their address, written out.",
                "Image loads and link clicks are not counted.",
            ],
            fields={"mode": "plain", "step": step, "sure": "yes"},
        )
    try:
        text_modes.set_text_only(row, plain, actor=request.user)
    except campaigns.NotAllowed as no:
        messages.error(request, str(no))
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": back})
    return redirect(back)


def _insist_on_editable(row: Campaign) -> None:
    """A page from before the launch still has its buttons. Raises NotAllowed."""
    if not row.is_editable:
        raise campaigns.NotAllowed("Pause the campaign first: its steps change only while nothing is sent.")


def _lost_with(row: Campaign, step: Step) -> list[str]:
    effects = ["Its text is gone."]
    if row.state != CampaignState.DRAFT:
        effects.append("Mails of it that wait are cancelled.")
    if row.steps.filter(position__gt=step.position).exists():
        effects.append("Later steps move up.")
    return effects


def _title(position: int, count: int) -> str:
    """What a step is called among so many."""
    if position == 1:
        return "First mail"
    if position == count > 2:
        return "Last mail"
    return "Follow-up" if count < 4 else f"Follow-up {position - 1}"


def _own(pk: uuid.UUID) -> Campaign:
    rows = Campaign.objects.filter(kind=CampaignKind.OUTREACH)
    return own_or_404(rows.select_related("project", "mailbox", "workspace"), pk)


def _step(row: Campaign, position: str) -> Step:
    found = row.steps.filter(
        position=int(position) if position.isdecimal() and len(position) < 3 else 1
    ).first()
    if found is None:
        raise Http404
    found.campaign = row
    return found


def _may_edit(request: MemberRequest, row: Campaign) -> bool:
    return request.membership.may(Role.MEMBER) and row.is_editable


def _save(request: MemberRequest, row: Campaign, step: Step, form: StepForm) -> bool:
    try:
        campaigns.save_step(row, step.position, actor=request.user, **form.cleaned_data)
    except campaigns.NotAllowed as no:
        form.add_error(None, str(no))
        return False
    return True


def _frame(request: MemberRequest, row: Campaign, step: Step, *, looked: bool = False) -> dict[str, Any]:
    """What follows from the text: the checks, the rail, the header's acts."""
    found = compose.readiness(row)
    steps = list(row.steps.all())
    wrong: dict[int, str] = {}
    for problem in found.problems:
        wrong.setdefault(problem.step, problem.sentence)
    return {
        "campaign": row,
        "step": step,
        "title": _title(step.position, len(steps)),
        "many": len(steps) >= MANY_STEPS,
        "entries": [
            Entry(
                each,
                _title(each.position, len(steps)),
                merge_fields.first_line(each, row),
                each.pk == step.pk,
                wrong.get(each.position, ""),
            )
            for each in steps
        ],
        "can_add": len(steps) < campaigns.most_steps(row),
        "readiness": found,
        "checks": checks.checks_of(row, found, looked=looked),
        "may_edit": _may_edit(request, row),
        "may_work": request.membership.may(Role.MEMBER),
        "can_launch": row.state == CampaignState.DRAFT,
        "ahead": ahead_of(row),
        "ended": row.state in (CampaignState.FINISHED, CampaignState.CANCELLED),
        "connected": row.mailbox is not None and row.mailbox.state in USABLE,
        "compose_id": uuid.uuid4(),
    }


def _preview(request: MemberRequest, row: Campaign, step: Step) -> dict[str, Any]:
    people = row.enrollments.count()
    n = min(checks.number(request.GET.get("n")), max(people, 1))
    person = checks.person_at(row, n)
    turn = checks.turn(request.GET.get("turn"))
    return {
        "campaign": row,
        "step": step,
        "n": n,
        "people": people,
        "person": person,
        "turn": turn,
        "preview": preview_of(step, person.contact, turn=turn, enrollment=person) if person else None,
        **(hand_edit.offers(person, step) if person else {}),
        "may_work": request.membership.may(Role.MEMBER),
    }


def _page(request: MemberRequest, row: Campaign, step: Step, form: StepForm) -> dict[str, Any]:
    # Where it would go on in the thread before it: what it says so long as nobody gives it one of its own.
    before = rendering.opening_of(Step(campaign=row, position=step.position)) if step.position > 1 else step
    return {
        **_frame(request, row, step),
        **_preview(request, row, step),
        "form": form,
        "written": as_written(step.body) if not row.text_only else "",
        "first_subject": merge_fields.parts_of(before.subject),
        "shown_subject": merge_fields.parts_of(step.subject if step.begins_thread else before.subject),
        "fields": merge_fields.offered(row),
        "counting": counting_words(row, request.workspace),
        "window": window_words(row),
    }


def _launched(launched: compose.Launched) -> str:
    words = f"{launched.ready:,} mail{' is' if launched.ready == 1 else 's are'} planned"
    return f"{words}, {launched.held_back:,} held back" if launched.held_back else words


def _url(request: MemberRequest, name: str, pk: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": pk})
