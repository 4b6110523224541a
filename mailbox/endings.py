"""Access that ends without the bin's button: somebody leaves, is switched off, uses a mailed link (T14)."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User, Workspace
from accounts.tenancy import workspace as open_workspace
from mailbox import notices, offers
from mailbox.models import Mailbox, Receipt
from mailbox.revocation import revoke


def end_access_of(user: User, workspace: Workspace, *, actor: User | None = None) -> list[Receipt]:
    """Everything this person connected here ends as by the bin, in the caller's transaction.

    Tokens go at once, what waits is cancelled, running campaigns are paused and say why, and the mail goes as
    the bin's default has it: nobody is left who could choose to keep it.
    """
    with open_workspace(workspace), transaction.atomic():
        offers.drop_of(user)
        rows = list(Mailbox.objects.live().filter(owner=user))
        return [revoke(row, actor=actor, how=f"because {user.short_name} left") for row in rows]


def end_by_link(mailbox: Mailbox) -> Receipt:
    """The workspace must be open. Whoever reads the mailbox's mail has said so."""
    with transaction.atomic():
        receipt = revoke(mailbox, actor=None, how="by a link mailed to it")
        notices.tell_ended(mailbox)
    return receipt
