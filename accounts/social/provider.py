"""The two providers as allauth knows them: an account is its subject, never its address (threats T9)."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.providers.base import Provider, ProviderAccount
from django.http import HttpRequest
from django.urls import reverse

from accounts.encryption import platform_index
from accounts.forms import CONTROL


class Account(ProviderAccount):  # type: ignore[misc]
    def to_str(self) -> str:
        return str(self.account.extra_data.get("address") or self.get_brand()["name"])


class OpenIdProvider(Provider):  # type: ignore[misc]
    """Stored of an account: an HMAC of its subject, its address, and whether the provider proved that."""

    account_class = Account
    # The clients stand in the settings alone: no table can add one.
    uses_apps = False

    def subject(self, claims: dict[str, Any]) -> str:
        raise NotImplementedError

    def proves_address(self, claims: dict[str, Any]) -> bool:
        raise NotImplementedError

    def address(self, claims: dict[str, Any]) -> str:
        return str(claims.get("email") or "").strip().lower()

    def get_login_url(self, request: HttpRequest, **_: Any) -> str:
        return reverse("social_start", args=[self.id])

    def extract_uid(self, data: dict[str, Any]) -> str:
        return platform_index("sign-in", f"{self.id}:{self.subject(data)}").hex()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"address": self.address(data), "proved": self.proves_address(data)}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        name = CONTROL.sub(" ", str(data.get("name") or "")).strip()[:120]
        return {"email": self.address(data), "name": name}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        address = self.address(data)
        if not address:
            return []
        return [EmailAddress(email=address, verified=self.proves_address(data), primary=True)]


class GoogleProvider(OpenIdProvider):
    id, name = "google", "Google"

    def subject(self, claims: dict[str, Any]) -> str:
        return str(claims["sub"])

    def proves_address(self, claims: dict[str, Any]) -> bool:
        return claims.get("email_verified") is True


class MicrosoftProvider(OpenIdProvider):
    id, name = "microsoft", "Microsoft"

    def subject(self, claims: dict[str, Any]) -> str:
        return f"{claims['tid']}.{claims['oid']}"

    def proves_address(self, claims: dict[str, Any]) -> bool:
        """Never: an organisation's admin may write any address into it."""
        return False

    def address(self, claims: dict[str, Any]) -> str:
        return super().address(claims) or str(claims.get("preferred_username") or "").strip().lower()


provider_classes = [GoogleProvider, MicrosoftProvider]
