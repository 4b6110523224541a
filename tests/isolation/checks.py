"""What each kind of visitor meets at every address; a check gives sentences, none when all is well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts.models import Role, User, Workspace
from tests.isolation.addresses import Address, methods
from tests.isolation.house import WORD, House, crossings, moved, print_of

SIGN_IN = "/accounts/login/"


def ask(client: Client, method: str, url: str, fields: dict[str, Any]) -> HttpResponse:
    """One request, and nothing of what it did is left. A crash is an answer like any other: 500."""
    client.raise_request_exception = False
    with transaction.atomic():
        answer = client.generic(method, url) if method not in ("GET", "POST") else None
        if answer is None:
            answer = client.get(url, fields) if method == "GET" else client.post(url, fields)
        body = b"".join(answer) if answer.streaming else answer.content
        found = HttpResponse(body, status=answer.status_code, headers=dict(answer.headers))
        transaction.set_rollback(True)
    return found


def stays(
    house: House, client: Client, method: str, url: str, fields: dict[str, Any]
) -> tuple[Any, list[str]]:
    """(the answer, the tables of our workspace that the request changed)."""
    client.raise_request_exception = False
    before = print_of(house.here)
    with transaction.atomic():
        answer = client.get(url, fields) if method == "GET" else client.post(url, fields)
        if answer.status_code >= 500:
            transaction.set_rollback(True)
            return answer, []
        changed = moved(before, print_of(house.here)) + crossings()
        transaction.set_rollback(True)
    return answer, changed


def unguarded(addresses: Iterable[Address]) -> list[str]:
    """Every view below /w/ says the least role that it needs (deny by default, threats T3)."""
    return [f"{a.name}: no least role" for a in addresses if not isinstance(a.least_role, Role)]


def unreachable(house: House, owner: Client, addresses: Iterable[Address]) -> list[str]:
    """The control: each registered row is found and each form is taken by somebody who may."""
    wrong = []
    for address in addresses:
        url = house.url(address)
        for method in sorted(methods(owner, url, address)):
            status = ask(owner, method, url, house.fields(address)).status_code
            if status not in (200, 204, 302, 422):
                wrong.append(f"{method} {address.name}: the owner gets {status}")
    return wrong


def open_to_signed_out(house: House, owner: Client, addresses: Iterable[Address]) -> list[str]:
    wrong = []
    for address in addresses:
        url = house.url(address)
        for method in sorted(methods(owner, url, address)):
            answer, changed = stays(house, Client(), method, url, house.fields(address))
            led = answer.status_code == 302 and answer.headers["Location"].startswith(SIGN_IN)
            if not (led or (method != "GET" and answer.status_code in (401, 403))):
                wrong.append(f"{method} {address.name}: a signed-out visitor gets {answer.status_code}")
            wrong += [f"{method} {address.name}: a signed-out visitor changes {table}" for table in changed]
    return wrong


def open_to(who: str, client: Client, house: House, owner: Client, addresses: Iterable[Address]) -> list[str]:
    """A person who is no member finds nothing at our address."""
    wrong = []
    for address in addresses:
        url = house.url(address)
        for method in sorted(methods(owner, url, address)):
            answer, changed = stays(house, client, method, url, house.fields(address))
            if answer.status_code != 404:
                wrong.append(f"{method} {address.name}: {who} gets {answer.status_code}")
            wrong += [f"{method} {address.name}: {who} changes {table}" for table in changed]
    return wrong


def leaks(
    house: House, client: Client, theirs: Workspace, owner: Client, addresses: Iterable[Address]
) -> list[str]:
    """A stranger under their own slug: our ids in the path are not there, in a form they do nothing."""
    wrong = []
    for address in addresses:
        url = house.url(address, theirs.slug)
        for method in sorted(methods(owner, house.url(address), address)):
            answer, changed = stays(house, client, method, url, house.fields(address))
            if answer.status_code >= 500 or (address.takes_rows and answer.status_code != 404):
                wrong.append(f"{method} {address.name}: our ids under their slug give {answer.status_code}")
            if WORD.encode() in answer.content:
                wrong.append(f"{method} {address.name}: our words under their slug")
            wrong += [f"{method} {address.name}: a stranger changes {table}" for table in changed]
    return wrong


def writable_by_viewers(
    house: House, viewer: Client, owner: Client, addresses: Iterable[Address]
) -> list[str]:
    """Who may only read is refused each form, whatever it would have done."""
    wrong = []
    for address in addresses:
        url = house.url(address)
        for method in sorted(methods(owner, url, address) - {"GET"}):
            answer, changed = stays(house, viewer, method, url, house.fields(address))
            if answer.status_code != 403:
                wrong.append(f"{method} {address.name}: a viewer gets {answer.status_code}")
            wrong += [f"{method} {address.name}: a viewer changes {table}" for table in changed]
    return wrong


def below_their_role(
    house: House, clients: dict[Role, Client], addresses: Iterable[Address], *, narrower: set[str]
) -> list[str]:
    """Each role meets 403 below the least one that a view names, and is let in from there on.

    `narrower` are addresses that look at the row as well: members at their own mailbox only.
    """
    wrong = []
    for address in addresses:
        url = house.url(address)
        for method in sorted(methods(clients[Role.OWNER], url, address)):
            for role, client in clients.items():
                status = ask(client, method, url, house.fields(address)).status_code
                least = Role(address.least_role or Role.OWNER)
                if role.rank < least.rank and status != 403:
                    wrong.append(f"{method} {address.name}: {role.value} gets {status}, needs {least.value}")
                if (
                    method == "GET"
                    and role.rank >= least.rank
                    and status == 403
                    and address.name not in narrower
                ):
                    wrong.append(f"GET {address.name}: {role.value} is refused")
    return wrong


def written_by_reading(house: House, owner: Client, addresses: Iterable[Address]) -> list[str]:
    """A GET changes nothing, also with a form's fields in it: any page can start one, without a token."""
    wrong = []
    for address in addresses:
        url = house.url(address)
        if "GET" not in methods(owner, url, address):
            continue
        _, changed = stays(house, owner, "GET", url, house.fields(address))
        wrong += [f"GET {address.name} changes {table}" for table in changed]
    return wrong


