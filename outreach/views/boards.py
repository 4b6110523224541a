"""The board of a project, and one card of it."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import stages, to_do
from outreach.models import Card, Project, Stage
from outreach.views.listing import kept

MOST_PEOPLE, MOST_MOVES, MOST_TASKS = 20, 50, 20
_WITH = ("project", "site", "contact", "assignee__user")


@member(Role.VIEWER)
@require_GET
def board(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`?assignee=` shows one member's cards, `?stage=` the column that a narrow screen has room for."""
    project = own_or_404(Project, pk)
    return render(request, "outreach/board.html", _page(request, project))


@member(Role.VIEWER)
@require_GET
def board_more(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The next cards of the column `?stage=`, behind `?after=`; without both, the way to the board."""
    project = own_or_404(Project, pk)
    if not request.GET:
        return redirect("outreach:board", slug=request.workspace.slug, pk=pk)
    try:
        column = stages.more(
            project,
            Stage(request.GET.get("stage", "")),
            request.GET.get("after", ""),
            assignee=_assignee(request),
        )
    except ValueError:
        raise Http404 from None
    page = {"project": project, "column": column, **_acts(request)}
    return render(request, "outreach/_board_cards.html", page)


@member(Role.VIEWER)
@require_GET
def card(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Card.objects.select_related(*_WITH), pk)
    page = {
        "card": row,
        "mark": stages.MARKS[Stage(row.stage)],
        "moves": row.moves.select_related("actor").order_by("-number")[:MOST_MOVES],
        "people": stages.people_of(row)[:MOST_PEOPLE],
        "tasks": to_do.open_for(None).filter(card=row)[:MOST_TASKS],
        "today": to_do.today(),
        "members": stages.assignable(row.project_id),
        **_acts(request),
    }
    return render(request, "outreach/card.html", page)


@member(Role.MEMBER)
@require_POST
def card_move(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """From `seen`, where the page shows it, to `to`. Undo is the same act the other way."""
    row = own_or_404(Card.objects.select_related(*_WITH), pk)
    given = request.POST if "to" in request.POST else request.GET
    to, seen = given.get("to", ""), given.get("seen", "")
    if to not in Stage.values or seen not in Stage.values:
        raise Http404
    if stages.move(row, Stage(to), seen=seen, actor=request.user):
        undo = f"{_url(request, 'card_move', pk)}?{urlencode({'to': seen, 'seen': to})}"
        return _done(request, row, f"{row.title} is in {Stage(to).label}", undo)
    row.refresh_from_db(fields=["stage"])
    if row.stage == to:
        return _done(request, row, f"{row.title} is in {Stage(to).label} already", "")
    words = f"{row.title} was moved meanwhile and is in {Stage(row.stage).label} now. Nothing was changed."
    return _done(request, row, words, "", refused=True)


@member(Role.MEMBER)
@require_POST
def card_assign(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """To the member `to`, or to nobody. Undo is the same act with whoever had it before."""
    row = own_or_404(Card.objects.select_related(*_WITH), pk)
    to = request.POST.get("to") or request.GET.get("to", "")
    person = own_or_404(stages.assignable(row.project_id), to) if to else None
    before = row.assignee
    if stages.assign(row, person, actor=request.user):
        words = f"{row.title} is nobody’s now"
        if person is not None:
            mine = person.user_id == request.user.pk
            words = (
                f"{row.title} is yours now" if mine else f"{row.title} is given to {person.user.short_name}"
            )
        undo = f"{_url(request, 'card_assign', pk)}?{urlencode({'to': before.pk if before else ''})}"
        messages.success(request, words, extra_tags=f"undo:{undo}")
    return redirect("outreach:card", slug=request.workspace.slug, pk=pk)


def _done(request: MemberRequest, row: Card, words: str, undo: str, *, refused: bool = False) -> HttpResponse:
    """The board anew, with what was done or why not; without scripts, the page it was pressed on."""
    if request.htmx:
        page = _page(request, row.project) | {"refused": words if refused else ""}
        answer = render(request, "outreach/_board.html", page)
        if not refused:
            answer["HX-Trigger"] = json.dumps({"toast": {"text": words, "undo": undo}})
        return answer
    if refused:
        messages.warning(request, words)
    else:
        messages.success(request, words, extra_tags=f"undo:{undo}" if undo else "")
    if request.POST.get("back") == "card":
        return redirect("outreach:card", slug=request.workspace.slug, pk=row.pk)
    stage = urlencode({"stage": row.stage})
    return redirect(f"{_url(request, 'board', row.project_id)}?{stage}")


def _page(request: MemberRequest, project: Project) -> dict[str, Any]:
    assignee = _assignee(request)
    columns = stages.board(project, assignee=assignee)
    asked = request.GET.get("stage") or request.POST.get("column", "")
    on = asked if asked in Stage.values else next((c.stage for c in columns if c.cards), Stage.PROSPECT)
    return {
        "project": project,
        "columns": columns,
        "on": str(on),
        "assignee": assignee,
        "members": stages.assignable(project.pk),
        "query": kept(assignee=str(assignee or "")),
        **_acts(request),
    }


def _acts(request: MemberRequest) -> dict[str, Any]:
    return {
        "stages": Stage,
        "marks": stages.MARKS,
        "may_work": request.membership.may(Role.MEMBER),
        "me": request.membership.pk,
        "nav_on": "campaigns",
    }


def _assignee(request: MemberRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("assignee") or request.POST.get("assignee", ""))
    except ValueError:
        return None


def _url(request: MemberRequest, name: str, pk: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": pk})
