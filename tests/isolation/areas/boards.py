"""Boards, their cards, and tasks."""

from __future__ import annotations

from typing import Any

from accounts import clock
from tests.isolation.rules import MEMBER, VIEWER, Rule, acts, asks, reads

INSIDE: dict[str, Rule] = {
    "outreach:board": reads(VIEWER, project=True),
    "outreach:board_more": reads(VIEWER, project=True),
    "outreach:card": reads(VIEWER, project=True),
    "outreach:card_move": acts(MEMBER, project=True),
    "outreach:card_assign": acts(MEMBER, project=True),
    "outreach:tasks": reads(VIEWER),
    "outreach:task_new": asks(MEMBER, project=True),
    "outreach:task_done": acts(MEMBER, project=True),
    "outreach:task_put_off": acts(MEMBER, project=True),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:board", "pk"): "project",
    ("outreach:card", "pk"): "card",
    ("outreach:task", "pk"): "task",
    ("outreach:task_new", "pk"): "card",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = set()


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "outreach:card_move": {"to": "agreed", "seen": "replied"},
        "outreach:card_assign": {"to": ids["mine"]},
        "outreach:task_new": {
            "title": "Taken over",
            "kind": "call",
            "due": str(clock.now().date()),
            "assignee": ids["mine"],
        },
        "outreach:task_put_off": {"to": "week"},
    }
