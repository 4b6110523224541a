"""The library of texts."""

from __future__ import annotations

from typing import Any

from tests.isolation.rules import MEMBER, VIEWER, Rule, acts, asks, reads, shows

INSIDE: dict[str, Rule] = {
    "outreach:library": reads(VIEWER),
    "outreach:library_new": asks(MEMBER),
    "outreach:library_text": shows(VIEWER, MEMBER),
    "outreach:library_duplicate": acts(MEMBER),
    "outreach:library_delete": asks(MEMBER),
    "outreach:library_pick": reads(VIEWER),
    "outreach:library_words": reads(VIEWER),
    "outreach:example_words": reads(VIEWER),
    "outreach:example_copy": acts(MEMBER),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:library", "pk"): "text",
    ("outreach:example", "key"): "=link-broken",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = set()


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "outreach:library_new": {
            "name": "One more",
            "folder": "Later",
            "use": "other",
            "is_snippet": "",
            "subject": "Another",
            "body": "<p>Other</p>",
        },
        "outreach:library_text": {
            "name": "Taken over",
            "folder": "Other",
            "use": "guest_post",
            "subject": "Other",
            "body": "<p>Other</p>",
        },
    }
