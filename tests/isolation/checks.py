"""What each kind of visitor meets at every address; a check gives sentences, none when all is well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts.models import Role, User
from tests.isolation.addresses import Address, methods
from tests.isolation.house import House

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


def unguarded(addresses: Iterable[Address]) -> list[str]:
    """Every view below /w/ says the least role that it needs (deny by default, threats T3)."""
    return [f"{a.name}: no least role" for a in addresses if not isinstance(a.least_role, Role)]


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
