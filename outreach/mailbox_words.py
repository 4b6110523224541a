"""A mailbox in the screen's words: state, the sentence behind it, and what its owner is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbox.models import Mailbox, MailboxState

UNNAMED = "{company} does not let us in any more, and does not say why."
# state_reason → what happened, in plain words; {company} is filled in.
REASONS = {
    "grant_ended": "{company} ended our access.",
    "unused_too_long": "{company} ended our access: it was not used for too long.",
    "asks_second_factor": "{company} asks for a second factor before it lets us in again.",
    "consent_withdrawn": "{company} says that the consent was withdrawn.",
    "policy_blocks": "A rule of the organisation at {company} keeps us out.",
    "account_disabled": "{company} says that the account is disabled.",
    "owner_left": "Its owner is no longer in this workspace.",
    "mailbox_full": "{company} says that the mailbox is full. Make room, then connect it again.",
    "sending_blocked": "{company} has blocked sending from this account.",
    "send_as_denied": "{company} does not let this account send from its address.",
    "no_mailbox": "{company} says that this account has no mailbox.",
    "permission_missing": "{company} says that a permission is missing.",
    "blocked_by_admin": "A rule of the organisation at {company} keeps us out.",
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
