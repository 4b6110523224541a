"""Whether a push comes from Google: its token, signed for our endpoint, names our push account (T23)."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import jwt
import requests
from django.conf import settings

from accounts.people.openid import LEEWAY
from mailbox.errors import Retry
from mailbox.providers.gmail_oauth import ISSUERS
from mailbox.providers.sign_in import TokenSession, json_of

log = logging.getLogger(__name__)
KEPT_SECONDS = 3600.0
# A token may name any key it likes: the keys are not asked for more often than this.
AGAIN_SECONDS = 60.0
LONGEST = 8_000


class _Keys:
    """Google's public keys, by their id, and when they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._source = ""
        self._found: dict[str, Any] = {}
        self._asked = -KEPT_SECONDS

    def of(self, kid: str) -> Any:
        """Raises Retry where they cannot be had; None where none has this id."""
        with self._lock:
            age = time.monotonic() - self._asked
            moved = self._source != settings.GOOGLE_JWKS_URI
            if moved or age > KEPT_SECONDS or (kid not in self._found and age > AGAIN_SECONDS):
                self._ask()
            return self._found.get(kid)

    def forget(self) -> None:
        with self._lock:
            self._asked = -KEPT_SECONDS
            self._found = {}

    def _ask(self) -> None:
        try:
            told = json_of(TokenSession().get(settings.GOOGLE_JWKS_URI))
            keys = jwt.PyJWKSet.from_dict(told).keys
        except (requests.RequestException, jwt.PyJWTError) as problem:
            raise Retry("push_keys", type(problem).__name__) from problem
        self._found = {str(key.key_id): key for key in keys}
        self._source, self._asked = settings.GOOGLE_JWKS_URI, time.monotonic()


KEYS = _Keys()


def is_ours(token: str) -> bool:
    """Signature, issuer, audience, times, and the account that we named at Pub/Sub. Raises Retry."""
    if not settings.PUBSUB_AUDIENCE or not settings.GOOGLE_PUSH_ACCOUNT or len(token) > LONGEST:
        return False
    try:
        key = KEYS.of(str(jwt.get_unverified_header(token).get("kid", "")))
        if key is None:
            return False
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=settings.PUBSUB_AUDIENCE,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "aud", "iss"]},
        )
    except jwt.PyJWTError as problem:
        log.info("a push was not believed: %s", type(problem).__name__)
        return False
    return (
        claims["iss"] in ISSUERS
        and claims.get("email") == settings.GOOGLE_PUSH_ACCOUNT
        and claims.get("email_verified") is True
    )
