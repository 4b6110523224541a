"""The apps that are registered at the simulated providers, and what each may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from mailbox.sandbox.settings import GOOGLE_CLIENT, MICROSOFT_CLIENT

GOOGLE_SIGN_IN = ("sandbox-google-sign-in", "sandbox-google-sign-in-secret")
MICROSOFT_SIGN_IN = ("sandbox-microsoft-sign-in", "sandbox-microsoft-sign-in-secret")


@dataclass(frozen=True)
class Registered:
    """`sign_in_only`: knows who somebody is, and may ask for nothing of their mail."""

    secret: str
    sign_in_only: bool = False


REGISTERED = {
    "google": {
        GOOGLE_CLIENT[0]: Registered(GOOGLE_CLIENT[1]),
        GOOGLE_SIGN_IN[0]: Registered(GOOGLE_SIGN_IN[1], sign_in_only=True),
    },
    "microsoft": {
        MICROSOFT_CLIENT[0]: Registered(MICROSOFT_CLIENT[1]),
        MICROSOFT_SIGN_IN[0]: Registered(MICROSOFT_SIGN_IN[1], sign_in_only=True),
    },
}


def find(provider: str, client_id: str) -> Registered | None:
    return REGISTERED[provider].get(client_id)
