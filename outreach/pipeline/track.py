"""The track stage: opens and clicks become figures on the mail's row, an opt-out stops everything at once.

Called inside the workspace and the transaction that stored the event, so that an opt-out and its effect are
one commit (faults F26). A mail that was erased is not missed: its opt-out still counts.
"""

from __future__ import annotations

import uuid

from accounts import audit
from outreach import conditions, suppression
from outreach.models import Consent, Contact, Message, MessageState, Suppression, SuppressionReason
from tracking.models import Kind, Source
from tracking.recipient import Trace
from tracking.record import counts


def observe(key: uuid.UUID, kind: str, *, source: str, detail: str = "", address_index: bytes = b"") -> None:
    """One fact about one mail."""
    if kind == Kind.OPTED_OUT:
        _opted_out(key, detail=detail, address_index=address_index)
    elif source != Source.SELF:
        figures = counts(key)
        Message.objects.filter(pk=key).update(
            opens=figures.opens,
            opened_at=figures.opened_at,
            clicks=figures.clicks,
            clicked_at=figures.clicked_at,
            automatic_clicks=figures.automatic_clicks,
        )
        if figures.clicks:
            conditions.ask_anew(key)


def trace(key: uuid.UUID) -> Trace | None:
    """What may be counted of a mail now: what it was sent with, less a consent that was withdrawn."""
    message = Message.objects.select_related("contact").filter(pk=key).first()
    if message is None or message.state not in (
        MessageState.SENT,
        MessageState.SUBMITTING,
        MessageState.DOUBT,
    ):
        return None
    contact: Contact | None = message.contact
    refused = contact is not None and contact.tracking_consent == Consent.REFUSED
    return Trace(
        sent_at=message.attempted_at or message.sent_at,
        opens=message.tracks_opens and not refused,
        clicks=message.tracks_clicks and not refused,
    )


def _opted_out(key: uuid.UUID, *, detail: str, address_index: bytes) -> None:
    scope = Suppression.Scope.DOMAIN if detail == "domain" else Suppression.Scope.ADDRESS
    message = Message.objects.select_related("contact").filter(pk=key).first()
    # A mail whose mailbox was removed keeps its row and its contact, not its address (outreach/erasure.py).
    address = (message.to_address or (message.contact.address if message.contact else "")) if message else ""
    if address:
        suppression.suppress(
            address,
            reason=SuppressionReason.OPTED_OUT,
            scope=scope,
            note="Asked for it on the page behind the mail's link",
        )
    elif address_index:
        # Nothing is left of the mail but the index in its link: it is what the gates look up.
        _, made = Suppression.objects.get_or_create(
            scope=Suppression.Scope.ADDRESS,
            value_index=address_index,
            defaults={"value": None, "reason": SuppressionReason.OPTED_OUT},
        )
        if made:
            audit.record("suppression.added", "The recipient of an erased mail opted out", object_id=key)
