"""What happened to one mail, in the order of time, in the screen's words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from outreach.models import Message
from tracking.models import Event


@dataclass(frozen=True)
class Entry:
    """`at` is None only for what is still to come. `sentence` is safe HTML."""

    at: dt.datetime | None
    tone: str
    mark: str
    words: str
    sentence: str


def of_message(message: Message, events: Iterable[Event] = ()) -> list[Entry]:
    """`message` with its `replies` prefetched; `events` are tracking's, of this message."""
    raise NotImplementedError
