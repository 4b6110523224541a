"""Microsoft's claims challenge: a token that looks good is refused until one is fetched with what it asks.

What continuous access evaluation does after a change of policy, place or password.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.refusals import Refusal

GRAPH_APP = "00000003-0000-0000-c000-000000000000"


@dataclass
class Challenges:
    """Claims asked of an account, by its key, and the tokens that were fetched with them."""

    asked: dict[int, dict[str, Any]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    def ask(self, account: Account, now: int) -> None:
        """From now on; every token handed out until now is too little."""
        self.asked[account.pk] = {"access_token": {"nbf": {"essential": True, "value": str(now)}}}
        self.answered.clear()

    def clear(self) -> None:
        self.asked.clear()
        self.answered.clear()

    def note(self, account: Account, token: str, claims: str) -> None:
        """`claims` as the token request named them: MSAL adds what the client can do."""
        try:
            given = json.loads(claims or "{}").get("access_token", {})
        except (ValueError, AttributeError):
            return
        wanted = self.asked.get(account.pk, {}).get("access_token", {})
        if wanted and all(given.get(name) == value for name, value in wanted.items()):
            self.answered.add(token)

    def check(self, account: Account, token: str, authority: str) -> None:
        """Raises Refusal for a token that was fetched without the claims."""
        claims = self.asked.get(account.pk)
        if claims is None or token in self.answered:
            return
        spelled = base64.b64encode(json.dumps(claims).encode()).decode()
        challenge = (
            f'Bearer realm="", authorization_uri="{authority}/common/oauth2/v2.0/authorize", '
            f'client_id="{GRAPH_APP}", error="insufficient_claims", claims="{spelled}"'
        )
        message = "Continuous access evaluation resulted in challenge with result: InteractionRequired."
        raise Refusal(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})
