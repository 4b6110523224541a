"""allauth's hooks: a workspace is made at sign-up, and sign-in leads into it."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.workspaces import create_workspace


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
