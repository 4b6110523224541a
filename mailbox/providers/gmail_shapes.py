"""Gmail's JSON in our words, and the inside of its cursor."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from mailbox.providers import inbound, outgoing
from mailbox.types import Cursor, InboundHeader, SentEmail

MOST_LATE = 50


class Place:
    """The cursor's inside. `at`: the provider's clock when it was good; `since` and `before` bound a
    search that is under way (unix seconds, 0: none). `late`: mails that were told of and not there yet.
    `newest`: when the newest mail came that was looked at; `again`: from where a search is still to be made.
    """

    def __init__(
        self,
        history: str,
        at: int,
        *,
        since: int = 0,
        before: int = 0,
        late: Iterable[str] = (),
        newest: float = 0,
        again: int = 0,
    ) -> None:
        self.history = history
        self.at = at
        self.since = since
        self.before = before
        self.late = tuple(late)[:MOST_LATE]
        self.newest = newest
        self.again = again

    @property
    def cursor(self) -> Cursor:
        place = [self.history, self.at, self.since, self.before, [self.newest, self.again], *self.late]
        return Cursor(json.dumps(place))

    @classmethod
    def read(cls, cursor: Cursor | None) -> Place | None:
        try:
            history, at, since, before, *late = json.loads(cursor or "")
            newest, again = late.pop(0) if late and isinstance(late[0], list) else (0, 0)
            return cls(
                str(history),
                int(at),
                since=int(since),
                before=int(before),
                late=map(str, late),
                newest=float(newest),
                again=int(again),
            )
        except (ValueError, TypeError):
            return None

    def behind(
        self,
        headers: Iterable[InboundHeader],
        gone: Iterable[str],
        now: int,
        *,
        history: str = "",
        at: int = 0,
        since: int = 0,
        before: int = 0,
    ) -> Place:
        """Once these were looked at. A mail that was put there with a date to come hides nothing."""
        came = (min(one.received_at.timestamp(), now) for one in headers if not one.own)
        return Place(
            history or self.history,
            at or self.at,
            since=since,
            before=before,
            late=[one for one in gone if one not in self.late],
            newest=max([self.newest, *came]),
            again=self.again,
        )

    def searching(self) -> Place:
        """At the search that is still to be made; what it finds of ours may ask for another."""
        return Place(self.history, self.at, since=self.again, late=self.late, newest=self.newest)


def look_again(cursor: Cursor, since: datetime, *, seen: Cursor | None) -> Cursor:
    """As `ProviderClient.look_again` promises."""
    place, before = Place.read(cursor), Place.read(seen)
    if place is None or before is None or since.timestamp() > before.newest:
        return cursor
    # `after:` counts in whole seconds.
    wanted = int(since.timestamp()) - 1
    place.again = min(place.again or wanted, wanted)
    return place.cursor


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
