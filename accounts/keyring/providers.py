"""Who wraps the workspaces' keys: a key of ours from the environment, or a key-management service.

`KEY_PROVIDER` names a class with the three methods of `KeyProvider`. A wrapped key names the wrapping key by
its id, so that an older one opens what it wrapped until `rotate_keys` has wrapped it anew.
"""

from __future__ import annotations

import base64
import binascii
import functools
import os
import re
from typing import Protocol, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

_NONCE = 12
_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")


class Unreadable(RuntimeError):
    """A ciphertext or a wrapped key does not open: wrong key, wrong row, or tampering."""


class KeyProvider(Protocol):
    """Wraps 32-byte keys. `aad` is bound into the blob: it opens with the same `aad` only."""

    def newest(self) -> str:
        """The id, at most 32 characters, of the key that wraps now."""

    def wrap(self, plain: bytes, aad: bytes) -> tuple[str, bytes]:
        """(id of the wrapping key, blob)."""

    def unwrap(self, key_id: str, blob: bytes, aad: bytes) -> bytes:
        """Raises Unreadable when this key is not there, or does not open the blob."""


class LocalKeys:
    """The keys of the setting KEYS, "id:base64 of 32 bytes", the newest first: AES-256-GCM."""

    def __init__(self) -> None:
        self._keys = parse(settings.KEYS)

    def newest(self) -> str:
        return next(iter(self._keys))

    def wrap(self, plain: bytes, aad: bytes) -> tuple[str, bytes]:
        key_id = self.newest()
        nonce = os.urandom(_NONCE)
        return key_id, nonce + AESGCM(self._keys[key_id]).encrypt(nonce, plain, aad)

    def unwrap(self, key_id: str, blob: bytes, aad: bytes) -> bytes:
        if key_id not in self._keys:
            raise Unreadable(f"wrapping key {key_id} is not in KEYS")
        try:
            return AESGCM(self._keys[key_id]).decrypt(blob[:_NONCE], blob[_NONCE:], aad)
        except (InvalidTag, ValueError) as error:
            raise Unreadable(
                f"wrapping key {key_id} does not open what it is said to have wrapped"
            ) from error


def parse(entries: list[str]) -> dict[str, bytes]:
    """The keys by id, in the order given. Raises ImproperlyConfigured, and never repeats a key."""
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        key_id, colon, text = entry.strip().partition(":")
        if not colon or not _ID.fullmatch(key_id):
            raise ImproperlyConfigured(
                f"KEYS: entry {number} is not id:base64, with an id of up to 32 letters, digits, . _ -"
            )
        if key_id in keys:
            raise ImproperlyConfigured(f"KEYS: {key_id} is there twice")
        try:
            keys[key_id] = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured(f"KEYS: key {key_id} is not base64") from error
        if len(keys[key_id]) != 32:
            raise ImproperlyConfigured(
                f"KEYS: key {key_id} has {len(keys[key_id])} bytes, 32 are needed (see .env.example)"
            )
    if not keys:
        raise ImproperlyConfigured("KEYS is empty: give at least one id:base64 key (see .env.example)")
    return keys


@functools.cache
def provider() -> KeyProvider:
    """The one that the setting names, made once per process."""
    return cast(KeyProvider, import_string(settings.KEY_PROVIDER)())
