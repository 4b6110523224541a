"""Removal projects and cases."""

from __future__ import annotations

from typing import Any

from tests.isolation.rules import MEMBER, VIEWER, Rule, acts, asks, makes_projects, reads, shows
from tests.isolation.words import deep

INSIDE: dict[str, Rule] = {
    "outreach:removals": reads(VIEWER),
    "outreach:removal_new": makes_projects(MEMBER),
    "outreach:removal": reads(VIEWER, project=True),
    "outreach:removal_import": asks(MEMBER, project=True),
    "outreach:removal_text": shows(VIEWER, MEMBER, project=True),
    "outreach:removal_verdicts": asks(MEMBER, project=True),
    "outreach:removal_write": asks(MEMBER, project=True),
    "outreach:removal_pause": acts(MEMBER, project=True),
    "outreach:disavow": reads(VIEWER, project=True),
    "outreach:case": reads(VIEWER, project=True),
    "outreach:case_verdict": asks(MEMBER, project=True),
    "outreach:case_contact": asks(MEMBER, project=True),
    "outreach:case_links": acts(MEMBER, project=True),
    "outreach:case_scope": acts(MEMBER, project=True),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:removal", "pk"): "project",
    ("outreach:disavow", "pk"): "project",
    ("outreach:case", "pk"): "case",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = {
    ("outreach:removal_verdicts", "case"),
    ("outreach:removal_write", "case"),
}


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "outreach:removal_new": {"name": "One more", "website": "other.example"},
        "outreach:removal_import": {"lines": f"https://one.example/ https://{deep(word)}.example/"},
        "outreach:removal_text": {
            "mailbox": ids["mailbox"],
            "subject": "Other",
            "body": "Other {{ links }}",
            "wait_2": "5",
            "wait_3": "7",
        },
        "outreach:removal_verdicts": {"verdict": "disavow", "confirmed": "yes", "case": [ids["case"]]},
        "outreach:removal_write": {"case": ids["case"]},
        "outreach:case_verdict": {"verdict": "keep"},
        "outreach:case_contact": {"known": ids["contact"], "address": "new@other.example"},
        "outreach:case_links": {"state": "gone", "link": ids["link"]},
        "outreach:case_scope": {"scope": "pages"},
    }
