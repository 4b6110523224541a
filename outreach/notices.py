"""Service mail about a mailbox: its owner and the workspace's owner and admins are told once."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from accounts import audit
from accounts.mail import tell
from accounts.models import Membership, Role
from mailbox.models import Mailbox
from outreach.mailbox_words import reason_sentence


def tell_broken(mailbox: Mailbox) -> None:
    """The provider ended our access (F13). Called inside the transaction that found out; mailed behind it."""
    sentence = reason_sentence(mailbox)
    audit.record("mailbox.broken", f"{mailbox.address} needs reconnecting: {sentence}", object_id=mailbox.pk)
    people = Membership.objects.filter(
        workspace_id=mailbox.workspace_id, user__is_active=True
    ).select_related("user", "workspace")
    told = [m for m in people if m.role in (Role.OWNER, Role.ADMIN) or m.user_id == mailbox.owner_id]
    if not told:
        return
    path = reverse("outreach:mailboxes", kwargs={"slug": told[0].workspace.slug})
    text = (
        f"{sentence}\n\nMails that wait in {mailbox.address} are held, none is lost. "
        f"They go on when the mailbox is connected again:\n{settings.PUBLIC_BASE_URL}{path}\n"
    )
    subject = f"A mailbox needs reconnecting in {told[0].workspace.name}"
    addresses = [m.user.email for m in told]
    tell(addresses, subject, text)
