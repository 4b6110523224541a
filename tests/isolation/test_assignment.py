"""A form changes what it declares and nothing else, and takes no id of another workspace (threats T2, T4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.isolation.assigning import NASTY, extras, foreign_ids, landed, posted, taken
from tests.isolation.expected import ALSO_TAKEN, LEAVES_OUT
from tests.isolation.world import World, kept

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), kept() as found:
        yield found


def test_it_assigns_no_column_that_a_form_does_not_declare(world: World) -> None:
    more = extras(world)
    assert len(NASTY) == 20
    assert len(more) > 150
    found = {}
    for address, url in posted(world):
        columns = landed(world, address, url, more) - ALSO_TAKEN.get(address.name, frozenset())
        if columns:
            found[address.name] = columns
    assert found == {}


def test_it_refuses_each_foreign_id(world: World) -> None:
    wrong, asked = [], 0
    for address, url, fields, name in foreign_ids(world):
        asked += 1
        status, changed = taken(world, address, url, fields)
        if (address.name, name) not in LEAVES_OUT and status not in (400, 404, 422):
            changed.append("nothing, and says nothing")
        if changed:
            wrong.append(f"{address.name} {name}: {status}, changes {changed}")
    assert asked > 10
    assert wrong == [], "\n".join(wrong)
