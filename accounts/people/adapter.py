"""allauth's hooks: a workspace is made at sign-up, tries are counted, sign-ins are recorded."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User
from accounts.people import entrance_limits, sign_ins
from accounts.workspaces import create_workspace

# Mails that somebody who is not signed in can send to an address of their choice.
FROM_STRANGERS = {
    "account/email/account_already_exists",
    "account/email/unknown_account",
    "account/email/password_reset_key",
    "account/email/email_confirmation_signup",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "No account has this address with this password.",
        "too_many_login_attempts": "Too many tries. Wait five minutes, or set a new password.",
    }

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            name = form.cleaned_data.get("company") or f"{form.cleaned_data['name'].split()[0]}’s workspace"
            create_workspace(saved, name=name[:80])
        return saved

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Before any password is looked at: by allauth's own count anybody could lock the owner out."""
        self._try = entrance_limits.begin_try(request, str(credentials.get("email") or ""))
        if self._try is None:
            raise self.validation_error("too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        """The name is allauth's: called once the password fits."""
        if self._try is not None:
            self._try.fits()

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """accounts/people/proof.py asks before the view is called, and for more."""
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        words = {
            "reauthenticate": "Use your password",
            "mfa_reauthenticate": "Use a code from your app, or a recovery code",
            "mfa_reauthenticate:webauthn": "Use a passkey or security key",
        }
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [{**method, "description": words[method["id"]]} for method in found]

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = super().post_login(request, user, **kwargs)
        sign_ins.record(request, user)
        return answer

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nobody's mailbox is filled through our forms; whoever asks gets the same answer either way."""
        if template_prefix in FROM_STRANGERS and not entrance_limits.MAILS.take(email.lower()):
            return
        super().send_mail(template_prefix, email, context)
