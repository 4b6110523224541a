"""Keys for tests: one for each scope, and the headers that carry them. The workspace is opened here."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from django.test import Client

from accounts import keys
from accounts.keys import Minted
from accounts.models import Membership, Role, User, Workspace
from accounts.tenancy import uuid7, workspace

LISTS = ["workspaces", "projects", "contacts", "mailboxes", "campaigns", "texts", "groups"]


def owner_of(here: Workspace) -> User:
    return Membership.objects.get(workspace=here, role=Role.OWNER).user


def make_key(here: Workspace, scopes: Iterable[str] = tuple(keys.Scope.values), **values: Any) -> Minted:
    """A key with these scopes (all of them, where none is named), made by the workspace's owner."""
    with workspace(here):
        return keys.mint(
            **{"name": "Test", "scopes": scopes, "actor": owner_of(here), "pk": uuid7(), **values}
        )


def key_of_each_scope(here: Workspace) -> dict[str, str]:
    """Scope → the secret of a key that has this scope only; "" → one that has none."""
    return {scope: make_key(here, [scope] if scope else []).secret for scope in ["", *keys.Scope.values]}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(user: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def with_key(secret: str) -> Client:
    """A client that sends this key with each request; every refused POST would need no CSRF token."""
    return Client(headers=bearer(secret), enforce_csrf_checks=True)


def in_session(user: User, here: Workspace) -> Client:
    """A signed-in browser that names the workspace; without CSRF checks, as Django's own test client."""
    client = Client(headers={"X-Workspace": here.sid})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(
        f"/api/v1/{path}", json.dumps({} if body is None else body), content_type="application/json"
    )
