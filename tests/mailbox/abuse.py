"""Forty and more ways to get a mailbox, or an account, to where it does not belong. None may be accepted.

Each case is a function of a `Scene`: what the attacker does, and what the person in front of the last page
reads. It returns that page; the suite then looks whether anything was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.models import Membership, Role, User, Workspace
from accounts.tenancy import workspace
from tests.mailbox.consenting import begin, decide
from tests.mailbox.sandbox.conftest import Running

VICTIM = "vic@victim.example"
STALE = "This sign-in cannot be used"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass
class Scene:
    """Two people in one workspace, a stranger in another, and the simulated provider."""

    ws: Workspace
    theirs: Workspace
    owner: User
    member: User
    stranger: User
    providers: Running
    later: Callable[..., None]
    settings: Any
    monkeypatch: Any

    def browser(self, user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend=BACKEND)
        return client

    def consented(self, client: Client, provider: str, email: str = VICTIM, **more: Any) -> dict[str, str]:
        """Begun in this browser and agreed to at the provider: the answer on its way back."""
        return decide(begin(client, self.ws, provider), email=email, **more)

    def forge(self, provider: str, claims: dict[str, Any] | None = None, sign: str = "") -> None:
        self.providers.post("forge", provider=provider, email=VICTIM, claims=claims or {}, sign=sign)

    def leave(self, user: User) -> None:
        with workspace(self.ws):
            Membership.objects.filter(user=user, workspace=self.ws).delete()

    def lower(self, user: User) -> None:
        Membership.objects.filter(user=user, workspace=self.ws).update(role=Role.VIEWER)


@dataclass(frozen=True)
class Case:
    """`says` stands on the last page, or its status is `status`."""

    name: str
    act: Callable[[Scene], Any]
    says: str = STALE
    status: int = 0


CASES: list[Case] = []


def case(
    name: str, *, says: str = STALE, status: int = 0
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """One case for each provider, unless the name is of one."""

    def keep(act: Callable[..., Any]) -> Callable[..., Any]:
        for provider in ("google", "microsoft"):
            bound = lambda scene, provider=provider: act(scene, provider)  # noqa: E731
            CASES.append(Case(f"{name} ({provider})", bound, says, status))
        return act

    return keep
