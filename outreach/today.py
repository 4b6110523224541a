"""What Home tells: what needs somebody, what goes out today, and how the last two weeks went."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import TruncDate

from mailbox import limits
from mailbox.models import Mailbox, MailboxState
from outreach import mailbox_words, why
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Contact,
    Message,
    MessageState,
    RemovalCase,
    Reply,
    ReplyKind,
    Thread,
)
from outreach.models.messages import STOPPABLE

DAYS = 14
MOST_DOUBTS = 5
MOST_NEXT = 4
MOST_MAILBOXES = 12
MOST_DRAFTS = 3
_CHART = (288, 92, 20, 74, 64)  # width, height, left, floor, height of the bars


@dataclass(frozen=True)
class Broken:
    """A mailbox that needs reconnecting, and how many mails it holds."""

    mailbox: Mailbox
    sentence: str
    held: int


@dataclass(frozen=True)
class Sending:
    """One mailbox today: `used` of `cap` in 24 hours, and what still waits to leave before the day ends."""

    mailbox: Mailbox
    shown: mailbox_words.MailboxShown
    used: int
    cap: int
    coming: int

    @property
    def high(self) -> int:
        return max(1, self.cap * 4 // 5)


@dataclass(frozen=True)
class Day:
    """A day of the chart, with its two bars as numbers of the picture."""

    date: dt.date
    accepted: int
    replies: int
    x: float
    accepted_y: float
    accepted_height: float
    replies_y: float
    replies_height: float
    label: bool


@dataclass(frozen=True)
class Chart:
    days: list[Day]
    most: int

    @property
    def half(self) -> int:
        return self.most // 2

    @property
    def accepted(self) -> int:
        return sum(day.accepted for day in self.days)

    @property
    def replies(self) -> int:
        return sum(day.replies for day in self.days)


@dataclass(frozen=True)
class Start:
    """How far a new workspace has come."""

    has_mailbox: bool
    has_people: bool
    has_campaign: bool

    @property
    def open(self) -> str:
        """The step that is shown open."""
        if not self.has_mailbox:
            return "mailbox"
        return "people" if not self.has_people else "write"


def start() -> Start | None:
    """None once there is work to show: a mail was planned, or both a mailbox and a campaign exist."""
    if Message.objects.exists():
        return None
    has_mailbox = Mailbox.objects.live().exists()
    has_campaign = Campaign.objects.filter(kind=CampaignKind.OUTREACH).exists()
    if has_mailbox and has_campaign:
        return None
    has_people = Contact.objects.exists() or RemovalCase.objects.exists()
    return Start(has_mailbox, has_people, has_campaign)


def broken() -> list[Broken]:
    rows = list(Mailbox.objects.filter(state=MailboxState.BROKEN).order_by("state_at")[:MOST_MAILBOXES])
    held = _waiting_by_mailbox(Message.objects.filter(state__in=STOPPABLE, mailbox__in=rows))
    return [Broken(row, mailbox_words.reason_sentence(row), held.get(row.pk, 0)) for row in rows]


def doubts() -> tuple[list[Message], int]:
    """(the oldest few, how many in all)."""
    rows = Message.objects.filter(state=MessageState.DOUBT)
    return list(rows.select_related(*why.WITH).order_by("attempted_at")[:MOST_DOUBTS]), rows.count()


def sending(*, now: dt.datetime) -> list[Sending]:
    """Today's sending for each mailbox. The number of queries follows the mailboxes, which are few."""
    rows = list(Mailbox.objects.live().order_by("connected_at")[:MOST_MAILBOXES])
    due = Message.objects.filter(state__in=STOPPABLE, mailbox__in=rows, due_at__lt=_midnight(now))
    coming = _waiting_by_mailbox(due.filter(Q(campaign=None) | Q(campaign__state=CampaignState.RUNNING)))
    found = []
    for row in rows:
        usage = limits.usage(row)
        shown = mailbox_words.shown(row, now=now)
        found.append(Sending(row, shown, usage.used, usage.cap, coming.get(row.pk, 0)))
    return found


def _waiting_by_mailbox(rows: QuerySet[Message]) -> dict[object, int]:
    return dict(rows.order_by().values_list("mailbox").annotate(number=Count("id")))


