"""What the recipient's page shows, and which acts it offers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from accounts import clock
from accounts.models import Workspace
from tracking import recipient
from tracking.freemail import company_domain
from tracking.recipient import Act, RecipientFacts
from tracking.tokens import Mark

# The law gives one month to answer a request for deletion.
ANSWER_WITHIN = dt.timedelta(days=30)


@dataclass(frozen=True)
class Page:
    """`facts` is None after the mail was erased; then only stopping is left, if the link knows whom."""

    sender: str
    workspace_name: str
    postal_address: str
    facts: RecipientFacts | None
    can_stop: bool
    company: str
    days: str
    answer_by: dt.datetime
    done: Act | None = None
    asking: bool = False
    refused: bool = False

    @property
    def offers(self) -> frozenset[Act]:
        acts = {Act.STOP} if self.can_stop else set()
        if self.facts is not None:
            acts |= {Act.WRONG_PERSON, Act.DELETE_DATA}
            acts |= {Act.REMOVED} if self.facts.is_removal else set()
            acts |= {Act.STOP_COMPANY} if self.company else set()
        return frozenset(acts)

    @property
    def imprint(self) -> str:
        """Who sent the mail, and from where; many postal addresses begin with the name."""
        named = self.postal_address.lower().startswith(self.workspace_name.lower())
        return (
            self.postal_address
            if named
            else ", ".join(filter(None, [self.workspace_name, self.postal_address]))
        )

    @property
    def stopped(self) -> bool:
        return bool(self.facts and self.facts.stopped)

    @property
    def company_stopped(self) -> bool:
        return bool(self.facts and self.facts.stopped == "domain")


def page_of(
    sender: Workspace,
    mark: Mark,
    *,
    done: Act | None = None,
    asking: bool = False,
    refused: bool = False,
) -> Page:
    """Open the workspace first."""
    facts = recipient.describe(mark.key)
    name = facts.sender_name.strip() if facts else ""
    return Page(
        sender=name.partition(" ")[0] or sender.name,
        workspace_name=sender.name,
        postal_address=sender.postal_address,
        facts=facts,
        can_stop=facts is not None or bool(mark.address_index),
        company=company_domain(facts.recipient_address) if facts else "",
        days=in_words(facts.sent_at) if facts else "",
        answer_by=((facts and facts.deletion_asked_at) or clock.now()) + ANSWER_WITHIN,
        done=done,
        asking=asking,
        refused=refused,
    )


def in_words(moments: tuple[dt.datetime, ...]) -> str:
    """ "3 and 10 November 2026", "28 October and 3 November 2026", "30 December 2025 and 4 January 2026"."""
    days = sorted({moment.date() for moment in moments})
    parts: list[str] = []
    for year, of_year in groupby(days, key=lambda day: day.year):
        months = [list(of_month) for _, of_month in groupby(of_year, key=lambda day: day.month)]
        last = months[-1]
        parts += [f"{_listed([str(day.day) for day in month])} {month[0]:%B}" for month in months]
        parts[-1] = f"{_listed([str(day.day) for day in last])} {last[0]:%B} {year}"
    return _listed(parts)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
