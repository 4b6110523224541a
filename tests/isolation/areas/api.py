"""The API."""

from __future__ import annotations

from typing import Any

from tests.isolation.rules import MEMBER, VIEWER, Call

_READ, _PEOPLE, _CAMPAIGNS = "read", "contacts:write", "campaigns:write"
API: dict[str, dict[str, Call]] = {
    "api:me": {"GET": Call(VIEWER)},
    "api:workspaces": {"GET": Call(VIEWER, _READ)},
    "api:workspace": {"GET": Call(VIEWER, _READ)},
    "api:projects": {"GET": Call(VIEWER, _READ)},
    "api:project": {"GET": Call(VIEWER, _READ, project=True)},
    "api:contacts": {"GET": Call(VIEWER, _READ), "POST": Call(MEMBER, "contacts:write")},
    "api:contact": {"GET": Call(VIEWER, _READ)},
    "api:groups": {"GET": Call(VIEWER, _READ), "POST": Call(MEMBER, "contacts:write")},
    "api:group": {
        "GET": Call(VIEWER, _READ),
        "PATCH": Call(MEMBER, "contacts:write"),
        "DELETE": Call(MEMBER, "contacts:write"),
    },
    "api:group_people": {"POST": Call(MEMBER, "contacts:write")},
    "api:group_people_out": {"POST": Call(MEMBER, "contacts:write")},
    "api:imports": {"GET": Call(MEMBER, _READ), "POST": Call(MEMBER, _PEOPLE)},
    "api:import": {"GET": Call(MEMBER, _READ)},
    "api:import_match": {"POST": Call(MEMBER, _PEOPLE)},
    "api:import_store": {"POST": Call(MEMBER, _PEOPLE)},
    "api:import_cancel": {"POST": Call(MEMBER, _PEOPLE)},
    "api:import_undo": {"POST": Call(MEMBER, _PEOPLE)},
    "api:import_rejects": {"GET": Call(MEMBER, _READ)},
    "api:mailboxes": {"GET": Call(VIEWER, _READ)},
    "api:mailbox": {"GET": Call(VIEWER, _READ)},
    "api:campaigns": {"GET": Call(VIEWER, _READ), "POST": Call(MEMBER, _CAMPAIGNS, names_project=True)},
    "api:campaign": {
        "GET": Call(VIEWER, _READ, project=True),
        "PATCH": Call(MEMBER, _CAMPAIGNS, project=True),
        "DELETE": Call(MEMBER, _CAMPAIGNS, project=True),
    },
    "api:campaign_readiness": {"GET": Call(VIEWER, _READ, project=True)},
    "api:campaign_pause": {"POST": Call(MEMBER, _CAMPAIGNS, project=True)},
    "api:campaign_resume": {"POST": Call(MEMBER, _CAMPAIGNS, project=True)},
    "api:campaign_cancel": {"POST": Call(MEMBER, _CAMPAIGNS, project=True)},
    "api:steps": {"GET": Call(VIEWER, _READ, project=True)},
    "api:step": {
        "GET": Call(VIEWER, _READ, project=True),
        "PUT": Call(MEMBER, _CAMPAIGNS, project=True),
        "DELETE": Call(MEMBER, _CAMPAIGNS, project=True),
    },
    "api:enrollments": {
        "GET": Call(VIEWER, _READ, project=True),
        "POST": Call(MEMBER, _CAMPAIGNS, project=True),
    },
    "api:enrollment": {
        "GET": Call(VIEWER, _READ, project=True),
        "DELETE": Call(MEMBER, _CAMPAIGNS, project=True),
    },
    "api:enrollment_pause": {"POST": Call(MEMBER, _CAMPAIGNS, project=True)},
    "api:enrollment_go_on": {"POST": Call(MEMBER, _CAMPAIGNS, project=True)},
    "api:enrollment_skip": {"POST": Call(MEMBER, _CAMPAIGNS, project=True)},
    "api:campaign_messages": {"GET": Call(VIEWER, _READ, project=True)},
    "api:message_why": {"GET": Call(VIEWER, _READ, project=True)},
    "api:texts": {"GET": Call(VIEWER, _READ), "POST": Call(MEMBER, "library:write")},
    "api:text": {
        "GET": Call(VIEWER, _READ),
        "PATCH": Call(MEMBER, "library:write"),
        "DELETE": Call(MEMBER, "library:write"),
    },
    "api:campaign_launch": {"POST": Call(MEMBER, "campaigns:launch", project=True)},
}

# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    ("api:workspace", "sid"): "workspace",
    ("api:project", "pk"): "project",
    ("api:contact", "pk"): "contact",
    ("api:group", "pk"): "group",
    ("api:mailbox", "pk"): "mailbox",
    ("api:campaign", "pk"): "draft",
    ("api:campaign_messages", "pk"): "running",
    ("api:import", "pk"): "import",
    ("api:step", "pk"): "draft",
    ("api:step", "position"): "=2",
    ("api:enrollment", "pk"): "draft",
    ("api:enrollment", "person"): "enrollment",
    ("api:message", "pk"): "message",
    ("api:text", "pk"): "text",
    ("api:nowhere", "rest"): "=v1/nothing",
}

# Columns that a form may set although `sent` does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {}

# (address, field): an id that is not theirs is left out, as one that is gone would be.
LEAVES_OUT: set[tuple[str, str]] = {
    ("api:group_people", "contacts"),
    ("api:group_people_out", "contacts"),
    ("api:enrollments", "contacts"),
}


def sent(ids: dict[str, str], word: str) -> dict[str, dict[str, Any]]:
    """What a form posts to an address. `ids`: the rows' ids by their names in the house."""
    return {
        "api:contacts": {"address": "new@other.example", "source": "their page"},
        "api:groups": {"kind": "list", "name": "One more"},
        "api:group": {"name": "Taken over"},
        "api:group_people": {"contacts": [ids["contact"]]},
        "api:group_people_out": {"contacts": [ids["contact"]]},
        "api:texts": {"name": "One more", "body": "<p>Other</p>"},
        "api:text": {"name": "Taken over"},
        "api:campaigns": {"name": "One more", "project": ids["project"], "mailbox": ids["mailbox"]},
        "api:campaign": {"name": "Taken over", "mailbox": ids["mailbox"]},
        "api:imports": {"content": "RW1haWwKamFAb3RoZXIuZXhhbXBsZQo=", "source": "their page"},
        "api:step": {"body": "<p>Other</p>"},
        "api:enrollments": {"contacts": [ids["contact"]]},
    }
