"""The line for the next page, which may name people: in the browser, never in the session's plain row.

Over https the cookie belongs to this host alone, as the others do.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage

COOKIE = "__Host-messages" if settings.SECURE else "messages"


class NoticeCookie(CookieStorage):
    cookie_name = COOKIE
