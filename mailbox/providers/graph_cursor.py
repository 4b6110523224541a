"""The inside of Graph's cursor."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from mailbox.types import Cursor, InboundHeader

_MOMENTS = ("at", "swept", "newest", "again")


@dataclass(frozen=True)
class Place:
    """`at`: the provider's clock when it was good; `links` lead on in each folder that is walked.

    `swept`: when the other folders were last looked through; `places`: ids of the folders that are walked.
    `newest`: when the newest mail came that was looked at; `again`: from where all folders are still to be
    looked through once more.
    """

    at: datetime | None = None
    links: dict[str, str] = field(default_factory=dict)
    swept: datetime | None = None
    places: list[str] = field(default_factory=list)
    newest: datetime | None = None
    again: datetime | None = None

    @property
    def cursor(self) -> Cursor:
        inside: dict[str, Any] = {"links": self.links, "places": self.places}
        for name in _MOMENTS:
            moment = getattr(self, name)
            inside[name] = moment.timestamp() if moment else None
        return Cursor(json.dumps(inside))

    @classmethod
    def read(cls, cursor: Cursor | None) -> Place:
        """An empty one for a text that is none of ours."""
        try:
            told = json.loads(cursor or "")
            at, swept, newest, again = (_moment(told.get(name)) for name in _MOMENTS)
            if at is None:
                return cls()
            places = [str(one) for one in told.get("places", [])]
            return cls(at, dict(told["links"]), swept or at, places, newest, again)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def newest_with(self, headers: Iterable[InboundHeader], now: datetime) -> datetime | None:
        """A mail that was put there with a date to come hides nothing."""
        came = [min(one.received_at, now) for one in headers if not one.own]
        return max([*came, *([self.newest] if self.newest else [])], default=None)


def look_again(cursor: Cursor, since: datetime, *, seen: Cursor | None) -> Cursor:
    """As `ProviderClient.look_again` promises."""
    place, newest = Place.read(cursor), Place.read(seen).newest
    if place.at is None or newest is None or since > newest:
        return cursor
    return replace(place, again=min(place.again or since, since)).cursor


def _moment(told: Any) -> datetime | None:
    return datetime.fromtimestamp(float(told), UTC) if told else None
