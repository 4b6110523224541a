"""Who belongs to a workspace, and what they may: roles, project limits, leaving, ownership.

Every act locks the workspace's row first, so that two of them at once cannot leave it without an owner, and
looks at the acting member's own role under that lock. It is recorded, and told by mail to whom it concerns.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction

from accounts import audit
from accounts.membership import notices
from accounts.models import Membership, Role, User, Workspace
from accounts.projects import projects
from accounts.signals import member_left
from accounts.viewpoint import whole_workspace


class NotAllowed(Exception):
    """The act does not fit the roles as they are now; the message is the sentence for the screen."""


LAST_OWNER = "A workspace has an owner. Make somebody else one first."


def may_act_on(actor: Membership, target: Membership) -> bool:
    """Admins act on everybody up to their own role: an admin does not touch an owner."""
    return actor.may(Role.ADMIN) and Role(actor.role).rank >= Role(target.role).rank


def grantable(actor: Membership) -> list[Role]:
    """The roles this member may give: none above their own."""
    return [role for role in Role if actor.may(Role.ADMIN) and role.rank <= Role(actor.role).rank]


def change_role(target: Membership, role: Role, *, actor: Membership) -> bool:
    """Whether that changed something. Raises NotAllowed."""
    with _under_lock(actor, target) as (me, them):
        if not may_act_on(me, them) or role not in grantable(me):
            raise NotAllowed("This needs at least the role that you give, and the one that you change.")
        if them.role == role:
            return False
        if them.role == Role.OWNER:
            _keep_an_owner(them)
        before = Role(them.role)
        _one(Membership.objects.filter(pk=them.pk, role=before).update(role=role))
        _record(
            "member.role", f"{_name(them)} is {role.label.lower()} now, was {before.label.lower()}", me, them
        )
        notices.tell_role(them, role=role, actor=me.user)
    return True


def limit_projects(target: Membership, chosen: Iterable[uuid.UUID] | None, *, actor: Membership) -> None:
    """`chosen` None: every project. Owners and admins cannot be limited. Raises NotAllowed."""
    with _under_lock(actor, target) as (me, them):
        if not may_act_on(me, them):
            raise NotAllowed("Admins and owners set which projects a member sees.")
        if them.may(Role.ADMIN):
            raise NotAllowed("Owners and admins see every project.")
        ids = list(chosen) if chosen is not None else []
        Membership.objects.filter(pk=them.pk).update(all_projects=chosen is None)
        projects().limit(them, ids)
        names = [one.name for one in projects().seen_by([them]).get(them.pk, [])]
        words = "every project" if chosen is None else (", ".join(names) or "no project")
        _record("member.projects", f"{_name(them)} sees {words} now", me, them)
        notices.tell_projects(them, words=words, actor=me.user)


def remove(target: Membership, *, actor: Membership) -> None:
    """Ends the membership and, in the same act, what the person connected here. Raises NotAllowed."""
    with _under_lock(actor, target) as (me, them):
        if me.pk == them.pk:
            raise NotAllowed("To go yourself, leave the workspace.")
        if not may_act_on(me, them):
            raise NotAllowed("An admin does not remove an owner.")
        _record("member.removed", f"{_name(them)} was removed", me, them)
        notices.tell_removed(them, actor=me.user)
        _end(them)


def leave(membership: Membership) -> None:
    """Raises NotAllowed for the last owner."""
    with _under_lock(membership, membership) as (me, _):
        if me.role == Role.OWNER:
            _keep_an_owner(me)
        _record("member.left", f"{_name(me)} left", me, me)
        notices.tell_left(me)
        _end(me)


def transfer(target: Membership, *, actor: Membership) -> None:
    """Ownership goes to another member; who gave it stays as an admin. Raises NotAllowed."""
    with _under_lock(actor, target) as (me, them):
        if me.role != Role.OWNER or me.pk == them.pk or them.role == Role.OWNER:
            raise NotAllowed("An owner gives ownership to a member who is not an owner.")
        if not them.user.is_active:
            raise NotAllowed("This person’s account is switched off.")
        _one(Membership.objects.filter(pk=them.pk, role=them.role).update(role=Role.OWNER))
        _one(Membership.objects.filter(pk=me.pk, role=Role.OWNER).update(role=Role.ADMIN))
        _record("workspace.transferred", f"{_name(me)} made {_name(them)} the owner", me, them)
        notices.tell_transferred(them, actor=me.user)


@contextmanager
def _under_lock(actor: Membership, target: Membership) -> Iterator[tuple[Membership, Membership]]:
    """Both rows as they are behind the lock. Raises NotAllowed where one of them is gone."""
    with transaction.atomic(), whole_workspace("a membership is about every project"):
        Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
        rows = Membership.objects.filter(workspace=actor.workspace_id).select_related("user", "workspace")
        found = {row.pk: row for row in rows.filter(pk__in=[actor.pk, target.pk])}
        if actor.pk not in found or target.pk not in found:
            raise NotAllowed("This person is not here any more.")
        yield found[actor.pk], found[target.pk]


def _keep_an_owner(leaving: Membership) -> None:
    others = Membership.objects.filter(
        workspace=leaving.workspace_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=leaving.pk)
    if not others.exists():
        raise NotAllowed(LAST_OWNER)


def _end(membership: Membership) -> None:
    here, user = membership.workspace, membership.user
    member_left.send(sender=Membership, workspace=here, user=user)
    membership.delete()


def _one(updated: int) -> None:
    if updated != 1:
        raise NotAllowed("This changed in the meantime. Look again.")


def _record(action: str, sentence: str, actor: Membership, target: Membership) -> None:
    audit.record(action, sentence, actor=actor.user, object_id=target.user.sid)


def _name(membership: Membership) -> str:
    return _name_of(membership.user)


def _name_of(user: User) -> str:
    return f"{user.name} ({user.email})" if user.name else user.email
