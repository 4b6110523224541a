"""A password that is set anew by mail ends sign-ins whose provider never proved the address.

Otherwise somebody could make an account with another's address at a provider that proves none, wait until its
holder takes the account over by a reset, and stay in it beside them.
"""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_reset
from allauth.socialaccount.models import SocialAccount
from django.dispatch import receiver

from accounts.models import User


@receiver(password_reset)
def unproved_ways_in_end(*, user: User, **_: Any) -> None:
    for account in SocialAccount.objects.filter(user=user):
        if not account.extra_data.get("proved"):
            account.delete()
