"""Rows of the mailbox list: state, use, last check, what works through each mailbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from accounts.models import AuditEvent
from mailbox import limits
from mailbox.models import Mailbox, Provider, Receipt
from outreach.mailbox_words import MailboxShown, shown
from outreach.models import Campaign, CampaignState, Message
from outreach.models.messages import STOPPABLE

# Lines of the activity log about access, and how they look on the list.
ACCESS = {
    "mailbox.connected": ("g", "quiet", "Connected"),
    "mailbox.broken": ("w", "attention", "Needs reconnecting"),
    "mailbox.revoked": ("n", "cancelled", "Access removed"),
    "mailbox.mail_kept": ("n", "minus", "Kept"),
    "mailbox.mail_erased": ("g", "quiet", "Done"),
}


@dataclass(frozen=True)
class Row:
    """One mailbox. `held` mails wait for it; `receipt` is the bin's, where access was removed."""

    mailbox: Mailbox
    shown: MailboxShown
    symbol: str
    projects: str
    held: int
    usage: limits.Usage | None
    may_bin: bool
    receipt: Receipt | None

    @property
    def can_send(self) -> bool:
        return self.shown.tone == "g"

    @property
    def kind(self) -> str:
        return Provider(self.mailbox.provider).label

    @property
    def low(self) -> int:
        """Where the meter turns amber: four fifths of the cap."""
        return (self.usage.cap * 4) // 5 if self.usage else 0


@dataclass(frozen=True)
class AccessLine:
    tone: str
    mark: str
    words: str
    sentence: str
    at: datetime


def access_line(event: AuditEvent) -> AccessLine:
    tone, mark, words = ACCESS[event.action]
    return AccessLine(tone, mark, words, str(event.sentence), event.at)


def rows_of(mailboxes: Iterable[Mailbox], *, now: datetime, may: Callable[[Mailbox], bool]) -> list[Row]:
    """A fixed number of queries, and two for the use of each live mailbox."""
    found = list(mailboxes)
    ids = [mailbox.pk for mailbox in found]
    projects: dict[object, set[str]] = defaultdict(set)
    open_campaigns = Campaign.objects.filter(
        mailbox__in=ids, state__in=[CampaignState.RUNNING, CampaignState.PAUSED]
    )
    for mailbox_id, name in open_campaigns.values_list("mailbox", "project__name"):
        projects[mailbox_id].add(name)
    waiting = Message.objects.filter(mailbox__in=ids, state__in=STOPPABLE).order_by()
    held = dict(waiting.values_list("mailbox").annotate(n=Count("pk")))
    receipts = {
        receipt.mailbox_id: receipt
        for receipt in Receipt.objects.filter(mailbox__in=ids).select_related("actor").order_by("at")
    }
    return [
        Row(
            mailbox=mailbox,
            shown=shown(mailbox, now=now),
            symbol="brand-google" if mailbox.provider == Provider.GOOGLE else "brand-windows",
            projects=", ".join(sorted(projects[mailbox.pk])),
            held=held.get(mailbox.pk, 0),
            usage=limits.usage(mailbox) if mailbox.is_live else None,
            may_bin=may(mailbox),
            receipt=None if mailbox.is_live else receipts.get(mailbox.pk),
        )
        for mailbox in found
    ]
