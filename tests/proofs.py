"""A browser's proof of who is at the keys: fresh, old, or none."""

from __future__ import annotations

import time

from django.test import Client

from accounts.models import User


def prove(browser: Client, user: User, *, ago: float = 0) -> None:
    """As if the person had given their password so many seconds ago, and nothing since."""
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


def unprove(browser: Client) -> None:
    """A session from before proofs were written down."""
    session = browser.session
    session.pop("account_authentication_methods", None)
    session.save()
