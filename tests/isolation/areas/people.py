"""Contacts, sites and suppressions."""

from __future__ import annotations

from typing import Any

from tests.isolation.rules import MEMBER, VIEWER, Rule, acts, asks, reads

INSIDE: dict[str, Rule] = {
    "outreach:contacts": reads(VIEWER),
    "outreach:contact": reads(VIEWER),
    "outreach:contact_new": asks(MEMBER),
    "outreach:contact_edit": asks(MEMBER),
    "outreach:contact_delete": asks(MEMBER),
    "outreach:contacts_import": asks(MEMBER),
    "outreach:contact_imports": reads(MEMBER),
    "outreach:contact_import": asks(MEMBER),
    "outreach:contact_import_rejects": reads(MEMBER),
    "outreach:contact_import_cancel": acts(MEMBER),
    "outreach:contact_import_undo": asks(MEMBER),
    "outreach:sites": reads(VIEWER),
    "outreach:site": reads(VIEWER),
    "outreach:suppressions": reads(VIEWER),
    "outreach:suppression_new": asks(MEMBER),
    "outreach:suppression_lift": asks(MEMBER),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:contact", "pk"): "contact",
    ("outreach:contact_import", "pk"): "import",
    ("outreach:site", "pk"): "site",
    ("outreach:suppression", "pk"): "suppression",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {
    "outreach:suppression_new": frozenset({"outreach_suppression.note"}),
}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = set()


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "outreach:contact_new": {
            "address": "new@other.example",
            "basis": "legitimate",
            "tracking_consent": "unknown",
        },
        "outreach:contact_edit": {
            "address": "new@other.example",
            "basis": "legitimate",
            "tracking_consent": "unknown",
        },
        "outreach:contacts_import": {
            "lines": "new@other.example",
            "basis": "legitimate",
            "source": "their page",
        },
        "outreach:contact_import": {"step": "store", "basis": "legitimate"},
        "outreach:suppression_new": {"value": "other@other.example"},
    }
