"""The line before a mailbox, as the forecast asks for it: who waits, in which window, under which cap.

As many queries for one mail as for thousands.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts import clock
from accounts.viewpoint import whole_workspace
from mailbox import limits
from outreach import holidays
from outreach.forecasting import MOST_DAYS, Account, Waiting
from outreach.models import Campaign, CampaignState, Enrollment, EnrollmentState, Message, Step
from outreach.models.messages import STOPPABLE
from outreach.window import ONE_DAY, Wait, Window, zone_of

# Walked one by one up to here, in a tenth of a second; above it, days are counted by the cap alone.
MOST_MAILS = 1500


@dataclass(frozen=True)
class Line:
    """All that stands before a mailbox, and what the mailbox may.

    `waits` are those behind a first mail, `closed` the holidays that the campaign observes, `before` how many
    mails of other campaigns wait. `waiting` is cut off where the line is `too_long`.
    """

    account: Account
    waiting: list[Waiting]
    waits: tuple[Wait, ...]
    closed: frozenset[dt.date]
    before: int
    too_long: bool

    def noon(self, number: int) -> dt.datetime:
        """The middle of a day, as its moment where only the day is known."""
        zone = self.account.zone
        date = self.account.now.astimezone(zone).date() + number * ONE_DAY
        return dt.datetime.combine(date, dt.time(12), tzinfo=zone)

    def of(self, campaign: Campaign) -> list[Waiting]:
        return [mail for mail in self.waiting if mail.campaign == campaign.pk]


@whole_workspace("a mailbox's line is one over all projects; only days are shown")
def line_of(campaign: Campaign, *, everybody: bool = False) -> Line:
    """`everybody`: also the people of a draft, as if it were queued now."""
    assert campaign.mailbox is not None  # noqa: S101  (both callers have asked)
    now = clock.now()
    zone = zone_of(campaign.timezone)
    usage = limits.usage(campaign.mailbox)
    spacing = settings.SEND_SPACING_SECONDS + settings.SEND_SPACING_JITTER / 2
    account = Account(
        now=now,
        zone=zone,
        left=usage.left,
        caps=limits.coming_caps(campaign.mailbox, usage, MOST_DAYS),
        spacing=dt.timedelta(seconds=spacing),
    )
    goes = Q(campaign=campaign) | Q(campaign__state=CampaignState.RUNNING)
    line = Message.objects.filter(goes, mailbox=campaign.mailbox, state__in=STOPPABLE, step__isnull=False)
    # Nobody knows when a paused person goes on.
    line = line.filter(enrollment__paused_at=None)
    columns = ("enrollment", "campaign", "step__position", "due_at", "not_before", "contact__timezone")
    rows = line.order_by("due_at", "pk").values_list(*columns)[: MOST_MAILS + 1]
    mails = list(rows)
    waits = _waits({pk for _, pk, *_ in mails} | {campaign.pk})
    closed = holidays.closed(now.date() - ONE_DAY)
    windows = _Windows({pk for _, pk, *_ in mails}, campaign, closed)
    waiting = [
        Waiting(
            person=person,
            campaign=pk,
            window=windows.of(pk, zone_name or ""),
            due=due,
            ready=max(due, not_before or due),
            first=position == 1,
            waits=tuple(days for step, days in waits[pk] if step > position),
        )
        for person, pk, position, due, not_before, zone_name in mails
    ]
    after_first = tuple(days for step, days in waits[campaign.pk] if step > 1)
    if everybody:
        people = Enrollment.objects.filter(campaign=campaign, state=EnrollmentState.PLANNED)
        found = people.order_by("created_at", "pk").values_list("pk", "contact__timezone")
        waiting += [
            Waiting(pk, campaign.pk, windows.of(campaign.pk, name), now, now, first=True, waits=after_first)
            for pk, name in found[: MOST_MAILS + 1]
        ]
    before = sum(mail.campaign != campaign.pk for mail in waiting)
    too_long = len(waiting) > MOST_MAILS
    if too_long:
        before = line.exclude(campaign=campaign).count()
    observed = closed if campaign.observes_holidays else frozenset()
    return Line(account, waiting, after_first, observed, before, too_long)


def _waits(campaigns: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[tuple[int, Wait]]]:
    """(position, how long it waits) of each campaign's steps."""
    found: dict[uuid.UUID, list[tuple[int, Wait]]] = {pk: [] for pk in campaigns}
    rows = Step.objects.filter(campaign__in=list(found)).order_by("position")
    for pk, position, days, working in rows.values_list("campaign", "position", "wait_days", "working_days"):
        found[pk].append((position, Wait(days, working)))
    return found


class _Windows:
    """The window of each campaign in each zone, made once."""

    def __init__(self, campaigns: set[uuid.UUID], own: Campaign, closed: frozenset[dt.date]) -> None:
        rows = Campaign.objects.filter(pk__in=campaigns - {own.pk})
        columns = ("pk", "window_start", "window_end", "weekdays", "timezone", "observes_holidays")
        self.rows: dict[uuid.UUID, tuple[Any, ...]] = {pk: rest for pk, *rest in rows.values_list(*columns)}
        self.rows[own.pk] = (
            own.window_start,
            own.window_end,
            own.weekdays,
            own.timezone,
            own.observes_holidays,
        )
        self.closed = closed
        self.made: dict[tuple[uuid.UUID, str], Window] = {}

    def of(self, campaign: uuid.UUID, zone_name: str) -> Window:
        found = self.made.get((campaign, zone_name))
        if found is None:
            start, end, weekdays, own, observes = self.rows[campaign]
            closed = self.closed if observes else frozenset()
            found = Window(start, end, frozenset(weekdays), zone_of(zone_name, own), closed)
            self.made[campaign, zone_name] = found
        return found
