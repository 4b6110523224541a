"""Tasks of people: made for a card, done, put off to another day. Each says whether it changed anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, clock
from accounts.clock import Now
from accounts.models import Membership, User
from outreach.models import Card, Task, TaskKind

MOST_TITLE = 200
# Nobody means to call after this.
MOST_AHEAD = dt.timedelta(days=366)


def today() -> dt.date:
    """By UTC, as the chart of Home."""
    return clock.now().date()


def add(
    card: Card, title: str, *, kind: TaskKind, due: dt.date, assignee: Membership | None, actor: User
) -> Task:
    with transaction.atomic():
        task = Task.objects.create(
            card=card, title=title, kind=kind, due=due, assignee=assignee, created_by=actor
        )
        _tell("made", f"A task for {card.title} by {due:%Y-%m-%d}", task, actor)
    return task


def finish(task: Task, *, actor: User) -> bool:
    with transaction.atomic():
        changed = Task.objects.filter(pk=task.pk, done_at__isnull=True).update(done_at=Now()) == 1
        if changed:
            _tell("done", f"A task for {task.card.title} is done", task, actor)
    return changed


def reopen(task: Task, *, actor: User) -> bool:
    with transaction.atomic():
        changed = Task.objects.filter(pk=task.pk, done_at__isnull=False).update(done_at=None) == 1
        if changed:
            _tell("reopened", f"A task for {task.card.title} is open again", task, actor)
    return changed


def put_off(task: Task, to: dt.date, *, actor: User) -> bool:
    """To another day; one that is done stays so."""
    with transaction.atomic():
        changed = Task.objects.filter(pk=task.pk, done_at__isnull=True).exclude(due=to).update(due=to) == 1
        if changed:
            _tell("put_off", f"A task for {task.card.title} is due on {to:%Y-%m-%d}", task, actor)
    return changed


def open_for(person: Membership | None) -> QuerySet[Task]:
    """What one member has to do; of None, everybody."""
    rows: QuerySet[Task] = Task.objects.open().select_related(
        "card__project", "card__site", "card__contact", "assignee__user"
    )
    return rows.filter(assignee=person) if person else rows


def about(cards: Iterable[Card]) -> QuerySet[Task]:
    """What is to do about these cards, whoever does it."""
    return open_for(None).filter(card__in=[card.pk for card in cards])


def due(person: Membership) -> QuerySet[Task]:
    """Theirs, of today and before."""
    return open_for(person).filter(due__lte=today())


def _tell(act: str, sentence: str, task: Task, actor: User) -> None:
    audit.record(f"task.{act}", sentence, actor=actor, object_id=task.pk)
