"""G6: whether the mailbox's domain vouches for its mail. It warns and never stops a mail (decisions 9)."""

from __future__ import annotations

from mailbox.limits import CONSUMER_DOMAINS
from outreach.gates.facts import Asked
from outreach.gates.verdict import GO, Verdict, warns
from outreach.models import Message


def authentication(message: Message, asked: Asked) -> Verdict:
    """A private account's domain is its provider's, who signs for it. Of others nothing is known yet."""
    if message.mailbox is None:
        return GO
    domain = message.mailbox.address.rpartition("@")[2].strip().lower()
    if domain in CONSUMER_DOMAINS:
        return GO
    return warns("domain_unchecked", f"Whether SPF, DKIM and DMARC of {domain} fit is not checked yet.")
