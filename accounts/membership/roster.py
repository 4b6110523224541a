"""The lines of the members page: who is here, with what, and how their account is guarded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Case, IntegerField, Max, QuerySet, Value, When

from accounts.membership.members import may_act_on
from accounts.models import Membership, Role, Workspace
from accounts.people.factors import FACTORS
from accounts.projects import ProjectName, projects

_RANK = Case(
    *(When(role=role, then=Value(-role.rank)) for role in Role), default=Value(0), output_field=IntegerField()
)


@dataclass(frozen=True)
class Line:
    """`limited_to` None: every project. The account's own facts are for admins, and for the person."""

    member: Membership
    limited_to: list[ProjectName] | None
    has_factor: bool
    active_at: dt.datetime | None
    is_me: bool
    may_act: bool
    shows_account: bool

    @property
    def projects_in_words(self) -> str:
        if self.limited_to is None:
            return "Every project"
        return ", ".join(one.name for one in self.limited_to) or "No project"


def members_of(here: Workspace) -> QuerySet[Membership]:
    """Owners first, then by the time they came."""
    rows = Membership.objects.filter(workspace=here).select_related("user", "workspace")
    return rows.order_by(_RANK, "created_at", "pk")


def lines_of(rows: Sequence[Membership], *, me: Membership) -> list[Line]:
    """Three queries, however many members."""
    limited = [row for row in rows if not row.all_projects and not row.may(Role.ADMIN)]
    seen = projects().seen_by(limited) if limited else {}
    people = [row.user_id for row in rows]
    guarded = set(
        Authenticator.objects.filter(user__in=people, type__in=FACTORS).values_list("user_id", flat=True)
    )
    active = dict(
        UserSession.objects.filter(user__in=people)
        .order_by()
        .values_list("user_id")
        .annotate(at=Max("last_seen_at"))
    )
    names = {row.pk: seen.get(row.pk, []) for row in limited}
    return [
        Line(
            member=row,
            limited_to=names.get(row.pk),
            has_factor=row.user_id in guarded,
            active_at=active.get(row.user_id) or row.user.last_login,
            is_me=row.pk == me.pk,
            may_act=may_act_on(me, row),
            shows_account=me.may(Role.ADMIN) or row.pk == me.pk,
        )
        for row in rows
    ]
