"""Browsers that a person has signed in from before: a signed cookie, no row.

The cookie names up to MOST people by SID, each with a mark that ends with their password and with "sign out
everywhere". It opens nothing. It spares the new-sign-in mail, and it keeps a person's own way in open while
somebody else guesses at their account (accounts/people/entrance_limits.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare

from accounts.models import User

COOKIE = "__Host-browser" if settings.SECURE else "outreach_browser"
AGE = 60 * 60 * 24 * 365
MOST = 5
_SALT = "known-browser"


def remember(request: HttpRequest, user: User) -> None:
    """From this answer on the browser is one of the person's own."""
    request.browser_of = user  # type: ignore[attr-defined]


def is_known(request: HttpRequest, user: User) -> bool:
    mark = dict(_marks(request)).get(user.sid, "")
    return bool(mark) and any(constant_time_compare(mark, valid) for valid in _valid_marks(user))


def person_known_by(request: HttpRequest, email: str) -> User | None:
    """Whose browser this is, if `email` is an address of theirs.

    Looks up the people of the cookie and never the address, so that the time it takes tells nothing about it.
    """
    marks = _marks(request)
    if not marks:
        return None
    people = User.objects.filter(sid__in=[sid for sid, _ in marks])
    addresses = EmailAddress.objects.filter(user__in=people).values_list("email", "user_id")
    owners = {address.lower(): owner for address, owner in addresses}
    for user in people:
        if owners.get(email.lower()) == user.pk and is_known(request, user):
            return user
    return None


def _marks(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=AGE)
        return [(str(sid), str(mark)) for sid, mark in found][:MOST]
    except (signing.BadSignature, TypeError, ValueError):
        return []


def _valid_marks(user: User) -> list[str]:
    """Made from what Django ends sessions by; older SECRET_KEYs count as long as they are named."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return [hashlib.sha256(f"{_SALT}:{value}".encode()).hexdigest()[:32] for value in hashes]


class KnownBrowserMiddleware:
    """Sets the cookie on the answer to a sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        user = getattr(request, "browser_of", None)
        if user is not None:
            others = [entry for entry in _marks(request) if entry[0] != user.sid]
            entries = [(user.sid, _valid_marks(user)[0]), *others][:MOST]
            answer.set_cookie(
                COOKIE,
                signing.dumps(entries, salt=_SALT),
                max_age=AGE,
                secure=settings.SECURE,
                httponly=True,
                samesite="Lax",
            )
        return answer
