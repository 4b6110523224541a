"""A mailbox in the screen's words: state, the sentence behind it, and what its owner is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbox.models import Mailbox, MailboxState

_AGAIN = "Connect it again."
_ADMIN = "Their administrator has to allow Outreach, then connect it again."
UNNAMED = f"{{company}} does not let us in any more, and does not say why. {_AGAIN}"
# state_reason → what happened, and what to do, in plain words; {company} is filled in.
REASONS = {
    "grant_ended": f"{{company}} ended our access: a new password, or access was withdrawn. {_AGAIN}",
    "unused_too_long": f"{{company}} ended our access: it was not used for too long. {_AGAIN}",
    "asks_second_factor": (
        "{company} asks for a second factor before it lets us in again. Connect it again and confirm there."
    ),
    "consent_withdrawn": f"{{company}} says that the consent was withdrawn. {_AGAIN}",
    "policy_blocks": f"A rule of the organisation at {{company}} keeps us out. {_ADMIN}",
    "account_disabled": (
        "{company} says that the account is disabled. Have it enabled there, then connect it again."
    ),
    "owner_left": "Its owner is no longer in this workspace. Another person can connect it.",
    "mailbox_full": "{company} says that the mailbox is full. Make room, then connect it again.",
    "sending_blocked": (
        "{company} has blocked sending from this account. Sign in there to see why, then connect it again."
    ),
    "send_as_denied": (
        "{company} does not let this account send from its address. "
        "Their administrator can allow it, then connect it again."
    ),
    "no_mailbox": (
        "{company} says that this account has no mailbox. Have one set up there, or connect another account."
    ),
    "permission_missing": (
        "{company} says that a permission is missing. Connect it again and leave every permission ticked."
    ),
    "blocked_by_admin": f"A rule of the organisation at {{company}} keeps us out. {_ADMIN}",
    "forbidden": UNNAMED,
    "unauthorized": UNNAMED,
    "no_credential": UNNAMED,
}


@dataclass(frozen=True)
class MailboxShown:
    """`tone`, `mark` and `words` go to {% state %}; `sentence` stands under it; `until` is a wait's end."""

    tone: str
    mark: str
    words: str
    sentence: str = ""
    until: datetime | None = None


def reason_sentence(mailbox: Mailbox) -> str:
    """Who ended access and why, as far as the provider said."""
    return REASONS.get(mailbox.state_reason, UNNAMED).format(company=mailbox.company)


def shown(mailbox: Mailbox, *, now: datetime) -> MailboxShown:
    """The vocabulary of decisions 19."""
    if mailbox.state == MailboxState.REVOKED:
        return MailboxShown("n", "cancelled", "Access removed")
    if mailbox.state == MailboxState.BROKEN:
        return MailboxShown("w", "attention", "Needs reconnecting", reason_sentence(mailbox))
    if mailbox.throttled_until and mailbox.throttled_until > now:
        return MailboxShown(
            "w",
            "held",
            f"Waiting for {mailbox.company}",
            "then goes on by itself",
            until=mailbox.throttled_until,
        )
    return MailboxShown("g", "quiet", "Connected")


def can_send(mailbox: Mailbox, *, now: datetime) -> bool:
    return shown(mailbox, now=now).tone == "g"
