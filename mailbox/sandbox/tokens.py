"""Grants, codes, access and refresh tokens of both providers."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass

from mailbox.sandbox.accounts import Account, Accounts
from mailbox.sandbox.refusals import Refusal
from mailbox.sandbox.store import Store

CODE_SECONDS = 600
FOREVER = 4_000_000_000.0


@dataclass(frozen=True)
class Grant:
    """What one consent gave one client. `account` is the mailbox, `scopes` in the provider's long names."""

    pk: int
    account: Account
    client: str
    scopes: tuple[str, ...]
    revoked: bool


# A token's grant, scopes and expiry in unix seconds.
Held = tuple[Grant, tuple[str, ...], float]


@dataclass(frozen=True)
class Code:
    account: Account
    client: str
    redirect_uri: str
    scopes: tuple[str, ...]
    nonce: str
    offline: bool


class Tokens:
    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts
        self._held: dict[tuple[str, str], Held] = {}

    def forget(self) -> None:
        """What is remembered of tokens is old: read them anew."""
        self._held.clear()

    def new_code(self, provider: str, code: Code, challenge: str) -> str:
        text = secrets.token_urlsafe(32)
        self._store.insert(
            "codes",
            code=text,
            provider=provider,
            account=code.account.pk,
            client=code.client,
            redirect_uri=code.redirect_uri,
            scopes=" ".join(code.scopes),
            challenge=challenge,
            nonce=code.nonce,
            offline=int(code.offline),
            expires_at=time.time() + CODE_SECONDS,
        )
        return text

    def use_code(self, provider: str, text: str, *, client: str, redirect_uri: str, verifier: str) -> Code:
        """Trade a code in, once. Raises Refusal(400, 'invalid_grant' | 'redirect_uri_mismatch')."""
        row = self._store.row("SELECT * FROM codes WHERE code = ? AND provider = ?", text, provider)
        if row is None or not self._store.change("DELETE FROM codes WHERE code = ?", text):
            raise Refusal(400, "invalid_grant", "Malformed auth code.")
        if row["expires_at"] < time.time() or row["client"] != client:
            raise Refusal(400, "invalid_grant", "Bad Request")
        if row["redirect_uri"] != redirect_uri:
            raise Refusal(400, "redirect_uri_mismatch", "Bad Request")
        if row["challenge"] and row["challenge"] != s256(verifier):
            raise Refusal(
                400, "invalid_grant", "Invalid code verifier." if verifier else "Missing code verifier."
            )
        return Code(
            account=self._accounts.get(row["account"]),
            client=client,
            redirect_uri=redirect_uri,
            scopes=tuple(row["scopes"].split()),
            nonce=row["nonce"],
            offline=bool(row["offline"]),
        )

    def new_grant(self, account: Account, client: str, scopes: tuple[str, ...]) -> Grant:
        pk = self._store.insert("grants", account=account.pk, client=client, scopes=" ".join(scopes))
        return Grant(pk, account, client, scopes, revoked=False)

    def new_refresh(self, grant: Grant) -> str:
        text = ("1//0g" if grant.account.provider == "google" else "M.C5_SBX.") + secrets.token_urlsafe(48)
        self._keep(text, "refresh", grant, grant.scopes, FOREVER)
        return text

    def new_access(self, grant: Grant, scopes: tuple[str, ...], seconds: int) -> str:
        text = ("ya29.a0" if grant.account.provider == "google" else "EwBI") + secrets.token_urlsafe(80)
        self._keep(text, "access", grant, scopes, time.time() + seconds)
        return text

    def refreshable(self, token: str, *, client: str) -> Grant | None:
        """The living grant behind a refresh token of this client."""
        found = self.holder(token, "refresh")
        return found[0] if found and found[0].client == client and not found[0].revoked else None

    def holder(self, token: str, kind: str) -> Held | None:
        """Grant, scopes and expiry of any token ever issued, dead ones too."""
        found = self._held.get((token, kind)) or self._look_up(token, kind)
        if found:
            self._held[token, kind] = found
        return found

    def _look_up(self, token: str, kind: str) -> Held | None:
        row = self._store.row(
            "SELECT t.scopes AS token_scopes, t.expires_at, g.* FROM tokens t "
            "JOIN grants g ON g.pk = t.grant_pk WHERE t.token = ? AND t.kind = ?",
            token,
            kind,
        )
        if row is None:
            return None
        account = self._accounts.get(row["account"])
        grant = Grant(row["pk"], account, row["client"], tuple(row["scopes"].split()), bool(row["revoked"]))
        return grant, tuple(row["token_scopes"].split()), row["expires_at"]

    def revoke(self, account: Account, client: str | None = None) -> int:
        """End every grant of an account (and client): its refresh and access tokens all die."""
        self.forget()
        if client is None:
            return self._store.change(
                "UPDATE grants SET revoked = 1 WHERE account = ? AND revoked = 0", account.pk
            )
        return self._store.change(
            "UPDATE grants SET revoked = 1 WHERE account = ? AND client = ? AND revoked = 0",
            account.pk,
            client,
        )

    def living_grants(self, account: Account) -> int:
        row = self._store.row("SELECT count(*) FROM grants WHERE account = ? AND revoked = 0", account.pk)
        return int(row[0]) if row else 0

    def expire_access(self, account: Account) -> None:
        """Make the access tokens of an account old; refresh tokens live on."""
        self.forget()
        self._store.change(
            "UPDATE tokens SET expires_at = 0 WHERE kind = 'access' AND grant_pk IN "
            "(SELECT pk FROM grants WHERE account = ?)",
            account.pk,
        )

    def _keep(self, token: str, kind: str, grant: Grant, scopes: tuple[str, ...], expires_at: float) -> None:
        self._store.insert(
            "tokens",
            token=token,
            kind=kind,
            grant_pk=grant.pk,
            scopes=" ".join(scopes),
            expires_at=expires_at,
        )


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def client_credentials(authorization: str, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret from HTTP Basic or from the form."""
    if authorization.startswith("Basic "):
        try:
            name, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
        except ValueError:
            return "", ""
        return name, secret
    return form.get("client_id", ""), form.get("client_secret", "")
