"""Mail accounts at the two providers, made by the control API or at the consent page."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass

from mailbox.sandbox.refusals import guid
from mailbox.sandbox.store import Store

PROVIDERS = ("google", "microsoft")


@dataclass(frozen=True)
class Account:
    """`subject` is Google's `sub` or Microsoft's `oid`; `tenant` is '' at Google."""

    pk: int
    provider: str
    email: str
    name: str
    subject: str
    tenant: str


class Accounts:
    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, pk: int) -> Account:
        """Raises LookupError."""
        return self._one("pk = ?", pk) or _missing(f"account {pk}")

    def find(self, provider: str, email: str) -> Account | None:
        return self._one("provider = ? AND email = ?", provider, email.strip().lower())

    def by_email(self, email: str) -> list[Account]:
        rows = self._store.rows("SELECT pk FROM accounts WHERE email = ?", email.strip().lower())
        return [self.get(row["pk"]) for row in rows]

    def all_of(self, provider: str) -> list[Account]:
        rows = self._store.rows("SELECT pk FROM accounts WHERE provider = ? ORDER BY pk", provider)
        return [self.get(row["pk"]) for row in rows]

    def ensure(self, provider: str, email: str, name: str = "") -> Account:
        """The account with this address, made now if there is none."""
        email = email.strip().lower()
        found = self.find(provider, email)
        if found:
            return found
        # Identities follow from the address: after a reset the same demo gives the same account.
        draw = random.Random(f"{provider}:{email}")
        domain = email.rpartition("@")[2]
        tenant_draw = random.Random(f"tenant:{domain}")
        google = provider == "google"
        seq = 10_000 + secrets.randbelow(5_000)
        pk = self._store.insert(
            "accounts",
            provider=provider,
            email=email,
            name=name or _name_from(email),
            subject=str(draw.randrange(10**20, 10**21)) if google else _guid_from(draw),
            tenant="" if google else _guid_from(tenant_draw),
            seq=seq,
            oldest_seq=seq,
            created_at=time.time(),
        )
        return self.get(pk)

    def _one(self, where: str, *values: object) -> Account | None:
        columns = "pk, provider, email, name, subject, tenant"
        row = self._store.row(f"SELECT {columns} FROM accounts WHERE {where}", *values)  # noqa: S608
        return Account(*row) if row else None


def _missing(what: str) -> Account:
    raise LookupError(what)


def _guid_from(draw: random.Random) -> str:
    pattern = guid()
    return "".join(c if c == "-" else draw.choice("0123456789abcdef") for c in pattern)


def _name_from(email: str) -> str:
    words = email.partition("@")[0].replace(".", " ").replace("_", " ").replace("+", " ").split()
    return " ".join(word.capitalize() for word in words) or email
