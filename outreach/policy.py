"""Every gate that a mail passes before it is queued and again before it is handed over (decisions 9)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from outreach.models import Message, MessageState


@dataclass(frozen=True)
class Verdict:
    """`code` is stable and stored as `Message.reason`; `sentence` is what the why column says.

    Not ok with `until`: the mail waits until then and is asked again. Not ok with `ends`: the row ends in
    that state (cancelled or suppressed). Exactly one of the two is set when `ok` is False.
    """

    ok: bool
    code: str = ""
    sentence: str = ""
    until: dt.datetime | None = None
    ends: MessageState | None = None


def may_queue(message: Message) -> Verdict:
    raise NotImplementedError


def may_send(message: Message) -> Verdict:
    """Call it first in the transaction that commits `submitting`: it takes the locks a stop waits for."""
    raise NotImplementedError
