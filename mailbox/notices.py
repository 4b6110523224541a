"""Service mail about a connection: to the mailbox's own address and to the workspace's owners (T6, T7, T10).

Asked for inside the transaction, sent behind its commit.
"""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from accounts.mail import tell
from accounts.models import Membership, Role, User, Workspace
from mailbox import stop_links
from mailbox.models import Mailbox


def tell_connected(mailbox: Mailbox, *, user: User) -> None:
    """Whoever reads the mailbox can end it with one click, without an account here."""
    here = Workspace.objects.get(pk=mailbox.workspace_id)
    address = str(mailbox.address)
    link = stop_links.notice_link(mailbox)
    to_mailbox = (
        f"{address} was connected to the workspace “{here.name}” in Outreach by {user.get_full_name()} "
        f"({user.email}).\n\nOutreach mail is written and sent through it there, and the answers to it "
        "are read. No other mail is stored.\n\nIf you did not want this, end it here. It stops at once and "
        f"needs no sign-in; the link works for 30 days:\n{link}\n"
    )
    path = reverse("outreach:mailboxes", kwargs={"slug": here.slug})
    to_owners = (
        f"{address} was connected to your workspace “{here.name}” by {user.get_full_name()} "
        f"({user.email}).\n\n"
        f"You find it at Mailboxes, where the bin beside it ends it at any time:\n"
        f"{settings.PUBLIC_BASE_URL}{path}\n"
    )
    owners = _people(mailbox, [Role.OWNER])
    tell([address], "Your mailbox was connected in Outreach", to_mailbox)
    tell(owners, f"A mailbox was connected in {here.name}", to_owners)


def tell_ended(mailbox: Mailbox) -> None:
    """Ended by a link in a mail to the mailbox itself: its owner here and the workspace's owners are told."""
    here = Workspace.objects.get(pk=mailbox.workspace_id)
    text = (
        f"Access to {mailbox.address} was removed with a link that was mailed to the mailbox itself. Mails "
        f"that waited there are cancelled, and its campaigns in “{here.name}” are paused.\n"
    )
    told = _people(mailbox, [Role.OWNER], and_its_owner=True)
    tell(told, f"Access to a mailbox was removed in {here.name}", text)


def tell_move(address: str, link: str, *, user: User) -> None:
    """To the mailbox's own address. Says who asks, and nothing of where the account is connected."""
    text = (
        f"{user.get_full_name()} ({user.email}) signed in to {address} and wants to connect it in Outreach. "
        "It is connected in another workspace, and it can be in one only.\n\nTo end that other one, open "
        "this page and confirm. What waits there is cancelled. The link works for 24 hours:\n"
        f"{link}\n\nAfterwards connect the mailbox again where you want it. To leave everything as it is, do "
        "nothing.\n"
    )
    tell([address], "Move your mailbox to another workspace?", text)


def _people(mailbox: Mailbox, roles: list[Role], *, and_its_owner: bool = False) -> list[str]:
    members = Membership.objects.filter(
        workspace_id=mailbox.workspace_id, user__is_active=True
    ).select_related("user")
    return [
        m.user.email for m in members if m.role in roles or (and_its_owner and m.user_id == mailbox.owner_id)
    ]