def _midnight(now: dt.datetime) -> dt.datetime:
    return (now + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def next_mails(*, now: dt.datetime) -> list[tuple[Message, dt.datetime]]:
    """The next few that leave, and when at the earliest."""
    rows = (
        Message.objects.filter(state__in=STOPPABLE, due_at__lt=_midnight(now))
        .filter(Q(campaign=None) | Q(campaign__state=CampaignState.RUNNING))
        .select_related("contact", "campaign", "step")
        .order_by("due_at")[:MOST_NEXT]
    )
    return [(row, max(row.not_before or row.due_at, row.due_at)) for row in rows]


def running() -> QuerySet[Campaign]:
    """Campaigns that run or are paused, removal requests too, the newest first."""
    states = [CampaignState.RUNNING, CampaignState.PAUSED]
    return Campaign.objects.filter(state__in=states).order_by("-launched_at", "-id")


def drafts() -> list[Campaign]:
    """The newest few that wait for no more than to be queued: with a mailbox and people."""
    rows = Campaign.objects.filter(state=CampaignState.DRAFT, kind=CampaignKind.OUTREACH)
    ready = rows.exclude(mailbox=None).annotate(people=Count("enrollments")).filter(people__gt=0)
    return list(ready.select_related("project").order_by("-created_at", "-id")[:MOST_DRAFTS])


def chart(*, now: dt.datetime) -> Chart:
    """Mails accepted and replies by a person on each of the last days, by UTC."""
    since = _first_day(now)
    sent = Message.objects.filter(state=MessageState.SENT, sent_at__gte=since)
    answered = Reply.objects.filter(kind=ReplyKind.REPLY, received_at__gte=since)
    accepted, replies = _by_day(sent, "sent_at"), _by_day(answered, "received_at")
    most = _round(max([*accepted.values(), *replies.values(), 1]))
    dates = [since.date() + dt.timedelta(days=number) for number in range(DAYS)]
    return Chart(
        [_day(date, accepted.get(date, 0), replies.get(date, 0), most, at) for at, date in enumerate(dates)],
        most,
    )


def _first_day(now: dt.datetime) -> dt.datetime:
    """When the first day of the chart begins."""
    first = now.date() - dt.timedelta(days=DAYS - 1)
    return dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC)


def _by_day(rows: QuerySet[Message] | QuerySet[Reply], column: str) -> dict[dt.date, int]:
    days = rows.annotate(day=TruncDate(column, tzinfo=dt.UTC)).order_by().values_list("day")
    # Of the rows and not of their ids, so that an index alone answers.
    return dict(days.annotate(number=Count("*")))


def _round(number: int) -> int:
    """The top of the axis: an even number that is easy to halve."""
    step = next(size for size in (2, 4, 10, 20, 50, 100, 200, 500, 1000, 10**6) if number <= size * 5)
    return -(-number // step) * step


def _day(date: dt.date, accepted: int, replies: int, most: int, at: int) -> Day:
    _, _, left, floor, height = _CHART
    tall, small = accepted / most * height, replies / most * height
    x = left + 6 + at * 18.9
    return Day(
        date,
        accepted,
        replies,
        round(x, 1),
        round(floor - tall, 1),
        round(tall, 1),
        round(floor - small, 1),
        round(small, 1),
        at % 2 == 1,
    )


def answered_of_written(*, now: dt.datetime) -> tuple[int, int, int]:
    """(people who replied, people written to in the chart's days, of those less than 72 h ago).

    Each person is put together first: to count the distinct ones among all mails sorts them three times.
    """
    mails = Message.objects.filter(state=MessageState.SENT, sent_at__gte=_first_day(now))
    people = mails.exclude(kind__in=["test", "answer"]).order_by().values("contact")
    found = people.annotate(answered_at=Max("replied_at"), newest=Max("sent_at")).aggregate(
        written=Count("contact"),
        replied=Count("answered_at"),
        early=Count("contact", filter=Q(newest__gt=now - dt.timedelta(seconds=settings.QUIET_SECONDS))),
    )
    return found["replied"], found["written"], found["early"]


def undecided() -> list[tuple[object, str, int]]:
    """(project, its name, sites without a verdict): removal work that waits."""
    rows = RemovalCase.objects.filter(verdict="undecided").order_by()
    found = (
        rows.values_list("project", "project__name").annotate(number=Count("id")).order_by("project__name")
    )
    return list(found[:5])


def waiting_threads() -> QuerySet[Thread]:
    rows: QuerySet[Thread] = Thread.objects.waiting()
    return rows.select_related("contact__site", "project", "campaign").order_by("-stands_at", "-id")
