"""Mail accounts at the two providers, made by the control API or at the consent page."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import asdict, dataclass, replace

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
    """An account never changes once it is made, so all of them are kept in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_pk: dict[int, Account] = {}
        self._by_address: dict[tuple[str, str], Account] = {}
        for row in store.rows("SELECT pk, provider, email, name, subject, tenant FROM accounts"):
            self._remember(Account(*row))

    def get(self, pk: int) -> Account:
        """Raises LookupError."""
        return self._by_pk.get(pk) or _missing(f"account {pk}")

    def find(self, provider: str, email: str) -> Account | None:
        return self._by_address.get((provider, email.strip().lower()))

    def by_email(self, email: str) -> list[Account]:
        found = (self.find(provider, email) for provider in PROVIDERS)
        return [account for account in found if account]

    def all_of(self, provider: str) -> list[Account]:
        return [account for account in self._by_pk.values() if account.provider == provider]

    def forget(self) -> None:
        """The store was emptied."""
        self._by_pk.clear()
        self._by_address.clear()

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
        account = Account(
            pk=0,
            provider=provider,
            email=email,
            name=name or _name_from(email),
            subject=str(draw.randrange(10**20, 10**21)) if google else _guid_from(draw),
            tenant="" if google else _guid_from(tenant_draw),
        )
        values = {name: value for name, value in asdict(account).items() if name != "pk"}
        pk = self._store.insert("accounts", **values, seq=seq, oldest_seq=seq, created_at=time.time())
        return self._remember(replace(account, pk=pk))

    def _remember(self, account: Account) -> Account:
        self._by_pk[account.pk] = account
        self._by_address[account.provider, account.email] = account
        return account


def _missing(what: str) -> Account:
    raise LookupError(what)


def _guid_from(draw: random.Random) -> str:
    pattern = guid()
    return "".join(c if c == "-" else draw.choice("0123456789abcdef") for c in pattern)


def _name_from(email: str) -> str:
    words = email.partition("@")[0].replace(".", " ").replace("_", " ").replace("+", " ").split()
    return " ".join(word.capitalize() for word in words) or email
