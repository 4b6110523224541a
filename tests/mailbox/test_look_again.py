"""What the cursors say of mail to be looked at once more; those of an earlier version are read as before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from mailbox.providers import gmail_shapes, graph_cursor
from mailbox.types import Cursor

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def google(newest: datetime | None) -> Cursor:
    moment = newest.timestamp() if newest else 0
    return gmail_shapes.Place("7", 100, late=["a"], newest=moment).cursor


def microsoft(newest: datetime | None) -> Cursor:
    return graph_cursor.Place(NOON, {"inbox": "link"}, NOON, ["f"], newest).cursor


EACH = pytest.mark.parametrize(
    ("make", "look_again"),
    [(google, gmail_shapes.look_again), (microsoft, graph_cursor.look_again)],
    ids=["google", "microsoft"],
)


@EACH
def test_only_what_came_before_the_newest_asks_for_another_look(make: object, look_again: object) -> None:
    assert callable(make)
    assert callable(look_again)
    on = make(NOON)
    assert look_again(on, NOON + HOUR, seen=make(NOON)) == on
    assert look_again(on, NOON, seen=make(None)) == on
    assert look_again(on, NOON, seen=None) == on
    asked = look_again(on, NOON - HOUR, seen=make(NOON))
    assert asked != on
    # The earliest of several counts.
    assert look_again(asked, NOON - HOUR / 2, seen=make(NOON)) == asked
    assert look_again(asked, NOON - 2 * HOUR, seen=make(NOON)) not in (asked, on)
    assert look_again(Cursor("not ours"), NOON, seen=make(NOON)) == "not ours"


def test_a_cursor_of_an_earlier_version_is_read() -> None:
    old = gmail_shapes.Place.read(Cursor(json.dumps(["7", 100, 0, 0, "a", "b"])))
    assert old is not None
    assert (old.history, old.at, old.late, old.newest, old.again) == ("7", 100, ("a", "b"), 0, 0)
    again = gmail_shapes.Place.read(old.cursor)
    assert again is not None
    assert (again.late, again.newest) == (("a", "b"), 0)
    told = {"at": NOON.timestamp(), "links": {"inbox": "link"}, "swept": None, "places": ["f"]}
    place = graph_cursor.Place.read(Cursor(json.dumps(told)))
    assert place == graph_cursor.Place(NOON, {"inbox": "link"}, NOON, ["f"])
    assert graph_cursor.Place.read(place.cursor) == place
