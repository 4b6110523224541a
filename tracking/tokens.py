"""The signed, opaque tokens in the addresses that a recipient's mail program reaches.

A token is `version ‖ AES-256-SIV(payload)` in base64url. The SIV is a MAC of 128 bits that is bound to
the purpose, so a token of one purpose opens at no other address; the payload is ciphertext, so an
address names neither workspace nor recipient nor target (threats T24, T25, T35). The same mail always
gets the same tokens. Keys come from SECRET_KEY; SECRET_KEY_FALLBACKS still open old ones, because
opt-out links work for two years and more: no token runs out.

An opt-out token may carry the blind index of the recipient's address. It lets the opt-out be recorded
after the mail and the contact were erased, when nothing else could say whom it concerns (faults G5).
"""

from __future__ import annotations

import base64
import binascii
import enum
import hmac
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

from tracking.targets import find_target, keep_target

VERSION = b"\x01"
LONGEST_TOKEN = 4096
LONGEST_INLINE = 1500  # bytes of a target inside the token; a longer one is a row (decisions 17)
LONGEST_TARGET = 8000
MOST_LINKS = 32_767
_INDEX = 32


class Purpose(enum.Enum):
    """The beginning of the path, and what the token is bound to."""

    OPEN = "o"
    CLICK = "c"
    OPT_OUT = "u"


class Invalid(ValueError):
    """Not a token of ours for this purpose. Whoever sees it gets the same answer as for any other."""


@dataclass(frozen=True)
class Mark:
    """Which mail of which workspace; `address_index` is empty or 32 bytes, for opt-outs only."""

    workspace_id: uuid.UUID
    key: uuid.UUID
    address_index: bytes = b""


@dataclass(frozen=True)
class Click:
    """A link of a mail. The target is read with `target()` while the workspace is open."""

    workspace_id: uuid.UUID
    key: uuid.UUID
    link_no: int
    stored: uuid.UUID | None
    inline: str

    def target(self) -> str:
        """The address to go to. Raises Invalid when its row was erased or it is no web address."""
        found = self.inline if self.stored is None else find_target(self.stored, key=self.key)
        if not is_web_address(found):
            raise Invalid("the link leads nowhere")
        return found


def pixel_url(workspace_id: uuid.UUID, key: uuid.UUID) -> str:
    return _address(Purpose.OPEN, workspace_id.bytes + key.bytes)


def click_url(workspace_id: uuid.UUID, key: uuid.UUID, target: str, link_no: int) -> str:
    """Raises ValueError for a target that is no web address. A long target is stored: open the workspace."""
    if not is_web_address(target) or not 0 < link_no <= MOST_LINKS:
        raise ValueError("only http and https targets of up to 8,000 characters can be counted")
    head = workspace_id.bytes + key.bytes + link_no.to_bytes(2, "big")
    inline = target.encode()
    if len(inline) <= LONGEST_INLINE:
        return _address(Purpose.CLICK, head + b"u" + inline)
    return _address(Purpose.CLICK, head + b"r" + keep_target(target, key=key, link_no=link_no).bytes)


def opt_out_url(workspace_id: uuid.UUID, key: uuid.UUID, *, address_index: bytes = b"") -> str:
    """`address_index`: 32 bytes of the recipient's blind index; without it the link ends with the mail."""
    if len(address_index) not in (0, _INDEX):
        raise ValueError("an address index has 32 bytes")
    return _address(Purpose.OPT_OUT, workspace_id.bytes + key.bytes + bytes(address_index))


def read_pixel(token: str) -> Mark:
    return _mark(_open(Purpose.OPEN, token), index=False)


def read_opt_out(token: str) -> Mark:
    return _mark(_open(Purpose.OPT_OUT, token), index=True)


def read_click(token: str) -> Click:
    payload = _open(Purpose.CLICK, token)
    head, kind, rest = payload[:34], payload[34:35], payload[35:]
    ids = (uuid.UUID(bytes=head[:16]), uuid.UUID(bytes=head[16:32]), int.from_bytes(head[32:], "big"))
    if kind == b"r" and len(rest) == 16:
        return Click(*ids, stored=uuid.UUID(bytes=rest), inline="")
    if kind == b"u":
        return Click(*ids, stored=None, inline=rest.decode())
    raise Invalid("not a link's token")


def is_web_address(target: str) -> bool:
    """http or https, with a host, no user name before it, and no character that could split a header."""
    if not 0 < len(target) <= LONGEST_TARGET or any(c.isspace() or not c.isprintable() for c in target):
        return False
    try:
        parts = urlsplit(target)
        # Reading the port checks that it is a number.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and _plain(parts.netloc, parts.port)
    except ValueError:
        return False


def is_ours(target: str) -> bool:
    """Whether an address is one of this module's: such a link is never wrapped again."""
    return any(target.startswith(f"{settings.TRACKING_BASE_URL}/{each.value}/") for each in Purpose)


def _plain(netloc: str, _port: int | None) -> bool:
    return "@" not in netloc and "\\" not in netloc


def _mark(payload: bytes, *, index: bool) -> Mark:
    if len(payload) not in ((32, 32 + _INDEX) if index else (32,)):
        raise Invalid("not a mail's token")
    return Mark(uuid.UUID(bytes=payload[:16]), uuid.UUID(bytes=payload[16:32]), payload[32:])


def _keys() -> Iterator[bytes]:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield hmac.digest(secret.encode(), b"tracking tokens, version 1", "sha512")


def _bound(purpose: Purpose) -> list[bytes]:
    return [VERSION, purpose.name.encode()]


def _address(purpose: Purpose, payload: bytes) -> str:
    sealed = AESSIV(next(_keys())).encrypt(payload, _bound(purpose))
    token = base64.urlsafe_b64encode(VERSION + sealed).rstrip(b"=").decode()
    return f"{settings.TRACKING_BASE_URL}/{purpose.value}/{token}"


def _open(purpose: Purpose, token: str) -> bytes:
    """The payload. Raises Invalid, and says nothing about why."""
    if len(token) > LONGEST_TOKEN:
        raise Invalid("not a token")
    try:
        blob = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("not a token") from error
    # One spelling only: spare bits and other alphabets would make many tokens of one.
    if blob[:1] != VERSION or base64.urlsafe_b64encode(blob).rstrip(b"=").decode() != token:
        raise Invalid("not a token")
    for key in _keys():
        try:
            return AESSIV(key).decrypt(blob[1:], _bound(purpose))
        except (InvalidTag, ValueError):
            continue
    raise Invalid("not a token")
