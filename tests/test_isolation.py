"""Workspaces are apart, and roles hold: every address, every method, every visitor (threats T1-T4, T32).

Generated from the URL configuration: a new address is tested by being there, and one whose row is not
registered in tests/isolation/house.py fails here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Membership, Role, User, Workspace
from tests.isolation import checks
from tests.isolation.addresses import Address, every_address, inside
from tests.isolation.house import House, furnished
from tests.isolation.planted import planted as planted_patterns

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
OUTSIDE = {
    "landing", "new_workspace", "service_mail", "privacy", "cookies", "healthz", "readyz",
    "mailbox:callback", "mailbox:stop", "socialaccount_connections", "social_start", "social_callback",
    "tracking:pixel", "tracking:click", "tracking:opt_out",
    "account_signup", "account_login", "account_logout", "account_inactive", "account_reauthenticate",
    "account_change_password", "account_set_password", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
    "account_email", "account_email_verification_sent", "account_confirm_email", "account_confirm_login_code",
    "profile", "sign_ins", "sign_ins_end", "go_on", "sign_in_again",
    "mfa_index", "mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp",
    "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
    "mfa_list_webauthn", "mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn",
    "mfa_edit_webauthn", "mfa_login_webauthn",
    "api:schema", "api:docs", "api:nowhere", "join",
}  # fmt: skip
# A person's own name is theirs to change, whatever their role; the workspace's half of the page is not.
ADMINS_ONLY = {"settings", "outreach:mailbox", "outreach:mailbox_revoke"}
# Whoever is here may go.
THEIR_OWN = {"leave"}
# The download is written into the activity log.
WRITES_ON_GET = {"outreach:disavow": ["accounts_auditevent", "accounts_audittext"]}
NOBODY = "ffffffff-ffff-ffff-ffff-ffffffffffff"
NASTY = ["\x00", "9" * 40, "²", "' OR [\u2028", NOBODY]
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def house(ws: Workspace, owner: User, signed_in: SignedIn) -> House:
    return furnished(ws, owner, signed_in)


@pytest.fixture
def theirs(stranger: User) -> Workspace:
    return Membership.objects.get(user=stranger).workspace


@pytest.fixture
def boss(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


@pytest.fixture
def everywhere() -> list[Address]:
    return inside(every_address())


def test_it_knows_every_address_outside_a_workspace() -> None:
    outside = [a for a in every_address() if not a.is_inside and not a.is_api]
    assert {address.name for address in outside} == OUTSIDE
    assert [address.name for address in outside if address.takes_rows] == []


def test_it_guards_every_view(everywhere: list[Address]) -> None:
    assert len(everywhere) > 60
    assert checks.unguarded(everywhere) == []


def test_it_has_a_row_for_every_argument(house: House, boss: Client, everywhere: list[Address]) -> None:
    assert checks.unreachable(house, boss, everywhere) == []


def test_it_leads_the_signed_out_to_the_sign_in(
    house: House, boss: Client, everywhere: list[Address]
) -> None:
    assert checks.open_to_signed_out(house, boss, everywhere) == []


def test_it_is_not_there_for_strangers(
    house: House, boss: Client, stranger: User, everywhere: list[Address]
) -> None:
    assert checks.open_to("a stranger", house.signed_in(stranger), house, boss, everywhere) == []


def test_it_is_not_there_for_ex_members(
    house: House, boss: Client, ex_member: User, everywhere: list[Address]
) -> None:
    assert checks.open_to("an ex-member", house.signed_in(ex_member), house, boss, everywhere) == []


def test_it_is_not_there_for_a_switched_off_person(
    house: House, boss: Client, member: User, everywhere: list[Address]
) -> None:
    client = house.signed_in(member)
    User.objects.filter(pk=member.pk).update(is_active=False)
    answers = {client.get(house.url(address)).status_code for address in everywhere}
    assert answers == {302}


def test_it_gives_a_stranger_nothing_under_their_own_slug(
    house: House, boss: Client, stranger: User, theirs: Workspace, everywhere: list[Address]
) -> None:
    assert checks.leaks(house, house.signed_in(stranger), theirs, boss, everywhere) == []


def test_it_takes_no_row_of_ours_in_their_forms(
    house: House, stranger: User, theirs: Workspace, signed_in: SignedIn, everywhere: list[Address]
) -> None:
    other = furnished(theirs, stranger, signed_in)
    assert checks.adopted(house, other, signed_in(stranger), everywhere) == []


def test_it_refuses_every_form_to_viewers(
    house: House, boss: Client, viewer: User, everywhere: list[Address]
) -> None:
    forms = [address for address in everywhere if address.name not in THEIR_OWN]
    assert checks.writable_by_viewers(house, house.signed_in(viewer), boss, forms) == []


def test_it_holds_every_role_to_its_views(
    house: House, boss: Client, admin: User, member: User, viewer: User, everywhere: list[Address]
) -> None:
    clients = {
        Role.OWNER: boss,
        Role.ADMIN: house.signed_in(admin),
        Role.MEMBER: house.signed_in(member),
        Role.VIEWER: house.signed_in(viewer),
    }
    assert checks.below_their_role(house, clients, everywhere, narrower=ADMINS_ONLY) == []


def test_it_keeps_what_is_the_admins_from_members(
    house: House, member: User, admin: User, everywhere: list[Address]
) -> None:
    only = [address for address in everywhere if address.name in ADMINS_ONLY]
    assert len(only) == len(ADMINS_ONLY)
    mine, theirs = house.signed_in(member), house.signed_in(admin)
    for address in only:
        url, fields = house.url(address), house.fields(address)
        answer, changed = checks.stays(house, mine, "POST", url, fields)
        assert (address.name, answer.status_code, changed) == (address.name, 403, [])
        assert checks.ask(theirs, "POST", url, fields).status_code in (302, 422), address.name


def test_it_changes_nothing_by_reading(house: House, boss: Client, everywhere: list[Address]) -> None:
    allowed = [f"GET {name} changes {table}" for name, tables in WRITES_ON_GET.items() for table in tables]
    assert checks.written_by_reading(house, boss, everywhere) == allowed


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


# --- planted mistakes: each check can turn red ------------------------------------------------------------


@pytest.fixture
def planted(settings: Any) -> dict[str, Address]:
    settings.ROOT_URLCONF = "tests.isolation.planted"
    return {address.name.partition("-")[2]: address for address in every_address(planted_patterns)}


def test_it_notices_a_view_without_a_role(planted: dict[str, Address], house: House, boss: Client) -> None:
    bare = [planted["bare"]]
    assert checks.unguarded(bare) == ["planted-bare: no least role"]
    assert checks.open_to_signed_out(house, boss, bare) != []


def test_it_notices_a_view_around_the_manager(
    planted: dict[str, Address], house: House, boss: Client, stranger: User, theirs: Workspace
) -> None:
    found = checks.leaks(house, house.signed_in(stranger), theirs, boss, [planted["unscoped"]])
    name = "planted-unscoped"
    assert found == [
        f"GET {name}: our ids under their slug give 200",
        f"GET {name}: our words under their slug",
        f"POST {name}: our ids under their slug give 200",
        f"POST {name}: our words under their slug",
        f"POST {name}: a stranger changes outreach_contact",
    ]


def test_it_notices_a_form_that_takes_any_row(
    planted: dict[str, Address], house: House, stranger: User, theirs: Workspace, signed_in: SignedIn
) -> None:
    other = furnished(theirs, stranger, signed_in)
    found = checks.adopted(house, other, signed_in(stranger), [planted["adopts"]])
    assert found == ["POST planted-adopts: an id of ours in its form, Contact.site"]


def test_it_notices_viewers_who_write(
    planted: dict[str, Address], house: House, boss: Client, viewer: User
) -> None:
    found = checks.writable_by_viewers(house, house.signed_in(viewer), boss, [planted["too_kind"]])
    name = "planted-too_kind"
    assert found == [f"POST {name}: a viewer gets 200", f"POST {name}: a viewer changes outreach_contact"]


def test_it_notices_a_get_that_writes(planted: dict[str, Address], house: House, boss: Client) -> None:
    found = checks.written_by_reading(house, boss, [planted["writes_on_get"]])
    assert found == ["GET planted-writes_on_get changes outreach_contact"]


def test_it_notices_a_form_without_a_token(
    planted: dict[str, Address], house: House, boss: Client, owner: User
) -> None:
    found = checks.without_token(house, owner, boss, [planted["without_token"]])
    assert found == ["POST planted-without_token: without a token it answers 200"]


def test_it_notices_a_page_that_falls_over(planted: dict[str, Address], house: House, boss: Client) -> None:
    assert checks.crashes(house, boss, [planted["falls_over"]], {"page"}, ["²"]) != []


def test_it_notices_an_address_without_a_row(house: House) -> None:
    new = Address("outreach:brand_new", "w/<slug:slug>/new/<uuid:pk>/", {"pk": "UUIDConverter"}, lambda: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(LookupError, match="no row is registered"):
        house.url(new)
