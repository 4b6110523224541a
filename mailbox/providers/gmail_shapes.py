"""Gmail's JSON in our words, and the inside of its cursor."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from mailbox.providers import inbound, outgoing
from mailbox.types import Cursor, InboundHeader, SentEmail


class Place:
    """The cursor's inside. `at`: the provider's clock when it was good; `since` and `before` bound a
    search that is under way (unix seconds, 0: none)."""

    def __init__(self, history: str, at: int, *, since: int = 0, before: int = 0) -> None:
        self.history = history
        self.at = at
        self.since = since
        self.before = before

    @property
    def cursor(self) -> Cursor:
        return Cursor(json.dumps([self.history, self.at, self.since, self.before]))

    @classmethod
    def read(cls, cursor: Cursor | None) -> Place | None:
        try:
            history, at, since, before = json.loads(cursor or "")
            return cls(str(history), int(at), since=int(since), before=int(before))
        except (ValueError, TypeError):
            return None


def labels(shape: dict[str, Any]) -> list[str]:
    return list(shape.get("labelIds", []))


def pairs(shape: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["name"], one["value"]) for one in shape.get("payload", {}).get("headers", [])]


def value(shape: dict[str, Any], wanted: str) -> str:
    return next((text for name, text in pairs(shape) if name.lower() == wanted.lower()), "").strip()


def tag(shape: dict[str, Any]) -> str:
    return value(shape, outgoing.KEY_HEADER)


def is_to(shape: dict[str, Any], address: str) -> bool:
    return address.lower() in value(shape, "To").lower()


def received(shape: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(shape.get("internalDate", 0)) / 1000, UTC)


def sent_email(shape: dict[str, Any]) -> SentEmail:
    return SentEmail(str(shape["id"]), str(shape.get("threadId", "")), value(shape, "Message-ID"))


def header(shape: dict[str, Any]) -> InboundHeader:
    return inbound.header_of(
        pairs(shape),
        provider_id=str(shape["id"]),
        thread_id=str(shape.get("threadId", "")),
        received_at=received(shape),
        own="SENT" in labels(shape),
        size=int(shape.get("sizeEstimate", 0)),
    )
