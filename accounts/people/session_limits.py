"""How long a sign-in lasts (threats T30): so long without a visit, and so long at all, whichever comes first.

The times stand in the session and are the web server's, as Django's own expiry is. The rest is
Django's and allauth's: a sign-in gets a new session key, a changed password ends every other session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

BEGAN, LAST = "began_at", "visited_at"
# A visit is written down at most this often; the idle limit is so much shorter at the most.
EVERY = 60


@receiver(user_logged_in, dispatch_uid="accounts.people.session_limits")
def _begin(request: HttpRequest | None, **_: Any) -> None:
    if request is not None:
        request.session[BEGAN] = request.session[LAST] = time.time()


class SessionLimitsMiddleware:
    """Signs out whoever is over a limit, before anything else looks at the person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            now, session = time.time(), request.session
            # Sessions of an earlier version begin with their next visit.
            began, last = float(session.get(BEGAN, now)), float(session.get(LAST, now))
            over = (
                now - began > settings.SESSION_ABSOLUTE_SECONDS or now - last > settings.SESSION_IDLE_SECONDS
            )
            # A clock that was set back must not make a session last.
            if over or began > now + EVERY:
                logout(request)
            elif BEGAN not in session or now - last >= EVERY:
                session[BEGAN], session[LAST] = began, now
        return self.get_response(request)
