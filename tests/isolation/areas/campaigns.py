"""Campaigns, their people and steps, and mails in doubt."""

from __future__ import annotations

import uuid
from typing import Any

from tests.isolation.rules import MEMBER, VIEWER, Rule, acts, asks, reads, shows

INSIDE: dict[str, Rule] = {
    "outreach:campaigns": reads(VIEWER, project=True),  # SENT asks for one project's
    "outreach:campaign_new": asks(MEMBER),
    "outreach:campaign": reads(VIEWER, project=True),
    "outreach:campaign_log": reads(VIEWER, project=True),
    "outreach:campaign_people": asks(MEMBER, project=True),
    "outreach:campaign_person": reads(VIEWER, project=True),
    "outreach:campaign_remove": asks(MEMBER, project=True),
    "outreach:enrollment_pause": acts(MEMBER, project=True),
    "outreach:enrollment_go_on": acts(MEMBER, project=True),
    "outreach:enrollment_skip": asks(MEMBER, project=True),
    "outreach:enrollments_selected": asks(MEMBER, project=True),
    "outreach:enrollments_move": asks(MEMBER, project=True),
    "outreach:enrollments_move_back": acts(MEMBER, project=True),
    "outreach:hand_edit": asks(MEMBER, project=True),
    "outreach:hand_edit_undo": acts(MEMBER, project=True),
    "outreach:campaign_settings": asks(MEMBER, project=True),
    "outreach:campaign_compose": shows(VIEWER, MEMBER, project=True),
    "outreach:campaign_preview": reads(VIEWER, project=True),
    "outreach:campaign_checks": reads(VIEWER, project=True),
    "outreach:campaign_mode": acts(MEMBER, project=True),
    "outreach:step_new": acts(MEMBER, project=True),
    "outreach:step_delete": asks(MEMBER, project=True),
    "outreach:campaign_launch": asks(MEMBER, project=True),
    "outreach:campaign_test": acts(MEMBER, project=True),
    "outreach:campaign_pause": acts(MEMBER, project=True),
    "outreach:campaign_resume": acts(MEMBER, project=True),
    "outreach:campaign_cancel": asks(MEMBER, project=True),
    "outreach:campaign_duplicate": acts(MEMBER, project=True),
    "outreach:campaign_delete": asks(MEMBER, project=True),
    "outreach:holidays": shows(VIEWER, MEMBER),
    "outreach:holiday_remove": acts(MEMBER),
    "outreach:doubts": shows(VIEWER, MEMBER),
    "outreach:doubt": asks(MEMBER, project=True),
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("outreach:campaign", "pk"): "draft",
    ("outreach:campaign", "person"): "enrollment",
    ("outreach:enrollment", "pk"): "draft",
    ("outreach:enrollment", "person"): "enrollment",
    ("outreach:hand_edit", "pk"): "draft",
    ("outreach:hand_edit", "person"): "enrollment",
    ("outreach:hand_edit", "position"): "=1",
    ("outreach:step", "pk"): "draft",
    ("outreach:step", "position"): "=2",
    ("outreach:holiday", "pk"): "holiday",
    ("outreach:doubt", "pk"): "message",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {
    "outreach:campaign_settings": frozenset(
        {"outreach_campaign.tracks_clicks", "outreach_campaign.tracks_opens"}
    ),
}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = {
    ("outreach:campaign_new", "project"),
    ("outreach:campaign_new", "mailbox"),
    ("outreach:campaign_people", "contact"),
    ("outreach:doubts", "mail"),
}


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "outreach:campaigns": {"project": ids["project"]},
        "outreach:campaign_new": {"name": "One more", "project": ids["project"], "mailbox": ids["mailbox"]},
        "outreach:campaign_settings": {
            "name": "Taken over",
            "mailbox": ids["mailbox"],
            "weekdays": ["1"],
            "window_start": "09:00",
            "window_end": "17:00",
            "timezone": "UTC",
            "observes_holidays": "on",
        },
        "outreach:holidays": {"days": "2031-12-25 Rest"},
        "outreach:campaign_people": {"about": "pick", "contact": [ids["contact"]]},
        "outreach:hand_edit": {"subject": "By hand", "body": "<p>By hand</p>"},
        "outreach:campaign_compose": {
            "subject": "Other",
            "body": "<p>Other</p>",
            "wait_days": "3",
            "working_days": "False",
            "new_thread": "False",
            "condition": "always",
        },
        "outreach:campaign_mode": {"mode": "plain"},
        "outreach:campaign_test": {"compose_id": str(uuid.uuid4())},
        "outreach:doubts": {"decision": "sent", "mail": [ids["message"]]},
        "outreach:doubt": {"decision": "sent"},
    }
