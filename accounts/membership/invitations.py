"""Invitations: bound to one address, used once, gone after a week.

The token is shown in the mail alone and stored as its hash. Whether the address has an account changes
nothing for the inviter. An invitation is worth what its inviter is worth at the moment it is accepted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, clock
from accounts.clock import Now
from accounts.encryption import blind_index
from accounts.membership import notices
from accounts.membership.members import NotAllowed, grantable
from accounts.models import Invitation, Membership, Role, User, Workspace
from accounts.projects import projects
from accounts.viewpoint import whole_workspace


class Gone(Exception):
    """Unknown, expired, withdrawn, used, or its inviter may not invite any more: one answer for all."""


class ForAnother(Exception):
    """The person is signed in with an account that does not have the invited address, verified."""


def normal(address: str) -> str:
    return address.strip().lower()


def index_of(here: uuid.UUID, address: str) -> bytes:
    return blind_index(here, "invitation", normal(address))


def open_invitations() -> QuerySet[Invitation]:
    """Not accepted, not withdrawn, not expired, newest first. The workspace must be open."""
    rows: QuerySet[Invitation] = Invitation.objects.filter(
        accepted_at=None, withdrawn_at=None, expires_at__gt=Now()
    )
    return rows.select_related("invited_by").order_by("-created_at", "-id")


def invite(
    address: str, *, role: Role, limited_to: Sequence[uuid.UUID] | None, actor: Membership
) -> Invitation:
    """Mails the invitation once it is stored. `limited_to` None: every project. Raises NotAllowed."""
    with transaction.atomic():
        here = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
        if role not in invitable(actor):
            raise NotAllowed("You cannot invite somebody to a role above yours.")
        index = index_of(here.pk, address)
        if _is_member(here, address):
            raise NotAllowed("This person is here already.")
        if open_invitations().filter(email_index=index).exists():
            raise NotAllowed("An invitation to this address is open. Send it again from the list.")
        # One that has expired still holds the address's place.
        _withdraw(Invitation.objects.filter(email_index=index))
        return _make(here, normal(address), role, limited_to, actor)


def resend(row: Invitation, *, actor: Membership) -> Invitation:
    """A new token and a new week; the old link is dead. Raises NotAllowed."""
    with transaction.atomic():
        here = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
        if Role(row.role) not in invitable(actor):
            raise NotAllowed("You cannot invite somebody to a role above yours.")
        if _withdraw(Invitation.objects.filter(pk=row.pk)) != 1:
            raise NotAllowed("This invitation is no longer open.")
        limited = None if row.all_projects else [uuid.UUID(one) for one in row.project_ids]
        return _make(here, str(row.email), Role(row.role), limited, actor)


def withdraw(row: Invitation, *, actor: User) -> bool:
    """The link is dead at once; whether it still was open."""
    with transaction.atomic():
        if _withdraw(Invitation.objects.filter(pk=row.pk)) != 1:
            return False
        audit.record(
            "invitation.withdrawn", f"Invitation to {row.email} withdrawn", actor=actor, object_id=row.pk
        )
    return True


def invitable(actor: Membership) -> list[Role]:
    """Roles that a mail may give. Ownership is handed over to somebody who is here."""
    return [role for role in grantable(actor) if role is not Role.OWNER]


def find(token: str) -> Invitation:
    """The open invitation behind a link, in the open workspace. Raises Gone."""
    row = open_invitations().filter(token_hash=_hash(token)).first()
    if row is None or not _stands(row):
        raise Gone
    return row


def is_for(row: Invitation, user: User) -> bool:
    """Whether this account has the invited address, and has verified it."""
    addresses = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return any(index_of(row.workspace_id, address) == bytes(row.email_index) for address in addresses)


def accept(token: str, *, user: User) -> Membership:
    """In the open workspace, exactly once. Raises Gone, ForAnother."""
    first = find(token)
    with transaction.atomic(), whole_workspace("an invitation names projects"):
        here = Workspace.objects.select_for_update(no_key=True).get(pk=first.workspace_id)
        row = find(token)
        if here.suspended_at is not None:
            raise Gone
        if not is_for(row, user):
            raise ForAnother
        open_rows = Invitation.objects.filter(
            pk=row.pk, accepted_at=None, withdrawn_at=None, expires_at__gt=Now()
        )
        if open_rows.update(accepted_at=Now()) != 1:
            raise Gone
        membership, made = Membership.objects.get_or_create(
            workspace=here, user=user, defaults={"role": row.role, "all_projects": row.all_projects}
        )
        if made:
            if not row.all_projects:
                projects().limit(membership, [uuid.UUID(one) for one in row.project_ids])
            audit.record(
                "member.joined",
                f"{user.email} joined as {Role(row.role).label.lower()}",
                actor=user,
                object_id=user.sid,
            )
            notices.tell_accepted(row, user=user, here=here)
    return membership


def _make(
    here: Workspace, address: str, role: Role, limited_to: Sequence[uuid.UUID] | None, actor: Membership
) -> Invitation:
    _within_limits(here, address)
    token = secrets.token_urlsafe(32)
    row = Invitation.objects.create(
        email=address,
        email_index=index_of(here.pk, address),
        role=role,
        all_projects=limited_to is None,
        project_ids=[str(one) for one in limited_to or ()],
        token_hash=_hash(token),
        invited_by=actor.user,
        expires_at=clock.now() + dt.timedelta(seconds=settings.INVITATION_SECONDS),
    )
    audit.record(
        "invitation.sent",
        f"{address} invited as {role.label.lower()}",
        actor=actor.user,
        object_id=row.pk,
    )
    link = f"{settings.PUBLIC_BASE_URL}/join/{here.sid}/{token}/"
    notices.tell_invited(row, address=address, link=link, here=here, actor=actor.user)
    return row


def _within_limits(here: Workspace, address: str) -> None:
    """Counted by rows, under the workspace's lock: sending again makes a row as well."""
    lately = Invitation.objects.filter(created_at__gt=clock.now() - dt.timedelta(days=1))
    if lately.count() >= settings.INVITATIONS_PER_DAY:
        raise NotAllowed(f"{settings.INVITATIONS_PER_DAY} invitations left in 24 hours, which is the limit.")
    same = lately.filter(email_index=index_of(here.pk, address))
    if same.count() >= settings.INVITATIONS_PER_ADDRESS:
        raise NotAllowed("This address was invited often enough for one day. Try again tomorrow.")


def _withdraw(rows: QuerySet[Invitation]) -> int:
    return rows.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=Now())


def _stands(row: Invitation) -> bool:
    """Whether its inviter could still give this role: lowered, removed or switched off, it is dead."""
    inviter = (
        Membership.objects.filter(
            workspace=row.workspace_id, user=row.invited_by_id, user__is_active=True
        ).first()
        if row.invited_by_id
        else None
    )
    return inviter is not None and Role(row.role) in invitable(inviter)


def _is_member(here: Workspace, address: str) -> bool:
    """By the address that the members page shows anyway: no other is given away."""
    return Membership.objects.filter(workspace=here, user__email=normal(address)).exists()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
