"""The compare stage: each night every conversation of a mailbox is laid beside the provider's (promise 7).

Polls follow a cursor, and a cursor can pass something over without anybody seeing it. This look begins at our
conversations and asks for all mails of each, by their headers: what is not here is fetched, and admitted in
the figure. It goes on where it stopped, in small slices, and gives way to whatever else the mailbox does.
"""

from __future__ import annotations

import datetime as dt
import enum
import logging

from django.conf import settings
from django.db.models import F

from accounts import clock
from accounts.clock import Now
from mailbox import gateway, health
from mailbox.errors import Disconnected, MailboxError, Retry
from mailbox.models import Mailbox
from outreach import intake, looks
from outreach.models import Comparison, Reply, Thread

log = logging.getLogger(__name__)
# Conversations in one call of `go_on`: Gmail counts 40 of a user's 6,000 units a minute for each.
SLICE = 20
# At night, by UTC; spread over an hour, so that not all mailboxes begin together.
NIGHT = dt.timedelta(hours=3)
SPREAD = 3600
DEMO_NIGHT = dt.timedelta(minutes=15)
MOST_KEPT = 30
# What came this shortly before the last poll may be on its way here: it is fetched, and is no gap.
ON_ITS_WAY = dt.timedelta(minutes=2)


class Compared(enum.Enum):
    """What a call of `go_on` did."""

    MORE = "more"
    DONE = "done"
    WAITS = "waits"


def due() -> list[Mailbox]:
    """Mailboxes of which a comparison is under way, or none has begun since last night's hour."""
    newest = {
        row.mailbox_id: row
        for row in Comparison.objects.order_by("mailbox", "-started_at").distinct("mailbox")
    }
    with_threads = Thread.objects.filter(provider_thread_index__isnull=False).order_by()
    rows = Mailbox.objects.usable().filter(pk__in=with_threads.values("mailbox"))
    now = clock.now()
    found = []
    for mailbox in rows:
        last = newest.get(mailbox.pk)
        if last is None or last.finished_at is None or last.started_at < _last_night(mailbox, now):
            found.append(mailbox)
    return found


def begin(mailbox: Mailbox) -> Comparison:
    """The comparison that is under way, or a new one."""
    row, _ = Comparison.objects.get_or_create(mailbox=mailbox, finished_at=None)
    return row


def go_on(mailbox: Mailbox) -> Compared:
    """One slice. Never raises a MailboxError: what could not be asked is asked again later."""
    if not health.may_be_called(mailbox):
        return Compared.WAITS
    row = begin(mailbox)
    threads = _next(row)
    if not threads:
        _finish(row)
        return Compared.DONE
    try:
        done = _compare(mailbox, row, threads)
    except Disconnected as error:
        health.broke(mailbox, error)
        return Compared.WAITS
    except Retry as error:
        health.wait(mailbox, error)
        return Compared.WAITS
    except MailboxError as error:
        log.warning("comparison of mailbox %s: %s", mailbox.pk, error.reason)
        return Compared.WAITS
    return Compared.MORE if done else Compared.WAITS


def _compare(mailbox: Mailbox, row: Comparison, threads: list[Thread]) -> bool:
    looked_at = mailbox.last_poll_at
    names = [str(thread.provider_thread_id) for thread in threads]
    found = intake.look(mailbox, gateway.conversations(mailbox, names))
    stored = _take_in(mailbox, found) if found else []
    if stored is None:
        return False
    missing = sum(looked_at is not None and reply.received_at < looked_at - ON_ITS_WAY for reply in stored)
    # Conditional on the place: a second worker with the same slice counts nothing.
    Comparison.objects.filter(pk=row.pk, at_thread=row.at_thread, finished_at=None).update(
        at_thread=threads[-1].pk, threads=F("threads") + len(threads), missing=F("missing") + missing
    )
    if missing:
        log.warning("mailbox %s had mails that no poll had seen", mailbox.pk)
    return True


def _take_in(mailbox: Mailbox, found: intake.Found) -> list[Reply] | None:
    """With the mailbox to oneself, as what is found may move its cursor; None while a poll is under way."""
    if not looks.hold(mailbox):
        return None
    try:
        return intake.take_in(mailbox, found)
    finally:
        looks.let_go(mailbox)


def _next(row: Comparison) -> list[Thread]:
    rows = Thread.objects.filter(mailbox=row.mailbox_id, provider_thread_index__isnull=False)
    if row.at_thread is not None:
        rows = rows.filter(pk__gt=row.at_thread)
    return list(rows.order_by("pk")[:SLICE])


def _finish(row: Comparison) -> None:
    Comparison.objects.filter(pk=row.pk, finished_at=None).update(finished_at=Now())
    kept = Comparison.objects.filter(mailbox=row.mailbox_id).order_by("-started_at", "-pk")
    Comparison.objects.filter(pk__in=[old.pk for old in kept[MOST_KEPT:]]).delete()


def _last_night(mailbox: Mailbox, now: dt.datetime) -> dt.datetime:
    """The hour at which this mailbox's last comparison should have begun. A demo has no nights."""
    if settings.DAY_SECONDS < 86_400:
        return now - DEMO_NIGHT
    spread = dt.timedelta(seconds=mailbox.pk.int % SPREAD)
    tonight = now.replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT + spread
    return tonight if tonight <= now else tonight - dt.timedelta(days=1)
