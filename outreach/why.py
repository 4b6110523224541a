"""The one place that turns rows into the screen's words, sentence and evidence (decisions 19)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from outreach.models import Enrollment, Message

# What state_of() looks at: `Message.objects.select_related(*WITH)`.
WITH = ("mailbox", "campaign", "contact", "contact__site", "step", "enrollment")


@dataclass(frozen=True)
class Shown:
    """`tone`, `mark` and `words` go to {% state %}, `rung` to {% evidence %}; `sentence` is safe HTML."""

    tone: str
    mark: str
    words: str
    sentence: str
    next_at: dt.datetime | None = None
    rung: tuple[str, ...] = ()


def state_of(row: Message | Enrollment, *, now: dt.datetime | None = None) -> Shown:
    """For an enrollment, prefetch its `messages` with WITH. In lists pass `now` once (clock.now())."""
    raise NotImplementedError
