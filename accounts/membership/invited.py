"""What a browser remembers of an invitation while its person signs in or makes an account.

The link is a secret and the address is somebody's: both lie in the session as ciphertext.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass

from django.http import HttpRequest

from accounts import encryption
from accounts.keyring.keystore import INSTALLATION

KEPT = "invitation"
KEPT_SECONDS = 86_400
_PLACE = "django_session|invitation"


@dataclass(frozen=True)
class Invited:
    path: str
    address: str


def remember(request: HttpRequest, *, path: str, address: str) -> None:
    known = invited(request)
    if known is not None and known == Invited(path, address):
        return
    text = json.dumps({"path": path, "address": address, "at": time.time()})
    sealed = encryption.encrypt(INSTALLATION, _PLACE, text.encode())
    request.session[KEPT] = base64.b64encode(sealed).decode()


def invited(request: HttpRequest | None) -> Invited | None:
    """None also where it is older than a day."""
    stored = request.session.get(KEPT) if request is not None else None
    if not isinstance(stored, str):
        return None
    try:
        found = json.loads(encryption.decrypt(INSTALLATION, _PLACE, base64.b64decode(stored)))
    except (encryption.Unreadable, ValueError):
        return None
    if not 0 <= time.time() - found["at"] < KEPT_SECONDS:
        return None
    return Invited(path=found["path"], address=found["address"])


def forget(request: HttpRequest) -> None:
    request.session.pop(KEPT, None)
