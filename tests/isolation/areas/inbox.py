"""The inbox."""

from __future__ import annotations

import uuid
from typing import Any

from tests.isolation.rules import ADMIN, MEMBER, VIEWER, Rule, acts, asks, reads

INSIDE: dict[str, Rule] = {
    "outreach:inbox": reads(VIEWER),
    "outreach:suggestions": reads(VIEWER),
    "outreach:suggestion_decide": acts(MEMBER, project=True),
    "outreach:thread": reads(VIEWER, project=True),
    "outreach:thread_answer": acts(MEMBER, project=True),
    "outreach:thread_attach": acts(MEMBER, project=True),
    "outreach:attachment": reads(VIEWER, project=True),
    "outreach:attachment_remove": acts(MEMBER, project=True),
    "outreach:thread_done": acts(MEMBER, project=True),
    "outreach:thread_label": asks(MEMBER, project=True),
    "outreach:thread_unread": acts(MEMBER, project=True),
    "outreach:thread_assign": acts(MEMBER, project=True),
    "outreach:thread_snooze": acts(MEMBER, project=True),
    "outreach:thread_note": acts(MEMBER, project=True),
    "outreach:thread_writing": acts(MEMBER, project=True),
    "outreach:note_remove": Rule({"POST": ADMIN}, project=True, own=MEMBER),
    "outreach:inbox_news": reads(VIEWER),
    "outreach:reply_frame": asks(VIEWER, project=True),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:attachment", "pk"): "attachment",
    ("outreach:suggestion", "pk"): "suggestion",
    ("outreach:thread", "pk"): "thread",
    ("outreach:note", "pk"): "note",
    ("outreach:reply_frame", "pk"): "reply",
    ("outreach:picture", "token"): "=nobody-has-minted-this",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = set()


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "outreach:suggestion_decide": {"answer": "no"},
        "outreach:thread_attach": {"compose_id": str(uuid.uuid4())},
        "outreach:thread_answer": {"compose_id": str(uuid.uuid4()), "text": "Taken over"},
        "outreach:thread_label": {"reply": ids["reply"], "label": "interested"},
        "outreach:thread_done": {"undo": ""},
        "outreach:thread_unread": {"read": "yes"},
        "outreach:thread_assign": {"to": ids["mine"]},
        "outreach:thread_snooze": {"choice": "tomorrow", "zone": "UTC"},
        "outreach:thread_note": {"note_id": str(uuid.uuid4()), "note": "Taken over"},
        "outreach:thread_writing": {"writes": "yes"},
    }
