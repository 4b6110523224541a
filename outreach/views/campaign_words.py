"""Plain words for a campaign's settings: the gates in force, what a pause does, what is counted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from accounts import clock
from accounts.models import Workspace
from mailbox import limits
from outreach.gates.facts import BOUNCE_WINDOW
from outreach.gates.pace import BOUNCES_STOP, bounced_lately
from outreach.models import Campaign
from outreach.views.campaign_counts import Tally
from outreach.why import product

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Rule:
    """A line of the rail: icon and sentence."""

    icon: str
    words: str


def weekday_words(weekdays: list[int]) -> str:
    """ "Mon to Fri", "every day", "Mon, Wed, Sat"; a run of three or more days is a range."""
    days = sorted(set(weekdays))
    if len(days) == 7:
        return "every day"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    return ", ".join(DAYS[day] for day in days) or "no day"


def window_words(campaign: Campaign) -> str:
    """When mails may leave, such as "Mon to Fri, 9:00 to 17:45, the person’s time"."""
    days = weekday_words(campaign.weekdays)
    if campaign.window_start == campaign.window_end:
        hours = "at any hour"
    else:
        hours = f"{_clock(campaign.window_start)} to {_clock(campaign.window_end)}"
    return f"{days}, {hours}, the person’s time where we know it, else {campaign.timezone}"


def _clock(time: dt.time) -> str:
    return f"{time.hour}:{time.minute:02}"


def spacing_words() -> str:
    """The pause between two mails of one mailbox."""
    least = settings.SEND_SPACING_SECONDS
    most = least + settings.SEND_SPACING_JITTER
    if most <= 0:
        return "no pause between two"
    if most < 1:
        return "less than a second apart"
    # Minutes only where both ends are whole minutes or large, so that rounding says nothing untrue.
    whole = least >= 120 or (least % 60 == 0 and most % 60 == 0 and most >= 60)
    low, high = (round(least / 60), round(most / 60)) if whole else (round(least), round(most))
    unit = "minute" if whole else "second"
    if low == high:
        return f"{low} {unit}{'' if low == 1 else 's'} apart"
    return f"{f'{low} to' if least >= 1 else 'up to'} {high} {unit}{'' if high == 1 else 's'} apart"


def gates(campaign: Campaign) -> list[Rule]:
    """The rules that every mail of this campaign passes, with their numbers now."""
    rules = []
    if campaign.mailbox is not None:
        usage = limits.usage(campaign.mailbox)
        rules.append(
            Rule(
                "gauge",
                f"{usage.cap} a day from this mailbox, {usage.used} used in 24 hours, {spacing_words()}",
            )
        )
        back = len(bounced_lately(campaign.mailbox, clock.now()))
        rules.append(
            Rule(
                "alert-triangle",
                f"Stops by itself at {BOUNCES_STOP} bounces in the last {BOUNCE_WINDOW} mails. Now {back}",
            )
        )
    return [
        Rule("calendar-time", _first_up(window_words(campaign))),
        *rules,
        Rule("user-check", "Each step goes only while nobody has answered, bounced or opted out"),
        Rule("ban", "Suppressed addresses and domains are asked about again right before each mail"),
    ]


def if_paused(campaign: Campaign, tally: Tally) -> list[Rule]:
    company = product(campaign.mailbox) if campaign.mailbox else "the provider"
    mails = "mail keeps its" if tally.waiting == 1 else "mails keep their"
    return [
        Rule(
            "player-pause",
            f"Nothing more is handed to {company}. A mail that is being sent this second may still go.",
        ),
        Rule("clock", f"{tally.waiting:,} planned {mails} place and text."),
        Rule("player-play", "On resume no one gets a step twice."),
    ]


def counting_words(campaign: Campaign, workspace: Workspace) -> str:
    """What is counted, in one line for the foot of the editor."""
    if campaign.text_only:
        return "Plain text: image loads and link clicks not counted"
    opens = workspace.tracks_opens if campaign.tracks_opens is None else campaign.tracks_opens
    clicks = workspace.tracks_clicks if campaign.tracks_clicks is None else campaign.tracks_clicks
    if opens == clicks:
        return f"Image loads and link clicks {'counted where allowed' if opens else 'not counted'}"
    one, other = ("Image loads", "link clicks") if opens else ("Link clicks", "image loads")
    return f"{one} counted where allowed, {other} not"


def _first_up(words: str) -> str:
    return words[:1].upper() + words[1:]
