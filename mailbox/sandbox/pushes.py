"""What the providers tell of new mail: Pub/Sub pushes for Gmail, change notifications for Graph.

Like the real ones they may be lost, doubled, late and out of order: four settings say how often, drawn from
the seed. Every push stands in the ledger with what became of it.
"""

from __future__ import annotations

import base64
import json
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.settings import LOOPBACK_HOSTS

if TYPE_CHECKING:
    from mailbox.sandbox.context import Sandbox

ISSUER = "https://accounts.google.com"
PUSH_ACCOUNT = "push@sandbox.iam.gserviceaccount.com"
LABELS = {"inbox": "INBOX", "junkemail": "SPAM", "sentitems": "SENT", "drafts": "DRAFT"}
LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")
TRIES = 4
AGAIN = 1.0
PATIENCE = aiohttp.ClientTimeout(total=10)


class HandshakeFailed(Exception):
    """The address did not answer the validation as it has to."""


class Pushes:
    """Who is to be told, and the telling."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._number = 0

    # -- what is watched

    def watch(self, account: Account, labels: list[str], until: float) -> None:
        self.stop(account)
        self._sandbox.store.insert("watches", account=account.pk, labels=" ".join(labels), expires_at=until)

    def stop(self, account: Account) -> None:
        self._sandbox.store.change("DELETE FROM watches WHERE account = ?", account.pk)

    def noted(self, account: Account, kind: str, folder: str, message: str) -> None:
        """A mail came, went or changed: plan what is told of it."""
        now = self._sandbox.clock.now()
        if account.provider == "google":
            row = self._sandbox.store.row(
                "SELECT labels FROM watches WHERE account = ? AND expires_at > ?", account.pk, now
            )
            labels = row["labels"].split() if row else []
            if row and (not labels or LABELS.get(folder) in labels):
                self._plan({"to": "google", "account": account.pk, "seq": self._sandbox.mail.cursor(account)})
            return
        if kind != "added":
            return
        for row in self._sandbox.store.rows(
            "SELECT id FROM subscriptions WHERE account = ? AND expires_at > ? AND folder IN (?, '')",
            account.pk,
            now,
            folder,
        ):
            self._plan({"to": "microsoft", "account": account.pk, "id": row["id"], "message": message})

    def _plan(self, payload: dict[str, Any]) -> None:
        settings = self._sandbox.settings
        self._number += 1
        draw = random.Random(f"push:{settings.seed}:{self._number}")
        if draw.random() < settings.push_drop:
            self._note(payload, "dropped")
            return
        for _ in range(2 if draw.random() < settings.push_double else 1):
            late = settings.push_delay + draw.random() * settings.push_shuffle
            self._sandbox.jobs.add("push", payload, after=late)

    # -- the telling

    async def deliver(self, payload: dict[str, Any]) -> None:
        """One push. Anything but a 2xx is told again, a few times."""
        answer = "no answer"
        wanted = self._google(payload) if payload["to"] == "google" else self._microsoft(payload)
        if wanted is None:
            return
        url, body, headers = wanted
        try:
            async with aiohttp.ClientSession(timeout=PATIENCE) as session:
                async with session.post(url, json=body, headers=headers, allow_redirects=False) as found:
                    answer = str(found.status)
        except (TimeoutError, aiohttp.ClientError):
            pass
        self._note(payload, answer)
        tries = int(payload.get("tries", 1))
        if not answer.startswith("2") and tries < TRIES:
            self._sandbox.jobs.add("push", {**payload, "tries": tries + 1}, after=AGAIN * tries)

    def _google(self, payload: dict[str, Any]) -> tuple[str, Any, dict[str, str]] | None:
        settings = self._sandbox.settings
        if not settings.push_endpoint:
            return None
        account = self._sandbox.accounts.get(payload["account"])
        told = json.dumps({"emailAddress": account.email, "historyId": payload["seq"]}).encode()
        body = {
            "message": {
                "data": base64.b64encode(told).decode(),
                "messageId": str(self._number),
                "publishTime": datetime.now(UTC).isoformat(),
            },
            "subscription": "projects/sandbox/subscriptions/outreach",
        }
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": settings.push_audience,
            "azp": "1",
            "sub": "1",
            "email": PUSH_ACCOUNT,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        token = self._sandbox.signer.sign(claims)
        return settings.push_endpoint, body, {"Authorization": f"Bearer {token}"}

    def _microsoft(self, payload: dict[str, Any]) -> tuple[str, Any, dict[str, str]] | None:
        row = self._sandbox.store.row("SELECT * FROM subscriptions WHERE id = ?", payload["id"])
        if row is None and "told" not in payload:
            return None
        told = payload.get("told") or dict(row or {})
        account = self._sandbox.accounts.get(payload["account"])
        one: dict[str, Any] = {
            "subscriptionId": told["id"],
            "subscriptionExpirationDateTime": iso(told["expires_at"]),
            "tenantId": account.tenant,
            "clientState": told["client_state"],
        }
        event = payload.get("event")
        if event:
            one["lifecycleEvent"] = event
        else:
            one |= {
                "changeType": "created",
                "resource": f"Users/{account.subject}/Messages/{payload['message']}",
                "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "id": payload["message"]},
            }
        return told["lifecycle_url"] if event else told["url"], {"value": [one]}, {}

    def lifecycle(self, account: Account, event: str) -> int:
        """Tell every subscription of an account; how many. One that is removed is told last of all."""
        rows = self._sandbox.store.rows(
            "SELECT * FROM subscriptions WHERE account = ? AND lifecycle_url <> ''", account.pk
        )
        for row in rows:
            payload = {
                "to": "microsoft",
                "account": account.pk,
                "id": row["id"],
                "event": event,
                "told": dict(row),
            }
            self._sandbox.jobs.add("push", payload, after=0)
            if event == "subscriptionRemoved":
                self._sandbox.store.change("DELETE FROM subscriptions WHERE id = ?", row["id"])
        return len(rows)

    async def shake_hands(self, url: str) -> None:
        """The validation of a notification address: the token comes back as plain text. Raises."""
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
            raise HandshakeFailed("Notification endpoint must be https.")
        token = f"Validation: sandbox+{random.randrange(10**9)} & more"
        mark = "&" if parts.query else "?"
        try:
            async with aiohttp.ClientSession(timeout=PATIENCE) as session:
                asked = f"{url}{mark}{urlencode({'validationToken': token})}"
                async with session.post(asked, allow_redirects=False, ssl=False) as answer:
                    text = (await answer.read()).decode(errors="replace")
                    right = answer.status == 200 and answer.content_type == "text/plain" and text == token
        except (TimeoutError, aiohttp.ClientError) as problem:
            raise HandshakeFailed("Subscription validation request timed out.") from problem
        if not right:
            raise HandshakeFailed("Subscription validation request failed.")

    def _note(self, payload: dict[str, Any], outcome: str) -> None:
        account = self._sandbox.accounts.get(payload["account"])
        self._sandbox.store.insert(
            "pushes",
            at=self._sandbox.clock.now(),
            provider=payload["to"],
            mailbox=account.email,
            event=str(payload.get("event") or "mail"),
            outcome=outcome,
        )


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
