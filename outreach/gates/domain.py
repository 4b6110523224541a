"""G6: whether the mailbox's domain vouches for its mail. It warns and never stops a mail (decisions 9)."""

from __future__ import annotations

from mailbox import domains
from outreach.gates.facts import Asked
from outreach.gates.verdict import GO, Verdict, warns
from outreach.models import Message


def authentication(message: Message, asked: Asked) -> Verdict:
    """What was found lately (mailbox/domains.py): here no name server is asked."""
    if message.mailbox is None:
        return GO
    standing = domains.known(message.mailbox)
    if standing is None:
        domain = domains.domain_of(message.mailbox)
        return warns("domain_unchecked", f"Whether SPF, DKIM and DMARC of {domain} fit is not checked yet.")
    if standing.missing:
        return warns("domain_missing", " ".join(record.sentence for record in standing.missing))
    if standing.unknown:
        return warns("domain_unknown", " ".join(standing.doubts))
    return GO
