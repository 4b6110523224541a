"""The only listener to the two signals that come up: mailbox_changed and tracked."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from accounts import bells
from mailbox import turns
from mailbox.models import Mailbox, Receipt
from mailbox.signals import mailbox_changed
from outreach import erasure, notices, recipients
from outreach.pipeline import track
from tracking import recipient
from tracking.signals import tracked

recipient.register(describe=recipients.describe, trace=track.trace, act=recipients.act)


@receiver(tracked)
def fact_about_a_mail(
    *, key: uuid.UUID, kind: str, source: str, detail: str = "", address_index: bytes = b"", **_: Any
) -> None:
    track.observe(key, kind, source=source, detail=detail, address_index=address_index)


@receiver(mailbox_changed)
def look_now(*, mailbox: Mailbox, fact: str, **_: Any) -> None:
    """A new connection, or a provider's hint: look soon. A lost hint costs nothing, the poll stays."""
    if fact in ("connected", "hint"):
        from outreach import tasks

        turns.hint(mailbox)
        ids = (str(mailbox.workspace_id), str(mailbox.pk))
        transaction.on_commit(lambda: bells.ring(tasks.poll_mailbox, *ids))


@receiver(mailbox_changed)
def access_ended(*, mailbox: Mailbox, fact: str, receipt: Receipt | None = None, **_: Any) -> None:
    """The bin stops everything in its own transaction and erases behind it; a lost grant is told."""
    if fact == "broken":
        notices.tell_broken(mailbox)
    if fact == "revoked" and receipt is not None:
        erasure.stop_mailbox(mailbox, receipt)
        from outreach import tasks

        ids = (str(mailbox.workspace_id), str(receipt.pk))
        transaction.on_commit(lambda: bells.ring(tasks.erase_mailbox, *ids), robust=True)
