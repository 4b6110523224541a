"""What all mailboxes of a provider share: Gmail's quota units of our project (providers.md 1).

A mail costs 130 units (draft 10, send 100, its headers 20), and a project has 1.2 million a minute. Counted
in Redis, by the minute: emptied, it counts anew, and the provider's own refusal is kept to as ever. What a
mailbox may do in a minute is counted with its places (mailbox/limits.py).
"""

from __future__ import annotations

import random

from django.conf import settings
from redis.exceptions import RedisError

from accounts.limits import Limit
from mailbox.models import Mailbox, Provider

MINUTE = 60
# Looking for replies takes the rest.
SENDING = 0.9


def wait_for_turn(mailbox: Mailbox) -> float:
    """Count one mail against the project's minute; seconds to wait where it is used up, else 0."""
    most = mails_a_minute()
    if mailbox.provider != Provider.GOOGLE or not most:
        return 0.0
    try:
        free = Limit("gmail-project", most, MINUTE).take("sending")
    except RedisError:
        return 0.0  # Nobody answers who could say no.
    # Apart, so that they do not all come back in the first second of the next minute.
    return 0.0 if free else random.uniform(10, MINUTE)  # noqa: S311


def mails_a_minute() -> int:
    """How many mails the project may send in a minute; 0: as many as there are."""
    return int(settings.GMAIL_PROJECT_UNITS * SENDING / settings.GMAIL_MAIL_UNITS)
