"""What is asked at every address beside who may come, which is tests/isolation/test_matrix.py (threats T32).

Generated from the URL configuration: a new address is tested by being there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User, Workspace
from tests.isolation import checks
from tests.isolation.addresses import Address, every_address, inside
from tests.isolation.expected import API
from tests.isolation.house import House, furnished

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
NOBODY = "ffffffff-ffff-ffff-ffff-ffffffffffff"
NASTY = ["\x00", "9" * 40, "²", "' OR [\u2028", NOBODY]
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def house(ws: Workspace, owner: User, signed_in: SignedIn) -> House:
    return furnished(ws, owner, signed_in)


@pytest.fixture
def boss(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


@pytest.fixture
def everywhere() -> list[Address]:
    return inside(every_address())


def test_it_guards_every_view(everywhere: list[Address]) -> None:
    assert len(everywhere) > 60
    assert checks.unguarded(everywhere) == []


def test_it_is_not_there_for_a_switched_off_person(
    house: House, boss: Client, member: User, everywhere: list[Address]
) -> None:
    client = house.signed_in(member)
    User.objects.filter(pk=member.pk).update(is_active=False)
    answers = {client.get(house.url(address)).status_code for address in everywhere}
    assert answers == {302}


def test_it_wants_a_token_with_every_form(
    house: House, boss: Client, owner: User, everywhere: list[Address]
) -> None:
    assert checks.without_token(house, owner, boss, everywhere) == []


def parameters() -> set[str]:
    """The names that views read from a query or a form, found in their source."""
    found: set[str] = set()
    for path in [
        *(ROOT / "outreach/views").glob("*.py"),
        *(ROOT / "accounts/views").glob("*.py"),
        ROOT / "mailbox/views.py",
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                first = node.args[0]
                of_request = isinstance(node.func.value, ast.Attribute) and node.func.value.attr in (
                    "GET",
                    "POST",
                )
                if of_request and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


@pytest.mark.parametrize("value", NASTY)
def test_it_stands_every_parameter(value: str, house: House, boss: Client, everywhere: list[Address]) -> None:
    names = parameters()
    assert {"q", "page", "show", "reply", "again"} <= names
    assert checks.crashes(house, boss, everywhere, names, [value]) == []


def test_it_lets_no_cache_keep_a_page(house: House, boss: Client, everywhere: list[Address]) -> None:
    """What one person saw is not kept for the next: neither by a proxy nor by a browser without asking."""
    for address in everywhere:
        kept = checks.ask(boss, "GET", house.url(address), house.fields(address)).headers.get(
            "Cache-Control", ""
        )
        assert "private" in kept, address.name
        assert "no-cache" in kept or "no-store" in kept, address.name


@pytest.mark.parametrize("slug", ["a%00b", "%F0%9F%A6%8A", "..", "a'b", "x" * 300])
def test_it_stands_every_slug(slug: str, boss: Client) -> None:
    boss.raise_request_exception = False
    with transaction.atomic():
        assert boss.get(f"/w/{slug}/").status_code == 404


def test_it_takes_no_bare_cookie_for_the_api(house: House, ws: Workspace, owner: User) -> None:
    """A key, or a session with a CSRF token: never a session alone (T32)."""
    client = Client(enforce_csrf_checks=True, headers={"X-Workspace": ws.sid})
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    writing = [a for a in every_address() if a.is_api and "POST" in API[a.name]]
    assert writing
    for address in writing:
        answer = client.post(house.path(address), house.fields(address), content_type="application/json")
        assert (address.name, answer.status_code) == (address.name, 403)


def test_it_has_a_row_for_every_argument(house: House) -> None:
    for address in every_address():
        assert set(house.arguments(address)) == set(address.arguments)


def test_it_notices_an_address_without_a_row(house: House) -> None:
    new = Address("outreach:brand_new", "w/<slug:slug>/new/<uuid:pk>/", {"pk": "UUIDConverter"}, lambda: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(LookupError, match="no row is registered"):
        house.url(new)
