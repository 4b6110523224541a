"""Who is never written to, and what stops when somebody joins that list."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q

from accounts import audit
from accounts.clock import Now
from accounts.encryption import blind_index
from accounts.models import User
from accounts.tenancy import current_workspace_id
from accounts.viewpoint import whole_workspace
from outreach.models import (
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Suppression,
    SuppressionReason,
)
from outreach.models.contacts import address_index, normal_address
from outreach.models.messages import has_draft

# The other side's own word, which nobody here takes back.
THEIR_WORD = [SuppressionReason.OPTED_OUT, SuppressionReason.COMPLAINED]
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_WAITING = [EnrollmentState.PLANNED, EnrollmentState.HELD_BACK, EnrollmentState.RUNNING]


class CannotLift(Exception):
    """An opt-out or a complaint is the other side's word: nobody here takes it back."""


class BadValue(ValueError):
    """Neither an address nor a domain; the message is the sentence beside the field."""


def is_suppressed(address: str) -> Suppression | None:
    """The row that blocks this address: its own, or one of its domain or a parent domain."""
    rows = Suppression.objects.filter(value_index__in=list(indexes_of(address)))
    # The address's own row tells more than its domain's.
    return rows.order_by("scope", "created_at").first()


def indexes_of(address: str) -> dict[bytes, str]:
    """Every blind index under which this address may be blocked, and its scope."""
    normal = normal_address(address)
    labels = normal.rpartition("@")[2].split(".")
    found = {_index(Suppression.Scope.ADDRESS, normal): str(Suppression.Scope.ADDRESS)}
    for start in range(max(1, len(labels) - 1)):
        domain = ".".join(labels[start:])
        found[_index(Suppression.Scope.DOMAIN, domain)] = str(Suppression.Scope.DOMAIN)
    return found


def blocking(addresses: Iterable[str]) -> dict[str, Suppression]:
    """For many addresses at once, with one query: address as given → the row that blocks it."""
    wanted = {address: indexes_of(address) for address in addresses}
    every = {index for indexes in wanted.values() for index in indexes}
    rows = {bytes(row.value_index): row for row in Suppression.objects.filter(value_index__in=list(every))}
    return {
        address: next(rows[index] for index in indexes if index in rows)
        for address, indexes in wanted.items()
        if any(index in rows for index in indexes)
    }


@whole_workspace("a stop concerns every project")
def suppress(
    value: str,
    *,
    reason: SuppressionReason,
    note: str = "",
    scope: str = Suppression.Scope.ADDRESS,
    actor: User | None = None,
) -> Suppression:
    """Block an address, or with `scope` "domain" everybody there, and stop what waits for them at once.

    An address is also accepted where a domain is meant. The first row of a value stays; the other side's
    own word replaces a weaker reason. A mail that is past its last gate meets this transaction at its own
    row: whoever locks it first wins (faults F26). Raises BadValue.
    """
    normal = _normal(value, scope)
    with transaction.atomic():
        row, made = Suppression.objects.get_or_create(
            scope=scope,
            value_index=_index(scope, normal),
            defaults={"value": normal, "reason": reason, "note": note or None},
        )
        if not made and reason in THEIR_WORD and row.reason not in THEIR_WORD:
            Suppression.objects.filter(pk=row.pk).update(reason=reason)
            row.reason = reason
        stopped = _stop(normal, scope, reason)
        audit.record(
            "suppression.added",
            f"{normal} is not written to any more: {SuppressionReason(reason).label.lower()}. "
            f"{stopped} waiting {'mail was' if stopped == 1 else 'mails were'} stopped.",
            actor=actor,
            object_id=row.pk,
        )
    return row


def may_lift(row: Suppression) -> bool:
    return row.reason not in THEIR_WORD


def lift(row: Suppression, *, actor: User | None) -> None:
    """Take a row back; nothing that was stopped starts again by itself. Raises CannotLift."""
    if not may_lift(row):
        raise CannotLift("They asked not to be written to. That stays.")
    with transaction.atomic():
        audit.record(
            "suppression.lifted",
            f"{row.value or 'An erased address'} may be written to again",
            actor=actor,
            object_id=row.pk,
        )
        row.delete()


def index_of(address: str) -> bytes:
    """The blind index that an opt-out link carries: the one that the gates look up, 32 bytes."""
    return _index(Suppression.Scope.ADDRESS, normal_address(address))


def _index(scope: str, normal: str) -> bytes:
    return blind_index(current_workspace_id(), "suppression", f"{scope}:{normal}")


def _normal(value: str, scope: str) -> str:
    text = value.strip()
    if scope == Suppression.Scope.DOMAIN:
        domain = normal_address(f"x@{text.rpartition('@')[2].strip('.')}").rpartition("@")[2]
        if not _DOMAIN.fullmatch(domain):
            raise BadValue(f"“{text[:80]}” is not a domain.")
        return domain
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or re.search(r"[\s<>,;\x00-\x1f\x7f]", text) or len(text) > 320:
        raise BadValue(f"“{text[:80]}” is not an address.")
    return normal_address(text)


def _stop(normal: str, scope: str, reason: SuppressionReason) -> int:
    """End the waiting mails and enrollments of everybody concerned; how many mails."""
    people = _people(normal, scope)
    theirs = Q(contact__in=people)
    if scope == Suppression.Scope.ADDRESS:
        theirs |= Q(to_index=address_index(normal))
    # Columns of the row itself only: a join would move the state into a subquery, which is not looked at
    # anew after a wait for the row, and a mail handed over meanwhile would be called suppressed.
    stopped: int = (
        Message.objects.stoppable()
        .filter(theirs)
        .exclude(kind=MessageKind.TEST)
        .update(
            state=MessageState.SUPPRESSED,
            reason=reason,
            fence=F("fence") + 1,
            lease_until=None,
            ended_at=Now(),
            draft_left=has_draft(),
        )
    )
    bounced = reason == SuppressionReason.BOUNCED
    Enrollment.objects.filter(contact__in=people, state__in=_WAITING).update(
        state=EnrollmentState.BOUNCED if bounced else EnrollmentState.SUPPRESSED,
        reason=reason,
        stopped_at=Now(),
    )
    return stopped


def _people(normal: str, scope: str) -> list[uuid.UUID]:
    """The contacts behind an address, or those of a domain for whom something waits."""
    if scope == Suppression.Scope.ADDRESS:
        return list(Contact.objects.filter(address_index=address_index(normal)).values_list("pk", flat=True))
    # Addresses are ciphertext, so a domain's people are found by opening those for whom something waits.
    open_people = Contact.objects.filter(
        Q(enrollments__state__in=_WAITING) | Q(pk__in=Message.objects.stoppable().values("contact"))
    ).distinct()
    return [
        row.pk for row in open_people.only("pk", "workspace_id", "address") if _within(row.address, normal)
    ]


def _within(address: str, domain: str) -> bool:
    host = normal_address(address).rpartition("@")[2]
    return host == domain or host.endswith(f".{domain}")
