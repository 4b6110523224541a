"""Mailboxes and receipts. SENT and ROWS name the owner's; a member may do this with their own only."""

from __future__ import annotations

from typing import Any

from tests.isolation.rules import ADMIN, MEMBER, VIEWER, Rule, acts, asks, reads, shows

INSIDE: dict[str, Rule] = {
    "mailbox:connect": reads(MEMBER),
    "mailbox:start": acts(MEMBER),
    "mailbox:problem": reads(MEMBER),
    "mailbox:confirm": asks(MEMBER),
    "outreach:mailboxes": reads(VIEWER),
    "outreach:mailbox": shows(VIEWER, ADMIN),
    "outreach:mailbox_compare": acts(MEMBER),
    "outreach:mailbox_revoke": asks(ADMIN, own=VIEWER),
    "outreach:receipt": reads(VIEWER),
    "outreach:receipt_lines": reads(VIEWER),
    "outreach:receipt_text": reads(VIEWER),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:mailbox", "pk"): "mailbox",
    ("outreach:receipt", "pk"): "receipt",
    ("mailbox:start", "provider"): "=google",
    ("mailbox:problem", "code"): "=stale",
    ("mailbox:callback", "provider"): "=google",
    ("mailbox:hook", "provider"): "=google",
    ("mailbox:stop", "token"): "=nobody-has-minted-this",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {
    "outreach:mailbox": frozenset({"mailbox_mailbox.signature"}),
}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = set()


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "mailbox:start": {"again": ids["mailbox"]},
        "mailbox:connect": {"again": ids["mailbox"]},
        "outreach:mailbox": {"display_name": "Taken over", "daily_cap": "5"},
        "outreach:mailbox_revoke": {f"keep-{ids['project']}": "keep"},
    }
