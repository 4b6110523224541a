"""What is known of a campaign in numbers: its tallies, its filters, the counts in the list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import (
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from accounts import clock
from outreach.models import (
    Campaign,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Thread,
)
from outreach.models.messages import COUNTED, STOPPABLE

# A soft or delayed report is no bounce yet.
CAME_BACK = Q(bounced_at__isnull=False, bounce_kind__in=["hard", "blocked"])
FILTERS = {
    "": "All",
    "needs": "Needs you",
    "replied": "Replied",
    "waiting": "Waiting",
    "badly": "Ended badly",
}


@dataclass(frozen=True)
class Tally:
    """People, not mails: each is counted once, however many steps they got."""

    people: int
    written: int
    accepted: int
    doubt: int
    quiet: int
    bounced: int
    opened: int
    clicked: int
    automatic: int
    replied: int
    auto: int
    waiting: int
    planned: int
    held_back: int

    @property
    def early(self) -> int:
        """Accepted less than 72 h ago and not bounced: too early to say."""
        return max(0, self.accepted - self.quiet - self.bounced)

    @property
    def reachable(self) -> int:
        """Whom the launch writes to: everybody but those held back."""
        return self.people - self.held_back


def tally_of(campaign: Campaign) -> Tally:
    """Two queries, whatever the size of the campaign."""
    quiet_before = clock.now() - dt.timedelta(seconds=settings.QUIET_SECONDS)
    sent = Q(state=MessageState.SENT)

    found = Message.objects.filter(campaign=campaign).aggregate(
        written=_people(Q(state__in=COUNTED)),
        accepted=_people(sent),
        doubt=_people(Q(state=MessageState.DOUBT)),
        quiet=_people(sent & Q(sent_at__lte=quiet_before) & ~CAME_BACK),
        bounced=_people(CAME_BACK),
        opened=_people(Q(opened_at__isnull=False)),
        clicked=_people(Q(clicked_at__isnull=False)),
        automatic=_people(Q(clicked_at=None, automatic_clicks__gt=0)),
        replied=_people(Q(replied_at__isnull=False)),
        auto=_people(Q(auto_replied_at__isnull=False)),
        waiting=Count("id", filter=Q(state__in=STOPPABLE)),
        planned=Count("id", filter=Q(state=MessageState.PLANNED)),
    )
    enrolled = Enrollment.objects.filter(campaign=campaign).aggregate(
        people=Count("id"), held_back=Count("id", filter=Q(state=EnrollmentState.HELD_BACK))
    )
    return Tally(**found, **enrolled)


def _people(condition: Q) -> Count:
    return Count("enrollment", filter=condition, distinct=True)


def marked(rows: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
    """Enrollments with the facts that the filters ask for: `doubted`, `unanswered`, `refused`, `waits`."""
    mails = Message.objects.filter(enrollment=OuterRef("pk"))
    return rows.annotate(
        doubted=Exists(mails.filter(state=MessageState.DOUBT)),
        unanswered=Exists(Thread.objects.filter(enrollment=OuterRef("pk"), waits_since__isnull=False)),
        refused=Exists(mails.filter(state=MessageState.REFUSED)),
        waits=Exists(mails.filter(state__in=STOPPABLE)),
    )


CONDITIONS = {
    "": Q(),
    "needs": Q(doubted=True) | Q(unanswered=True) | Q(state=EnrollmentState.HELD_BACK),
    "replied": Q(state=EnrollmentState.REPLIED),
    "waiting": Q(waits=True),
    "badly": Q(state=EnrollmentState.BOUNCED) | Q(refused=True),
}


def filter_counts(campaign: Campaign) -> list[tuple[str, str, int]]:
    """(value, words, how many) of each filter, in one query."""
    counts = marked(Enrollment.objects.filter(campaign=campaign)).aggregate(
        **{value: Count("id", filter=CONDITIONS[value]) for value in FILTERS if value},
        everybody=Count("id"),
    )
    return [(value, words, counts[value or "everybody"]) for value, words in FILTERS.items()]


def with_counts(rows: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Campaigns with `people`, `written` and `replied` for a list, without a query per row.

    Indexes alone answer. Each person gets one first mail, so that those need not be told apart; a removal
    campaign has requests instead, of which each site's contact gets several.
    """
    enrolled = Enrollment.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
    mails = Message.objects.filter(campaign=OuterRef("pk"), state__in=COUNTED).order_by().values("campaign")
    first = mails.filter(kind=MessageKind.FIRST).annotate(n=Count("*")).values("n")
    asked = mails.filter(kind=MessageKind.REMOVAL).annotate(n=Count("enrollment", distinct=True)).values("n")
    return rows.select_related("project", "mailbox").annotate(
        people=_number(enrolled.annotate(n=Count("*")).values("n")),
        replied=_number(enrolled.filter(state=EnrollmentState.REPLIED).annotate(n=Count("*")).values("n")),
        written=_number(first) + _number(asked),
    )


def _number(rows: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(rows, output_field=IntegerField()), Value(0))
