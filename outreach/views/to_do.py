"""Tasks: the list, a new one for a card, done, put off."""

from __future__ import annotations

import datetime as dt
import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import to_do
from outreach.forms_tasks import TaskForm
from outreach.models import Card, Contact, Task, Thread
from outreach.views.listing import kept, page_of

PUT_OFF = {"tomorrow": dt.timedelta(days=1), "week": dt.timedelta(days=7)}
_WITH = ("card__project", "card__site", "card__contact")


@member(Role.VIEWER)
@require_GET
def tasks(request: MemberRequest) -> HttpResponse:
    """One's own that are open; `?whose=all` shows everybody's."""
    whose = "all" if request.GET.get("whose") == "all" else ""
    page = {
        "page": page_of(request, to_do.open_for(None if whose else request.membership)),
        "whose": whose,
        "query": kept(whose=whose),
        "today": to_do.today(),
        "may_work": request.membership.may(Role.MEMBER),
        "nav_on": "tasks",
    }
    return render(request, "outreach/tasks.html", page)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def task_new(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`?person=` or `?thread=`: the page that it was begun on, to come back to."""
    card = own_or_404(Card.objects.select_related("project", "site", "contact"), pk)
    back, words = _begun_on(request, card)
    form = TaskForm(request.POST or None, card=card, me=request.membership)
    if request.method == "POST" and form.is_valid():
        task = form.save(actor=request.user)
        messages.success(request, f"“{task.title}” is a task for {task.due:%-d %b}")
        return redirect(back)
    status = 422 if request.method == "POST" else 200
    page = {"form": form, "card": card, "back": back, "back_words": words, "nav_on": "tasks"}
    return render(request, "outreach/task_new.html", page, status=status)


@member(Role.MEMBER)
@require_POST
def task_done(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`?undo` opens it again."""
    task = own_or_404(Task.objects.select_related(*_WITH), pk)
    if "undo" in request.GET:
        if to_do.reopen(task, actor=request.user):
            messages.success(request, f"“{task.title}” is open again")
    elif to_do.finish(task, actor=request.user):
        messages.success(
            request, f"“{task.title}” is done", extra_tags=f"undo:{_url(request, 'task_done', pk)}?undo"
        )
    return _back(request, task)


@member(Role.MEMBER)
@require_POST
def task_put_off(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`to` tomorrow or in a week, counted from today; Undo names the day (`?due=`) that it had."""
    task = own_or_404(Task.objects.select_related(*_WITH), pk)
    if "due" in request.GET:
        try:
            day = dt.date.fromisoformat(request.GET["due"])
        except ValueError:
            raise Http404 from None
    elif request.POST.get("to") in PUT_OFF:
        day = to_do.today() + PUT_OFF[request.POST["to"]]
    else:
        raise Http404
    if to_do.put_off(task, day, actor=request.user):
        undo = f"{_url(request, 'task_put_off', pk)}?{urlencode({'due': task.due.isoformat()})}"
        messages.success(request, f"“{task.title}” is due on {day:%-d %b}", extra_tags=f"undo:{undo}")
    return _back(request, task)


def _begun_on(request: MemberRequest, card: Card) -> tuple[str, str]:
    """(address, words) of the way back; the card's page where no other is named."""
    slug = request.workspace.slug
    if "person" in request.GET:
        person = own_or_404(Contact, request.GET["person"])
        return reverse("outreach:contact", kwargs={"slug": slug, "pk": person.pk}), person.greeting
    if "thread" in request.GET:
        thread = own_or_404(Thread.objects.select_related("contact"), request.GET["thread"])
        return reverse("outreach:thread", kwargs={"slug": slug, "pk": thread.pk}), thread.contact.greeting
    return _url(request, "card", card.pk), card.title


def _back(request: MemberRequest, task: Task) -> HttpResponse:
    """To the page that it was pressed on: Home, the card, else the list."""
    back, slug = request.POST.get("back"), request.workspace.slug
    if back == "home":
        return redirect("outreach:home", slug=slug)
    if back == "card":
        return redirect("outreach:card", slug=slug, pk=task.card_id)
    whose = "?whose=all" if back == "all" else ""
    return redirect(f"{reverse('outreach:tasks', kwargs={'slug': slug})}{whose}")


def _url(request: MemberRequest, name: str, pk: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": pk})
