"""The two providers that can say who somebody is: fixed, never chosen by a request or a workspace (T8)."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

SCOPES = ("openid", "email", "profile")
GOOGLE_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
NAMES = {"google": "Google", "microsoft": "Microsoft"}


@dataclass(frozen=True)
class House:
    """A provider with the client that is registered there for sign-in alone."""

    id: str
    client_id: str
    secret: str

    @property
    def name(self) -> str:
        return NAMES[self.id]

    @property
    def symbol(self) -> str:
        return "brand-google" if self.id == "google" else "brand-windows"

    @property
    def redirect_uri(self) -> str:
        """One per provider, and never made from the request's own host."""
        return f"{settings.PUBLIC_BASE_URL}{reverse('social_callback', args=[self.id])}"


def find(house_id: str) -> House | None:
    """None where this installation has no client there."""
    known = {
        "google": (settings.GOOGLE_SIGN_IN_CLIENT_ID, settings.GOOGLE_SIGN_IN_CLIENT_SECRET),
        "microsoft": (settings.MS_SIGN_IN_CLIENT_ID, settings.MS_SIGN_IN_CLIENT_SECRET),
    }
    client_id, secret = known.get(house_id, ("", ""))
    return House(house_id, client_id, secret) if client_id else None


def open_ones() -> list[House]:
    return [house for house in map(find, NAMES) if house is not None]