def without_token(house: House, who: User, owner: Client, addresses: Iterable[Address]) -> list[str]:
    """A form that did not come from our page is refused (threats T32)."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(who, backend="allauth.account.auth_backends.AuthenticationBackend")
    wrong = []
    for address in addresses:
        url = house.url(address)
        for method in sorted(methods(owner, url, address) - {"GET"}):
            status = ask(client, method, url, house.fields(address)).status_code
            if status != 403:
                wrong.append(f"{method} {address.name}: without a token it answers {status}")
    return wrong


def crashes(
    house: House, owner: Client, addresses: Iterable[Address], names: set[str], values: Iterable[str]
) -> list[str]:
    """No value of any parameter, and no field of any form, makes a page fall over."""
    wrong = []
    for address in addresses:
        url = house.url(address)
        for method in sorted(methods(owner, url, address)):
            for value in values:
                fields = (
                    {**house.fields(address), **dict.fromkeys(names, value)}
                    if method == "GET"
                    else {**dict.fromkeys(names, value), **dict.fromkeys(house.fields(address), value)}
                )
                status = ask(owner, method, url, fields).status_code
                if status >= 500:
                    wrong.append(f"{method} {address.name}: {value[:20]!r} gives {status}")
    return wrong


def adopted(house: House, other: House, client: Client, addresses: Iterable[Address]) -> list[str]:
    """Ids of our rows in the fields of somebody else's forms: nothing of ours moves, nothing points to us."""
    wrong = []
    for address in addresses:
        url = other.url(address)
        for method in sorted(methods(client, url, address)):
            answer, changed = stays(house, client, method, url, house.fields(address))
            if answer.status_code >= 500:
                wrong.append(f"{method} {address.name}: an id of ours in its form gives {answer.status_code}")
            wrong += [f"{method} {address.name}: an id of ours in its form, {what}" for what in changed]
    return wrong
