"""allauth's hooks for a sign-in that a provider vouches for: who is new, and whose address is known."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.emailkit import valid_email_or_none
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.models import User
from accounts.people import entrance_limits
from accounts.workspaces import create_workspace


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": "This is your only way in. Set a password first, then disconnect it.",
        "no_verified_email": "This is your only way in. Confirm your address first, then disconnect it.",
    }

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Somebody new whose address has an account already is not let into it (T9)."""
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        address = valid_email_or_none(sociallogin.user.email)
        if address is None:
            page = {"code": "no_address", "name": sociallogin.provider.name}
            raise ImmediateHttpResponse(render(request, "socialaccount/problem.html", page, status=400))
        if is_known(address):
            if entrance_limits.MAILS.take(address.lower()):
                _tell(request, sociallogin, address)
            # The page is the one that a new person meets; the truth goes by mail to the address (T41).
            raise ImmediateHttpResponse(redirect("account_email_verification_sent"))

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = sociallogin.user
        user.email = data.get("email") or ""
        user.name = data.get("name") or user.email.partition("@")[0]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """As at sign-up: the person and a first workspace, together or not at all."""
        user: User = sociallogin.user
        user.set_unusable_password()
        with transaction.atomic():
            sociallogin.save(request)
            create_workspace(user, name=f"{user.short_name}’s workspace"[:80])
        return user


def _tell(request: HttpRequest, sociallogin: SocialLogin, address: str) -> None:
    context = {
        "request": request,
        "name": sociallogin.provider.name,
        "address": address,
        "sign_in_url": f"{settings.PUBLIC_BASE_URL}{reverse('account_login')}",
    }
    get_account_adapter(request).send_mail("socialaccount/email/address_known", address, context)


def is_known(address: str) -> bool:
    """Whether any account has this address, confirmed or not."""
    return (
        User.objects.filter(email__iexact=address).exists()
        or EmailAddress.objects.filter(email__iexact=address).exists()
    )
