"""Home and projects."""

from __future__ import annotations

from typing import Any

from tests.isolation.rules import MEMBER, VIEWER, Rule, asks, makes_projects, reads

INSIDE: dict[str, Rule] = {
    "outreach:home": reads(VIEWER),
    "outreach:find": reads(VIEWER),
    "outreach:projects": reads(VIEWER),
    "outreach:project_new": makes_projects(MEMBER),
    "outreach:project": reads(VIEWER, project=True),
    "outreach:project_edit": asks(MEMBER, project=True),
    "outreach:project_delete": asks(MEMBER, project=True),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:project", "pk"): "project",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = set()


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "outreach:project_new": {"name": "One more"},
        "outreach:project_edit": {"name": "Taken over", "website": "other.example"},
    }
