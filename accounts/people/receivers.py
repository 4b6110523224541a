"""What follows from allauth's signals: a new session key when factors change, a browser known by mail."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_reset
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.people import known_browsers
from accounts.people.sign_ins import renew_session


@receiver([authenticator_added, authenticator_removed], dispatch_uid="renew_session")
def renew(request: HttpRequest, user: User, **_: Any) -> None:
    if request.user.is_authenticated and request.session.session_key:
        renew_session(request)


@receiver(password_reset, dispatch_uid="known_by_mail")
def know_browser(request: HttpRequest, user: User, **_: Any) -> None:
    """Whoever opened the mailed link is let in past a flood of guesses at their account."""
    user.refresh_from_db()
    known_browsers.remember(request, user)
