"""A gate's answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from outreach.models import MessageState


@dataclass(frozen=True)
class Verdict:
    """`code` is stable and stored as `Message.reason`; `sentence` is what the why column says.

    Not ok and `ends` set: the row ends in that state (cancelled or suppressed). Otherwise it waits: until
    `until`, or, where that is None, until somebody acts, and is asked again before long. Ok with a code: it
    may go, and the sentence warns.
    """

    ok: bool
    code: str = ""
    sentence: str = ""
    until: dt.datetime | None = None
    ends: MessageState | None = None


GO = Verdict(ok=True)


def warns(code: str, sentence: str) -> Verdict:
    return Verdict(ok=True, code=code, sentence=sentence)


def waits(code: str, sentence: str, *, until: dt.datetime | None = None) -> Verdict:
    return Verdict(ok=False, code=code, sentence=sentence, until=until)


def cancelled(code: str, sentence: str) -> Verdict:
    return Verdict(ok=False, code=code, sentence=sentence, ends=MessageState.CANCELLED)


def suppressed(code: str, sentence: str) -> Verdict:
    return Verdict(ok=False, code=code, sentence=sentence, ends=MessageState.SUPPRESSED)


def days(number: float) -> dt.timedelta:
    """Days of the product's calendar; the demo's are short."""
    return dt.timedelta(seconds=number * settings.DAY_SECONDS)


def date(moment: dt.datetime) -> str:
    """ "3 Nov 2026", for sentences that are stored."""
    return f"{moment.day} {moment:%b %Y}"
