"""Who is never written to, and what stops when somebody joins that list."""

from __future__ import annotations

from accounts.models import User
from outreach.models import Suppression, SuppressionReason


class CannotLift(Exception):
    """An opt-out or a complaint is the other side's word: nobody here takes it back."""


def is_suppressed(address: str) -> Suppression | None:
    raise NotImplementedError


def suppress(
    value: str,
    *,
    reason: SuppressionReason,
    note: str = "",
    scope: str = Suppression.Scope.ADDRESS,
    actor: User | None = None,
) -> Suppression:
    raise NotImplementedError


def may_lift(row: Suppression) -> bool:
    raise NotImplementedError


def lift(row: Suppression, *, actor: User | None) -> None:
    raise NotImplementedError
