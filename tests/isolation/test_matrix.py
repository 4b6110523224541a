"""Every address, every method, every visitor: each cell as expected.py declares it (S1, T1-T4).

Generated from the URL configuration: a new address is tested by being there, and is red until it is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.keys import Scope
from tests.isolation import cells
from tests.isolation.addresses import every_address
from tests.isolation.canaries import CODES, mark_of, text_columns
from tests.isolation.house import tenant_models
from tests.isolation.probes import strays, written_astray
from tests.isolation.world import DEAD, SCOPES, Visitor, World, kept
from tests.roles import as_owner

pytestmark = pytest.mark.django_db
Property = Callable[[str, object], None]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One for all: each cell is rolled back, and the whole at the end."""
    with django_db_blocker.unblock(), kept() as found:
        yield found


def test_it_knows_who_may_come_to_every_address() -> None:
    assert cells.unknown(every_address()) == []


@pytest.mark.parametrize("visitor", list(Visitor), ids=lambda visitor: visitor.value)
def test_it_is_as_declared_for(visitor: Visitor, world: World, record_property: Property) -> None:
    asked = list(cells.every_cell(every_address(), [visitor]))
    assert len(asked) > (50 if visitor in DEAD else 500)
    record_property("cells", len(asked))
    assert [wrong for cell in asked for wrong in cells.run(world, cell)] == []


def test_it_comes_with_a_key_of_every_scope() -> None:
    alone = {scopes[0] for scopes in SCOPES.values() if len(scopes) == 1}
    assert alone == set(Scope.values)


def test_it_has_a_word_in_every_text_column(world: World) -> None:
    """Or the search for words would find nothing because there is nothing to find."""
    bare = []
    for house in (world.ours, world.theirs):
        with world.inside(house):
            for model in tenant_models():
                rows = list(model.objects.all())
                for field in text_columns(model):
                    texts = [str(getattr(row, field.attname)) for row in rows]
                    if not any(mark_of(house, model) in text for text in texts):
                        bare.append(f"{house.word}: {model._meta.db_table}.{field.column}")
    assert bare == []


def test_it_shows_no_row_through_a_manager_to_whom_it_is_not(world: World) -> None:
    """With the second wall up, and with it down: the manager alone is enough."""
    labels = [model._meta.label for model in tenant_models()]
    assert [wrong for label in labels for wrong in strays(world, label)] == []
    with as_owner():
        assert [wrong for label in labels for wrong in strays(world, label)] == []


def test_it_stores_no_row_where_it_does_not_belong(world: World) -> None:
    assert written_astray(world) == []
    with as_owner():
        assert written_astray(world) == []


def test_it_excuses_no_column_that_is_not_there() -> None:
    columns = {f"{m._meta.db_table}.{f.column}" for m in tenant_models() for f in m._meta.concrete_fields}
    assert columns >= CODES
