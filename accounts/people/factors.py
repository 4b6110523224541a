"""The second factor: allauth's hooks, with secrets as ciphertext, and whether a person has one."""

from __future__ import annotations

import base64
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts import encryption
from accounts.keyring.keystore import INSTALLATION
from accounts.models import User, Workspace

# Recovery codes are the way back, and no factor by themselves.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_PLACE = "mfa_authenticator|data|secret"


def has_second_factor(user: User) -> bool:
    """Whether this person has an authenticator app, a passkey or a security key."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def lacks_factor_for(user: User, here: Workspace) -> bool:
    """Whether this workspace wants a second factor that the person does not have: they see nothing of it."""
    return here.requires_two_factors and not has_second_factor(user)


def lead_to_factors(request: HttpRequest, here: Workspace) -> HttpResponseBase:
    """Out of a workspace that asks for two factors, to the page that sets one up."""
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=403)
    messages.warning(
        request,
        f"{here.name} asks for two factors. It opens as soon as you have set up an app or a key here.",
    )
    url = reverse("mfa_index")
    return HttpResponseClientRedirect(url) if request.headers.get("HX-Request") else redirect(url)


def seal(text: str) -> str:
    return base64.b64encode(encryption.encrypt(INSTALLATION, _PLACE, text.encode())).decode()


def unseal(sealed: str) -> str:
    """Raises encryption.Unreadable."""
    try:
        blob = base64.b64decode(sealed, validate=True)
    except ValueError as error:
        raise encryption.Unreadable(f"{_PLACE}: not one of our ciphertexts") from error
    return encryption.decrypt(INSTALLATION, _PLACE, blob).decode()


def sealed_values(row: Authenticator) -> dict[str, str]:
    """The ciphertexts of one row, by their name in `data`: an app's secret, or the seed of recovery codes."""
    return {name: row.data[name] for name in ("secret", "seed") if isinstance(row.data.get(name), str)}


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_generate_recovery_codes": "Recovery codes come with a second factor: set one up first.",
        "incorrect_code": "This code does not fit. A new one comes every 30 seconds.",
        "unverified_email": "Confirm your email addresses first, so that nobody can lock you out.",
        "cannot_delete_authenticator": "This second factor cannot be removed.",
    }

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Outreach"

    def _get_site_name(self) -> str:
        return "Outreach"

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:  # noqa: A002  (allauth's name)
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "Key" if number == 0 else f"Key {number + 1}"
