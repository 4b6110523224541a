"""Contacts, sites and suppressions."""

from __future__ import annotations

from typing import Any

from tests.isolation.rules import ADMIN, MEMBER, VIEWER, Rule, acts, asks, reads, shows

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
    "outreach:groups": shows(VIEWER, MEMBER),
    "outreach:group": asks(MEMBER),
    "outreach:group_merge": asks(MEMBER),
    "outreach:group_delete": asks(MEMBER),
    "outreach:group_people": acts(MEMBER),
    "outreach:group_undo": acts(MEMBER),
    "outreach:view_new": acts(MEMBER),
    "outreach:view_open": reads(VIEWER),
    "outreach:view_edit": asks(ADMIN, own=MEMBER),
    "outreach:view_delete": asks(ADMIN, own=MEMBER),
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
    ("outreach:group", "pk"): "group",
    ("outreach:view", "pk"): "view",
    ("outreach:site", "pk"): "site",
    ("outreach:suppression", "pk"): "suppression",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {
    "outreach:suppression_new": frozenset({"outreach_suppression.note"}),
}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = {("outreach:group_people", "person")}


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
        "outreach:contact_import": {"step": "store", "basis": "legitimate", "kind": "tag", "name": "Brought"},
        "outreach:groups": {"kind": "list", "name": "One more"},
        "outreach:view_new": {"page": "contacts", "name": "Later", "query": "country=PT", "is_shared": "on"},
        "outreach:view_edit": {"name": "Taken over", "is_shared": "on"},
        "outreach:group": {"name": "Taken over"},
        "outreach:group_merge": {"into": ids["other_group"]},
        "outreach:group_people": {"act": "put", "kind": "tag", "name": "New", "person": ids["contact"]},
        "outreach:suppression_new": {"value": "other@other.example"},
    }
