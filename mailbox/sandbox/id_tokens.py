"""ID tokens as a provider issues them, or forged ones: the control API plants one false answer."""

from __future__ import annotations

import base64
import json
from typing import Any

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.context import Sandbox

WAYS = ("as it should be", "none", "other key")


def issue(sandbox: Sandbox, account: Account, claims: dict[str, Any]) -> str:
    """The signed claims; once other ones, or signed otherwise, where `plant` said so for this account."""
    forgery = sandbox.forgeries.pop((account.provider, account.email), None)
    if forgery is None:
        return sandbox.signer.sign(claims)
    told = {name: value for name, value in {**claims, **forgery["claims"]}.items() if value is not None}
    if forgery["sign"] == "other key":
        return sandbox.signer.sign_as_another(told)
    token = sandbox.signer.sign(told)
    if forgery["sign"] == "none":
        bare = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=")
        return f"{bare.decode()}.{token.split('.')[1]}."
    return token


def plant(sandbox: Sandbox, account: Account, *, claims: dict[str, Any], sign: str) -> None:
    """The account's next ID token: `claims` replace its own (null leaves one out)."""
    if sign not in WAYS:
        raise ValueError(f"sign is one of {', '.join(WAYS)}.")
    sandbox.forgeries[(account.provider, account.email)] = {"claims": claims, "sign": sign}
