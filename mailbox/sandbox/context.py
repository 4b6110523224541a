"""The parts of a running sandbox, handed to every request."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from mailbox.sandbox.accounts import Accounts
from mailbox.sandbox.certificates import Signer
from mailbox.sandbox.challenges import Challenges
from mailbox.sandbox.clock import Clock
from mailbox.sandbox.faults import Faults
from mailbox.sandbox.jobs import Jobs
from mailbox.sandbox.mailstore import MailStore
from mailbox.sandbox.pushes import Pushes
from mailbox.sandbox.quotas import Quotas
from mailbox.sandbox.settings import Settings
from mailbox.sandbox.store import Store
from mailbox.sandbox.tokens import Tokens


@dataclass
class Sandbox:
    """`settings` is replaced as a whole by the control API; `initial` is what a reset goes back to."""

    settings: Settings
    initial: Settings
    store: Store
    clock: Clock
    signer: Signer
    accounts: Accounts
    mail: MailStore
    tokens: Tokens
    faults: Faults
    jobs: Jobs
    quotas: Quotas = field(default_factory=Quotas)
    running: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    # (provider, address) → how its next ID token lies; organisations in which only an admin approves apps,
    # and those whose admin did.
    forgeries: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)
    challenges: Challenges = field(default_factory=Challenges)
    pushes: Pushes = field(init=False)

    def __post_init__(self) -> None:
        self.pushes = Pushes(self)
        self.mail.listener = self.pushes.noted

    def needs_admin(self, tenant: str) -> bool:
        return tenant in self.gated and tenant not in self.approved


SANDBOX: web.AppKey[Sandbox] = web.AppKey("sandbox", Sandbox)


def open_sandbox(settings: Settings) -> Sandbox:
    """Open or make the ledger in the settings' folder."""
    store = Store(settings.directory / "ledger.sqlite3")
    clock = Clock()
    accounts = Accounts(store)
    return Sandbox(
        settings=settings,
        initial=settings,
        store=store,
        clock=clock,
        signer=Signer(settings.directory),
        accounts=accounts,
        mail=MailStore(store, clock),
        tokens=Tokens(store, accounts),
        faults=Faults(store),
        jobs=Jobs(store, clock),
    )
