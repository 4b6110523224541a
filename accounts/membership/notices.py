"""Service mail about memberships: each act is told to the person it concerns, once it is committed."""

from __future__ import annotations

from django.conf import settings

from accounts.mail import tell
from accounts.models import Invitation, Membership, Role, User, Workspace


def tell_role(them: Membership, *, role: Role, actor: User) -> None:
    here = them.workspace
    text = f"{_who(actor)} made you {a_role(role)} of {here.name}.\n\n{_place(here)}\n"
    tell([them.user.email], f"Your role in {here.name}", text)


def tell_projects(them: Membership, *, words: str, actor: User) -> None:
    here = them.workspace
    text = f"{_who(actor)} set which projects you see in {here.name}: {words}.\n\n{_place(here)}\n"
    tell([them.user.email], f"Your projects in {here.name}", text)


def tell_removed(them: Membership, *, actor: User) -> None:
    here = them.workspace
    text = (
        f"{_who(actor)} ended your membership of {here.name}.\n\n"
        "Access to mailboxes that you had connected there ended in the same moment, and so did your API "
        "keys for it. Your account and your other workspaces are as they were.\n"
    )
    tell([them.user.email], f"You are no longer in {here.name}", text)


def tell_left(them: Membership) -> None:
    """To the owners: a mailbox may have gone with the person."""
    here = them.workspace
    text = (
        f"{_who(them.user)} left {here.name}. Access to mailboxes that this person had connected there ended "
        f"in the same moment.\n\n{_place(here)}\n"
    )
    owners = Membership.objects.filter(workspace=here, role=Role.OWNER, user__is_active=True)
    others = owners.exclude(pk=them.pk).values_list("user__email", flat=True)
    tell(others, f"Somebody left {here.name}", text)


def tell_transferred(them: Membership, *, actor: User) -> None:
    here = them.workspace
    text = f"{_who(actor)} made you the owner of {here.name}.\n\n{_place(here)}\n"
    tell([them.user.email], f"You own {here.name} now", text)
    text = (
        f"{_who(them.user)} owns {here.name} now; you are an admin there. "
        f"If this was not you, write to the new owner and change your password.\n\n{_place(here)}\n"
    )
    tell([actor.email], f"You gave {here.name} to {them.user.short_name}", text)


def tell_invited(invitation: Invitation, *, address: str, link: str, here: Workspace, actor: User) -> None:
    text = (
        f"{_who(actor)} invites you to {here.name}, as {a_role(Role(invitation.role))}.\n\n"
        f"To see the invitation, open:\n{link}\n\n"
        f"It is for {address} alone and works until {invitation.expires_at:%-d %B %Y, %H:%M} UTC. "
        "If you do not know what this is about, do nothing: without you nothing happens.\n"
    )
    tell([address], f"Invitation to {here.name}", text)


def tell_accepted(invitation: Invitation, *, user: User, here: Workspace) -> None:
    inviter = invitation.invited_by
    if inviter is None:
        return
    text = f"{_who(user)} accepted your invitation to {here.name}.\n\n{_place(here)}members/\n"
    tell([inviter.email], f"{user.short_name} joined {here.name}", text)


def _who(user: User) -> str:
    return f"{user.name} ({user.email})" if user.name else user.email


def a_role(role: Role) -> str:
    """ "an owner", "a member"."""
    return f"{'an' if role in (Role.OWNER, Role.ADMIN) else 'a'} {role.label.lower()}"


def _place(here: Workspace) -> str:
    return f"{settings.PUBLIC_BASE_URL}/w/{here.slug}/"
