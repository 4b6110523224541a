"""The matrix has eyes: every mistake of tests/isolation/planted.py turns one of its cells red."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.isolation import cells, checks, expected
from tests.isolation.addresses import Address, every_address
from tests.isolation.assigning import landed
from tests.isolation.cells import Cell
from tests.isolation.planted import RULES
from tests.isolation.planted import planted as planted_patterns
from tests.isolation.world import Visitor, World, kept
from tests.roles import as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), kept() as found:
        yield found


@pytest.fixture
def planted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Address]:
    settings.ROOT_URLCONF = "tests.isolation.planted"
    for name, rule in RULES.items():
        monkeypatch.setitem(expected.INSIDE, f"planted-{name}", rule)
    return {address.name.partition("-")[2]: address for address in every_address(planted_patterns)}


def red(world: World, address: Address, method: str, visitor: Visitor, where: str = "here") -> list[str]:
    found = cells.run(world, Cell(address, method, visitor, where))
    return [line.partition(": ")[2] for line in found]


def test_it_asks_what_nobody_has_declared() -> None:
    new = Address("outreach:brand_new", "w/<slug:slug>/new/", {}, lambda: None)  # type: ignore[arg-type,return-value]
    assert cells.unknown([*every_address(), new]) == ["outreach:brand_new: say in expected.py who may come"]


def test_it_asks_where_an_address_has_gone() -> None:
    fewer = [address for address in every_address() if address.name != "outreach:home"]
    assert cells.unknown(fewer) == ["outreach:home: there is no such address"]


def test_it_notices_a_view_without_a_role(world: World, planted: dict[str, Address]) -> None:
    assert checks.unguarded([planted["bare"]]) == ["planted-bare: no least role"]
    assert red(world, planted["bare"], "GET", Visitor.ANONYMOUS) == ["200 in place of 302"]


def test_it_notices_a_view_that_asks_for_too_little(world: World, planted: dict[str, Address]) -> None:
    assert red(world, planted["too_low"], "GET", Visitor.VIEWER) == ["200 in place of 403"]
    assert red(world, planted["too_low"], "GET", Visitor.ADMIN) == []


def test_it_notices_a_view_around_the_manager(world: World, planted: dict[str, Address]) -> None:
    """With the second wall down, that is; with it up, the row is not there."""
    with as_owner():
        found = red(world, planted["unscoped"], "POST", Visitor.STRANGER, "crossed")
    assert found == ["200 in place of 404", "shows 'kingfisher'", "changes outreach_contact"]


def test_it_notices_a_form_that_takes_any_row(world: World, planted: dict[str, Address]) -> None:
    with as_owner():
        found = red(world, planted["adopts"], "POST", Visitor.STRANGER, "fields")
    assert found == ["changes crossing: Contact.site"]


def test_it_notices_viewers_who_write(world: World, planted: dict[str, Address]) -> None:
    assert red(world, planted["too_kind"], "POST", Visitor.VIEWER) == ["200 in place of 403"]


def test_it_notices_a_get_that_writes(world: World, planted: dict[str, Address]) -> None:
    assert red(world, planted["writes_on_get"], "GET", Visitor.OWNER) == ["changes outreach_contact"]


def test_it_notices_a_page_that_offers_too_much(world: World, planted: dict[str, Address]) -> None:
    found = red(world, planted["offers"], "GET", Visitor.VIEWER)
    assert found == [
        "offers GET outreach:mailbox_revoke, which needs admin",
        "offers POST outreach:project_new, which needs member",
    ]
    assert red(world, planted["offers"], "GET", Visitor.OWNER) == []


def test_it_notices_a_form_that_assigns_everything(world: World, planted: dict[str, Address]) -> None:
    address = planted["assigns"]
    assert landed(world, address, world.ours.url(address), {"country": "XX"}) == {"outreach_contact.country"}


def test_it_notices_a_form_without_a_token(world: World, planted: dict[str, Address]) -> None:
    house, who = world.ours, world.people[Visitor.OWNER]
    found = checks.without_token(house, who, world.client(Visitor.OWNER), [planted["without_token"]])
    assert found == ["POST planted-without_token: without a token it answers 200"]


def test_it_notices_a_page_that_falls_over(world: World, planted: dict[str, Address]) -> None:
    client = world.client(Visitor.OWNER)
    assert checks.crashes(world.ours, client, [planted["falls_over"]], {"page"}, ["²"]) != []
