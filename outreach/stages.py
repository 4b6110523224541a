"""A project's board: what a person does with its cards. What moves them by itself stands in the database.

A card is one site in one project, as a link builder counts: three editors of one magazine are one chance.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from accounts import audit
from accounts.clock import Now
from accounts.models import Membership, User
from outreach import project_access
from outreach.models import Card, Cause, Contact, Enrollment, Project, Stage, StageMove

PER_COLUMN = 20
MOST_COUNTED = 999
# (tone, mark) of {% state %}.
MARKS = {
    Stage.PROSPECT: ("n", "planned"),
    Stage.CONTACTED: ("m", "accepted"),
    Stage.REPLIED: ("m", "replied"),
    Stage.AGREED: ("g", "accepted"),
    Stage.WON: ("g", "quiet"),
    Stage.LOST: ("n", "minus"),
}


@dataclass(frozen=True)
class Shown:
    """A card as the board shows it: `person` was put into a campaign last."""

    card: Card
    person: Contact | None
    stage_to_left: Stage | None
    stage_to_right: Stage | None


@dataclass(frozen=True)
class Column:
    """The newest of one stage. `after` names the last one shown where others follow."""

    stage: Stage
    cards: list[Shown]
    number: str
    after: str


def move(card: Card, to: Stage, *, seen: str, actor: User) -> bool:
    """From the stage in which the person saw it; False where somebody or something moved it meanwhile."""
    with transaction.atomic():
        if (
            Card.objects.filter(pk=card.pk, stage=seen).exclude(stage=to).update(stage=to, stage_at=Now())
            == 0
        ):
            return False
        number = card.moves.aggregate(last=Max("number"))["last"] or 0
        StageMove.objects.create(
            card=card, number=number + 1, from_stage=seen, to_stage=to, cause=Cause.BY_HAND, actor=actor
        )
        words = f"{_in_log(card)} moved from {Stage(seen).label} to {to.label}"
        audit.record("card.moved", words, actor=actor, object_id=card.pk)
    card.refresh_from_db(fields=["stage", "stage_at"])
    return True


def assignable(project: uuid.UUID) -> QuerySet[Membership]:
    """Members who may work on this project's cards."""
    return project_access.working_on(project)


def assign(card: Card, to: Membership | None, *, actor: User) -> bool:
    """`to` None: nobody's. Whether that changed something."""
    rows = Card.objects.filter(pk=card.pk)
    rows = rows.filter(assignee__isnull=False) if to is None else rows.exclude(assignee=to)
    with transaction.atomic():
        changed = rows.update(assignee=to) == 1
        if changed:
            words = f"given to {to.user.name or to.user.email}" if to else "taken from its assignee"
            audit.record("card.assigned", f"{_in_log(card)} {words}", actor=actor, object_id=card.pk)
    return changed


def cards_of(project: Project, *, assignee: uuid.UUID | None = None) -> QuerySet[Card]:
    """Of everybody, or of one member."""
    rows: QuerySet[Card] = Card.objects.filter(project=project)
    return rows.filter(assignee=assignee) if assignee else rows


def cards_about(contact: Contact, *, project: uuid.UUID | None = None) -> QuerySet[Card]:
    """Their site's or their own, in each project or in one."""
    about = Q(contact=contact)
    if contact.site_id:
        about |= Q(site=contact.site_id)
    rows = Card.objects.filter(about).select_related("project", "site", "contact")
    return rows.filter(project=project) if project else rows.order_by("-stage_at", "-id")


def board(project: Project, *, assignee: uuid.UUID | None = None) -> list[Column]:
    """Its six columns. Fourteen queries, whatever the number of cards."""
    rows = cards_of(project, assignee=assignee)
    found = {stage: _newest(rows.filter(stage=stage)) for stage in Stage}
    people = _people(project, [card for cards in found.values() for card in cards[:PER_COLUMN]])
    return [_column(stage, cards, people, _told(rows.filter(stage=stage))) for stage, cards in found.items()]


def more(project: Project, stage: Stage, after: str, *, assignee: uuid.UUID | None = None) -> Column:
    """The next of one column, behind the card that `after` names. Raises ValueError for what names none."""
    at, _, pk = after.partition("~")
    moment, last = dt.datetime.fromisoformat(at), uuid.UUID(pk)
    if moment.tzinfo is None:
        raise ValueError(after)
    behind = Q(stage_at__lt=moment) | Q(stage_at=moment, pk__lt=last)
    cards = _newest(cards_of(project, assignee=assignee).filter(behind, stage=stage, stage_at__lte=moment))
    return _column(stage, cards, _people(project, cards[:PER_COLUMN]), "")


def people_of(card: Card) -> QuerySet[Enrollment]:
    """Who is in a campaign of this project for it, the newest first."""
    rows = Enrollment.objects.filter(campaign__project=card.project_id, campaign__kind="outreach")
    rows = rows.filter(contact__site=card.site_id) if card.site_id else rows.filter(contact=card.contact_id)
    return rows.select_related("contact", "campaign").order_by("-created_at", "-id")


def _newest(rows: QuerySet[Card]) -> list[Card]:
    """One more than is shown tells that there are others."""
    rows = rows.select_related("site", "contact", "assignee__user")
    return list(rows.order_by("-stage_at", "-id")[: PER_COLUMN + 1])


def _column(stage: Stage, cards: list[Card], people: dict[uuid.UUID, Contact], number: str) -> Column:
    shown, stages = cards[:PER_COLUMN], list(Stage)
    at = stages.index(stage)
    left = stages[at - 1] if at else None
    right = stages[at + 1] if at + 1 < len(stages) else None
    after = f"{shown[-1].stage_at.isoformat()}~{shown[-1].pk}" if len(cards) > PER_COLUMN else ""
    rows = [Shown(card, people.get(card.site_id or card.pk), left, right) for card in shown]
    return Column(stage, rows, number, after)


def _people(project: Project, cards: Iterable[Card]) -> dict[uuid.UUID, Contact]:
    """Site → whom the newest enrollment is of; a card of a person has that person as its title."""
    sites = [card.site_id for card in cards if card.site_id]
    rows = Enrollment.objects.filter(campaign__project=project, contact__site__in=sites)
    newest = rows.order_by("contact__site", "-created_at", "-id").distinct("contact__site")
    return {
        row.contact.site_id: row.contact for row in newest.select_related("contact") if row.contact.site_id
    }


def _told(rows: QuerySet[Card]) -> str:
    number = rows.order_by()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number)


def _in_log(card: Card) -> str:
    return f"{card.title} in “{card.project.name}”"
