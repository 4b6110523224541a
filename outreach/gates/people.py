"""G1, G2, G12, G14: whether this person may be written to at all, by us, now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from mailbox.models import Provider
from outreach.gates.facts import (
    BULK,
    BULK_WINDOW,
    SITE_DAYS,
    SITE_MAILS,
    Asked,
)
from outreach.gates.verdict import GO, Verdict, cancelled, date, days, suppressed, waits
from outreach.models import Basis, Contact, Message, MessageKind, Suppression, SuppressionReason
from outreach.models.messages import COUNTED

# Where a first business mail needs consent before it is sent, unless the person is a customer.
CONSENT_ONLY = frozenset(["AT", "DE", "DK", "ES", "IT", "PL"])
_WORDS = {
    SuppressionReason.OPTED_OUT: "asked not to be written to",
    SuppressionReason.BOUNCED: "bounced",
    SuppressionReason.COMPLAINED: "complained",
    SuppressionReason.BY_HAND: "was put on the suppression list",
}


def suppression(message: Message, asked: Asked) -> Verdict:
    blocked = asked.facts.blocked
    found = None if blocked is None else Suppression.objects.filter(pk=blocked).first()
    return GO if found is None else suppressed_by(found)


def suppressed_by(row: Suppression) -> Verdict:
    who = "The whole domain" if row.scope == Suppression.Scope.DOMAIN else "This address"
    words = _WORDS[SuppressionReason(row.reason)]
    return suppressed(row.reason, f"{who} {words} on {date(row.created_at)}. Nothing is sent.")


def basis(message: Message, asked: Asked) -> Verdict:
    return GO if message.contact is None else basis_of(message.contact)


def basis_of(contact: Contact) -> Verdict:
    if not contact.source.strip():
        return cancelled("no_source", "It is not recorded how this address was found.")
    if contact.basis not in Basis.values:
        return cancelled("no_basis", "No basis for writing to this person is recorded.")
    return GO


def region(message: Message, asked: Asked) -> Verdict:
    return GO if message.contact is None else region_of(message.contact)


def region_of(contact: Contact) -> Verdict:
    if contact.country.upper() in CONSENT_ONLY and contact.basis == Basis.LEGITIMATE:
        return cancelled(
            "consent_needed",
            f"{contact.country.upper()} asks for consent before a first mail, and none is recorded.",
        )
    return GO


def bulk(message: Message, asked: Asked) -> Verdict:
    """More than 50 first mails of one text in 24 h through Gmail go only to people who agreed."""
    if message.mailbox is None or message.mailbox.provider != Provider.GOOGLE or message.step_id is None:
        return GO
    if message.contact is not None and message.contact.basis == Basis.CONSENT:
        return GO
    bulk_at = asked.facts.bulk_at
    if bulk_at is None:
        return GO
    return waits(
        "bulk",
        f"{BULK} first mails of this text left through Gmail in 24 hours; more need recorded consent.",
        until=bulk_at + BULK_WINDOW,
    )


def cool_down(message: Message, asked: Asked) -> Verdict:
    """One address gets one first mail in the workspace's days, whichever campaign it comes from (F28)."""
    left = asked.facts.wrote_at if message.contact is not None else None
    return GO if left is None else cooling_down(left, within=message.workspace.cool_down_days)


def cooling_down(left: dt.datetime, *, within: int) -> Verdict:
    """`within` is a number of days."""
    return waits(
        "cool_down",
        f"Another campaign wrote to this person on {date(left)}. First mails are {within} days apart.",
        until=left + days(within),
    )


def first_mails_since(moment: dt.datetime) -> QuerySet[Any]:
    """First mails that left or may have left since then; `left_at` says when."""
    return (
        Message.objects.filter(kind=MessageKind.FIRST, state__in=COUNTED)
        .annotate(left_at=Coalesce("sent_at", "attempted_at", "created_at"))
        .filter(left_at__gt=moment)
    )


def site_budget(message: Message, asked: Asked) -> Verdict:
    """At most four mails to one site in 90 days, over all projects."""
    site_at = asked.facts.site_at
    if site_at is None:
        return GO
    return waits(
        "site_budget",
        f"{SITE_MAILS} mails went to this site in {SITE_DAYS} days, which is the limit.",
        until=site_at + days(SITE_DAYS),
    )
