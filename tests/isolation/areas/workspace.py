"""The workspace itself: its settings, people, keys and what was done."""

from __future__ import annotations

import uuid
from typing import Any

from tests.isolation.rules import ADMIN, OWNER, VIEWER, Rule, acts, asks, reads, shows

INSIDE: dict[str, Rule] = {
    # A person's own name is theirs to change, whatever their role; SENT posts the workspace's half.
    "settings": shows(VIEWER, ADMIN),
    "activity": reads(ADMIN),
    "activity_export": asks(ADMIN),
    "activity_verifier": reads(ADMIN),
    "activity_mail": acts(OWNER),
    "members": reads(VIEWER),
    "member": reads(VIEWER),
    "leave": asks(VIEWER),
    "member_role": acts(ADMIN),
    "member_projects": acts(ADMIN),
    "member_remove": asks(ADMIN),
    "member_transfer": asks(OWNER),
    "invitation_new": asks(ADMIN),
    "invitation_resend": acts(ADMIN),
    "invitation_withdraw": acts(ADMIN),
    "keys": reads(ADMIN),
    "token_show": acts(ADMIN),
    "key_new": asks(ADMIN),
    "key_rotate": asks(ADMIN),
    "key_revoke": asks(ADMIN),
    "requests": reads(ADMIN),
    "requests_csv": reads(ADMIN),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("key_", "pk"): "key",
    ("member", "pk"): "membership",
    ("invitation", "pk"): "invitation",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = set()


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "settings": {"about": "workspace", "ws-name": "Taken over"},
        "activity_export": {"format": "csv"},
        "activity_mail": {"mails": "on"},
        "token_show": {"mint": str(uuid.uuid4())},
        "member_role": {"role": "viewer"},
        "member_projects": {"projects": [ids["project"]]},
        "invitation_new": {"email": "new@other.example", "role": "viewer", "all_projects": "on"},
        "key_new": {"mint": str(uuid.uuid4()), "name": "One more", "scopes": ["read"], "days": "90"},
        "key_rotate": {"mint": str(uuid.uuid4()), "hours": "24"},
    }
