"""Grants without a browser, for demo data and tests."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from mailbox.sandbox import google_oauth, microsoft_oauth
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.context import Sandbox
from mailbox.sandbox.settings import GOOGLE_CLIENT, MICROSOFT_CLIENT
from mailbox.sandbox.tokens import Grant

NEVER_A_TARGET = ("openid", "profile", "email", "offline_access")


def issue(
    sandbox: Sandbox, account: Account, *, scopes: Sequence[str] = (), client: str = ""
) -> dict[str, Any]:
    """What a finished consent would have given the app."""
    if account.provider == "google":
        wanted = tuple(scopes) or google_oauth.DEFAULT_SCOPES
        grant = sandbox.tokens.new_grant(account, client or GOOGLE_CLIENT[0], wanted)
        body = google_oauth.answer_body(sandbox, grant)
        refresh_token = sandbox.tokens.new_refresh(grant)
        body |= {"refresh_token": refresh_token, "sub": account.subject}
    else:
        wanted = tuple(scopes) or microsoft_oauth.DEFAULT_SCOPES
        grant = sandbox.tokens.new_grant(account, client or MICROSOFT_CLIENT[0], wanted)
        body = microsoft_oauth.answer_body(sandbox, grant, nonce="")
        body |= {"tid": account.tenant, "oid": account.subject, "msal_cache": msal_cache(grant, body)}
    return {**body, "email": account.email, "name": account.name, "scopes": list(wanted)}


def msal_cache(grant: Grant, body: dict[str, Any]) -> str:
    """The token cache that MSAL would hold after this answer, serialized (its unified schema)."""
    environment, realm, client = "localhost", "common", grant.client
    home = f"{grant.account.subject}.{grant.account.tenant}"
    target = " ".join(sorted(body["scope"].split()))
    now = int(time.time())
    common = {"home_account_id": home, "environment": environment, "client_id": client}
    access = {
        **common,
        "credential_type": "AccessToken",
        "secret": body["access_token"],
        "target": target,
        "realm": realm,
        "token_type": "Bearer",
        "cached_at": str(now),
        "expires_on": str(now + body["expires_in"]),
        "extended_expires_on": str(now + body["ext_expires_in"]),
    }
    refresh = {
        **common,
        "credential_type": "RefreshToken",
        "secret": body["refresh_token"],
        "target": target,
        "last_modification_time": str(now),
    }
    identity = {**common, "credential_type": "IdToken", "secret": body["id_token"], "realm": realm}
    person = {
        "home_account_id": home,
        "environment": environment,
        "realm": realm,
        "local_account_id": grant.account.subject,
        "username": grant.account.email,
        "authority_type": "MSSTS",
        "account_source": "authorization_code",
    }
    return json.dumps(
        {
            "AccessToken": {_key(home, environment, "accesstoken", client, realm, target): access},
            "RefreshToken": {_key(home, environment, "refreshtoken", client, "", target): refresh},
            "IdToken": {_key(home, environment, "idtoken", client, realm, ""): identity},
            "Account": {f"{home}-{environment}-{realm}".lower(): person},
            "AppMetadata": {
                f"appmetadata-{environment}-{client}": {"client_id": client, "environment": environment}
            },
        }
    )


def _key(*parts: str) -> str:
    return "-".join(parts).lower()
