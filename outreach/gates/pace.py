"""G7, G8, G9: not now, or not until somebody has looked at what came back."""

from __future__ import annotations

import datetime as dt

from accounts.viewpoint import whole_workspace
from mailbox.models import Mailbox
from outreach.gates.facts import BOUNCE_DAYS, BOUNCE_WINDOW, COMPLAINT_DAYS, Asked
from outreach.gates.verdict import GO, Verdict, days, waits, warns
from outreach.models import Message, MessageState, Suppression, SuppressionReason
from outreach.window import window_of

# Of the last 100 mails of a mailbox: 3 % warns, 5 % stops (decisions 10).
BOUNCES_WARN = 3
BOUNCES_STOP = 5
HARD_IN_A_ROW = 4
COUNTING = ["hard", "blocked"]
# 0.3 % of at least 1,000 mails in 30 days.
COMPLAINT_SHARE = 0.003
COMPLAINT_BASE = 1000


def window(message: Message, asked: Asked) -> Verdict:
    if message.campaign is None:
        return GO
    campaign = message.campaign
    named = asked.facts.holidays if campaign.observes_holidays else {}
    found = window_of(campaign, message.contact, closed=frozenset(named))
    opening = found.next_open(asked.now)
    if opening is None:
        return waits("window", "The campaign has no day on which it may send.")
    if opening <= asked.now:
        return GO
    today = asked.now.astimezone(found.zone).date()
    if today in named:
        sentence = f"Waits: {today.day} {today:%B} is a holiday ({named[today]})."
        return waits("holiday", sentence, until=opening)
    hours = f"{found.start:%H:%M} to {found.end:%H:%M}"
    return waits("window", f"Goes inside {hours}, {found.zone.key} time.", until=opening)


@whole_workspace("a mailbox is one over all projects")
def bounced_lately(mailbox: Mailbox, now: dt.datetime) -> list[dt.datetime]:
    """When those of the mailbox's last 100 mails left that came back, the newest first."""
    return [sent_at for sent_at, kind in _newest(mailbox, now) if kind in COUNTING]


def _newest(mailbox: Mailbox, now: dt.datetime) -> list[tuple[dt.datetime, str]]:
    """The mailbox's last 100 mails of 14 days, the newest first: when each left, and what came back."""
    last = Message.objects.filter(
        mailbox=mailbox, state=MessageState.SENT, sent_at__gt=now - days(BOUNCE_DAYS)
    ).order_by("-sent_at")
    rows = last.values_list("sent_at", "bounce_kind")[:BOUNCE_WINDOW]
    return [(sent_at, kind) for sent_at, kind in rows if sent_at is not None]


@whole_workspace("a mailbox is one over all projects")
def bounces(message: Message, asked: Asked) -> Verdict:
    # Fewer than would warn are fewer than could be in a row.
    if message.mailbox is None or asked.facts.came_back < BOUNCES_WARN:
        return GO
    last = _newest(message.mailbox, asked.now)
    back = [sent_at for sent_at, kind in last if kind in COUNTING]
    if len(back) >= BOUNCES_STOP:
        return waits(
            "bounces",
            f"{len(back)} of the last {BOUNCE_WINDOW} mails of this mailbox came back. "
            f"It stops at {BOUNCES_STOP}: check the addresses.",
            until=back[BOUNCES_STOP - 1] + days(BOUNCE_DAYS),
        )
    newest = last[:HARD_IN_A_ROW]
    if len(newest) == HARD_IN_A_ROW and all(kind == "hard" for _, kind in newest):
        return waits(
            "bounces",
            f"The last {HARD_IN_A_ROW} mails of this mailbox all came back: check the addresses.",
            until=newest[0][0] + days(BOUNCE_DAYS),
        )
    if len(back) >= BOUNCES_WARN:
        return warns(
            "bounces_near",
            f"{len(back)} of the last {BOUNCE_WINDOW} mails of this mailbox came back. "
            f"It stops at {BOUNCES_STOP}.",
        )
    return GO


def complaints(message: Message, asked: Asked) -> Verdict:
    count = asked.facts.complaints
    if not count:
        return GO
    since = asked.now - days(COMPLAINT_DAYS)
    rows = Suppression.objects.filter(reason=SuppressionReason.COMPLAINED, created_at__gt=since)
    sent = Message.objects.filter(state=MessageState.SENT, sent_at__gt=since).count()
    if count < COMPLAINT_SHARE * max(sent, COMPLAINT_BASE):
        return GO
    oldest = rows.order_by("created_at").values_list("created_at", flat=True)[0]
    return waits(
        "complaints",
        f"{count} people complained in {COMPLAINT_DAYS} days. Sending stops at 0.3 %.",
        until=oldest + days(COMPLAINT_DAYS),
    )


def cap(message: Message, asked: Asked) -> Verdict:
    """A mail that holds its place in the mailbox's 24 hours already needs no second one."""
    account = asked.facts.standing
    if account is None or account.holds or account.room > 0:
        return GO
    return waits("cap_reached", "The mailbox has sent as many mails in 24 hours as it may.")
