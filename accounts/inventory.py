"""What is kept, in which class, why, and until when: every model declares it (promises 33, threats P9, P16).

A model of ours carries `inventory = Kept(…)` in its body; tables of libraries stand in `LIBRARY`. A system
check fails when a table declares nothing. `docs/privacy.md` prints the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.db import models


class Data(models.TextChoices):
    """Who decides about it: we (account), nobody but the operation itself (usage), the customer (content)."""

    ACCOUNT = "account", "Account data"
    USAGE = "usage", "Usage data"
    CONTENT = "content", "Customer content"
    SYSTEM = "system", "About no person"


@dataclass(frozen=True)
class Kept:
    """One line of the inventory. `until` says what the product does today."""

    data: Data
    purpose: str
    until: str


@dataclass(frozen=True)
class Line:
    """A table and what it declares."""

    label: str
    kept: Kept | None


_STAFF = Kept(Data.SYSTEM, "Django's table of rights; holds nothing here", "Empty")

LIBRARY: dict[str, Kept] = {
    "auth.Permission": _STAFF,
    "auth.Group": _STAFF,
    "auth.Group_permissions": _STAFF,
    "accounts.User_groups": _STAFF,
    "accounts.User_user_permissions": _STAFF,
    "contenttypes.ContentType": Kept(Data.SYSTEM, "Names of the tables", "As long as the table"),
    "sessions.Session": Kept(Data.ACCOUNT, "Staying signed in", "Sign-out, or two weeks"),
    "account.EmailAddress": Kept(Data.ACCOUNT, "Which addresses a person has proved", "The account's end"),
    "account.EmailConfirmation": Kept(Data.ACCOUNT, "Proof of an address", "The account's end"),
    "mfa.Authenticator": Kept(
        Data.ACCOUNT, "Second factors; secrets are ciphertext", "The person removes it, or the account's end"
    ),
    "usersessions.UserSession": Kept(Data.ACCOUNT, "The list of browsers signed in", "The session's end"),
    "socialaccount.SocialAccount": Kept(
        Data.ACCOUNT, "Sign-in with Google or Microsoft", "The person ends it, or the account's end"
    ),
    "socialaccount.SocialApp": _STAFF,
    "socialaccount.SocialToken": _STAFF,
}


def lines() -> Iterator[Line]:
    """Every table of the product and what it declares, by name."""
    found = apps.get_models(include_auto_created=True)
    for model in sorted(found, key=lambda model: model._meta.label):
        label = model._meta.label
        kept = model.__dict__.get("inventory", LIBRARY.get(label))
        yield Line(label, kept if isinstance(kept, Kept) else None)


@register()
def every_table_declares(**_: Any) -> list[CheckMessage]:
    return [
        Error(f"{line.label} must declare its class, purpose and retention (inventory)", id="outreach.E030")
        for line in lines()
        if line.kept is None
    ]
