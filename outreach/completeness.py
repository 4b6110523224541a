"""The completeness proof in words: how many conversations were compared, when, and what was missing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mailbox.models import Mailbox
from outreach.models import Comparison, Thread


@dataclass(frozen=True)
class Proof:
    """The newest finished comparison, None before the first; `at_work` of `of` while another is under way."""

    finished: Comparison | None
    at_work: int | None
    of: int

    @property
    def healed(self) -> int:
        return self.finished.missing if self.finished else 0

    @property
    def threads(self) -> int:
        return self.finished.threads if self.finished else 0

    @property
    def at(self) -> dt.datetime | None:
        return self.finished.finished_at if self.finished else None


def of_mailbox(mailbox: Mailbox) -> Proof:
    """Three queries."""
    rows = Comparison.objects.filter(mailbox=mailbox)
    finished = rows.filter(finished_at__isnull=False).order_by("-started_at").first()
    under_way = rows.filter(finished_at=None).first()
    of = Thread.objects.filter(mailbox=mailbox, provider_thread_index__isnull=False).count()
    return Proof(finished, under_way.threads if under_way else None, of)
