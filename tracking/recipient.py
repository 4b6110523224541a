"""What the layer above tells about a mail: tracking itself knows only opaque keys.

The layer above registers three callables when it starts. Each is called with the mail's key while the
workspace is open, the last two inside a transaction as well:

    recipient.register(describe=…, trace=…, act=…)

- `describe(key)` what the recipient's page says; None for a mail that is no longer known.
- `trace(key)` when the mail was accepted and what may be counted of it now, so that a withdrawn consent
  works backwards (threats 3, rule 2); None for an unknown mail: then nothing is recorded.
- `act(key, act, note)` carries out what the recipient did, apart from opting out, which comes up as
  `tracked` with kind "opted_out".
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


class Act(enum.Enum):
    """What a recipient may do on the page. The values stand in the page's forms."""

    STOP = "stop"
    STOP_COMPANY = "stop_company"
    REMOVED = "removed"
    WRONG_PERSON = "wrong_person"
    DELETE_DATA = "delete_data"


@dataclass(frozen=True)
class RecipientFacts:
    """Who wrote, why, and what is stored. Nothing internal: no project's or campaign's name.

    `sent_at` are the accepted mails to this recipient, oldest first. `why` is one whole sentence
    ("They found this address on your imprint."). `links` are the URLs that a removal request lists, on
    `site`, pointing to `target_site`. `basis` and `kept_until` fill "What is stored about you".
    `stopped` is "", "address" or "domain". `says_removed`: no link is left that they have not called removed.
    `deletion_asked_at` is their first wish to have all of it deleted.
    """

    sender_name: str
    sender_address: str
    workspace_name: str
    postal_address: str
    recipient_address: str
    why: str = ""
    is_removal: bool = False
    links: tuple[str, ...] = ()
    site: str = ""
    target_site: str = ""
    first_name: str = ""
    sent_at: tuple[datetime, ...] = ()
    answers: int = 0
    basis: str = ""
    kept_until: datetime | None = None
    stopped: str = ""
    says_removed: bool = False
    deletion_asked_at: datetime | None = None


@dataclass(frozen=True)
class Trace:
    """When the provider accepted the mail, and whether its opens and clicks may be counted now."""

    sent_at: datetime | None
    opens: bool
    clicks: bool


Describe = Callable[[uuid.UUID], RecipientFacts | None]
Tracer = Callable[[uuid.UUID], Trace | None]
Actor = Callable[[uuid.UUID, Act, str], None]


@dataclass(frozen=True)
class _Registered:
    describe: Describe
    trace: Tracer
    act: Actor


_registered: _Registered | None = None


class NothingRegistered(RuntimeError):
    """The layer above did not register: a mistake at start, never an everyday state."""


def register(*, describe: Describe, trace: Tracer, act: Actor) -> None:
    """Called once at start; a later call replaces the earlier one."""
    global _registered
    _registered = _Registered(describe, trace, act)


def describe(key: uuid.UUID) -> RecipientFacts | None:
    return _upper().describe(key)


def trace(key: uuid.UUID) -> Trace | None:
    return _upper().trace(key)


def act(key: uuid.UUID, what: Act, note: str) -> None:
    _upper().act(key, what, note)


def _upper() -> _Registered:
    if _registered is None:
        raise NothingRegistered("register describe, trace and act of tracking.recipient at start")
    return _registered
