"""A draft that waited in the mailbox, where its owner can reach it: is it still as we wrote it (F43)?

Asked before the last gate, for drafts of an earlier turn only. Between this look and the submit an edit can
still slip in; it leaves as edited, as it would where somebody presses Send in the mailbox.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from accounts.clock import Now
from mailbox import gateway
from mailbox.models import Mailbox
from mailbox.types import Draft
from outreach import rendering
from outreach.models import Message, MessageState
from outreach.reasons import DRAFT_EDITED


def is_edited(message: Message, mailbox: Mailbox, draft: Draft) -> bool:
    """Whether somebody changed what the draft says. Raises Retry, Disconnected."""
    return gateway.is_edited(mailbox, draft, rendering.finalise(message))


def hold(message: Message, fence: int) -> bool:
    """Let go of the row for the settle stage, which alone moves it into doubt; whether `fence` was held.

    Where that stage is late the row is claimed again, and looked at again: nothing leaves unasked.
    """
    return message.move(
        MessageState.DRAFTED,
        fence=fence,
        was=[MessageState.DRAFTED],
        reason=DRAFT_EDITED,
        lease_until=None,
        settle_at=Now(),
        not_before=Now() + dt.timedelta(seconds=settings.LEASE_SECONDS),
    )
