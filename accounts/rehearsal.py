"""The work of a sign-up, done and thrown away: the time of an answer does not say who has an account."""

from __future__ import annotations

import secrets

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import User
from accounts.workspaces import create_workspace


class _Enough(Exception):
    """The rehearsal is over."""


def rehearse_sign_up(name: str, company: str) -> None:
    """Write what a new account writes, in both databases, and roll it back."""
    address = f"{secrets.token_hex(12)}@rehearsal.invalid"
    try:
        with transaction.atomic(), transaction.atomic(using="keystore"):
            user = User(email=address, name=name, company=company)
            user.save()
            EmailAddress.objects.create(user=user, email=address, primary=True)
            create_workspace(user, name=(company or f"{name.split()[0]}’s workspace")[:80])
            raise _Enough
    except _Enough:
        pass
