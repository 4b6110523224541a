"""Envelope encryption: AES-256-GCM under a data key per workspace, wrapped by a key from the environment.

Layout of a ciphertext: 1 byte format, 2 bytes data-key version, 12 bytes nonce, ciphertext with tag.
The associated data names workspace, table, column, row and key version, so that a ciphertext cannot
be moved (threats T11). A value that cannot be read raises; plain text never falls back in.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import uuid
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.checks import CheckMessage
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from accounts.keyring.keystore import (
    DATA,
    INDEX,
    INSTALLATION,
    SUPPRESSION,
    forget_keys,
    key_of,
    newest_key,
    platform_purpose,
)
from accounts.keyring.providers import Unreadable

__all__ = [
    "EncryptedTextField",
    "Sealed",
    "Unreadable",
    "blind_index",
    "decrypt",
    "encrypt",
    "forget_keys",
    "platform_index",
    "reseal",
    "seal",
    "version_of",
]
_FORMAT = b"\x01"
_HEAD = 15


def encrypt(workspace_id: uuid.UUID, where: str, value: bytes) -> bytes:
    """`where` is "table|column|row id": it is bound into the ciphertext."""
    return _encrypt(workspace_id, where, value, *newest_key(workspace_id, DATA))


def _encrypt(workspace_id: uuid.UUID, where: str, value: bytes, version: int, key: bytes) -> bytes:
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, value, _aad(workspace_id, where, version))
    return _FORMAT + version.to_bytes(2, "big") + nonce + sealed


def decrypt(workspace_id: uuid.UUID, where: str, blob: bytes) -> bytes:
    """Raises Unreadable for a ciphertext of another workspace, row, column or key."""
    if len(blob) < _HEAD + 16 or blob[:1] != _FORMAT:
        raise Unreadable(f"{where}: not one of our ciphertexts")
    version = version_of(blob)
    key = key_of(workspace_id, DATA, version)
    try:
        return AESGCM(key).decrypt(blob[3:_HEAD], blob[_HEAD:], _aad(workspace_id, where, version))
    except InvalidTag as error:
        raise Unreadable(f"{where}: does not open") from error


def reseal(workspace_id: uuid.UUID, where: str, blob: bytes, *, version: int) -> bytes:
    """The same value under this version of the data key. Raises Unreadable."""
    key = key_of(workspace_id, DATA, version)
    return _encrypt(workspace_id, where, decrypt(workspace_id, where, blob), version, key)


def version_of(blob: bytes) -> int:
    """The version of the data key that made a ciphertext."""
    return int.from_bytes(blob[1:3], "big")


def _aad(workspace_id: uuid.UUID, where: str, version: int) -> bytes:
    return f"{workspace_id}|{where}|{version}".encode()


def blind_index(workspace_id: uuid.UUID, kind: str, value: str) -> bytes:
    """HMAC-SHA256 under the workspace's index key, for equality look-ups; 32 bytes."""
    _, key = newest_key(workspace_id, SUPPRESSION if kind == "suppression" else INDEX)
    return hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).digest()


def platform_index(purpose: str, value: str) -> bytes:
    """HMAC of a value that must be comparable across workspaces (a mailbox identity), 32 bytes."""
    _, key = newest_key(INSTALLATION, platform_purpose(purpose))
    return hmac.digest(key, value.encode(), "sha256")


class Sealed(bytes):
    """A ciphertext as it stands in the database."""


class _Attribute(DeferredAttribute):
    """Opens a sealed value on first reading, so that lists never decrypt what they do not show."""

    field: EncryptedTextField

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            opened = decrypt(self.field.owner_of(instance), self.field.place_of(instance), bytes(value))
            value = self.field.opened(opened)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg]
    """Text that is ciphertext in the database. Cannot be filtered by; see `blind_index`."""

    descriptor_class = _Attribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def _check_str_default_value(self) -> list[CheckMessage]:
        return []  # bytes for a BinaryField, but what is set here is text

    def get_default(self) -> Any:
        return None if self.null and self.default == "" else (self.default or "")

    def owner_of(self, instance: models.Model) -> uuid.UUID:
        owner: uuid.UUID = instance.workspace_id  # type: ignore[attr-defined]
        return owner

    def place_of(self, instance: models.Model) -> str:
        return f"{self.model._meta.db_table}|{self.column}|{instance.pk}"

    def from_db_value(self, value: Any, *_: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Sealed):
            return value
        return self.seal(model_instance, value)

    def seal(self, instance: models.Model, value: Any) -> Sealed:
        """The ciphertext for this row, for use in a conditional update()."""
        return Sealed(encrypt(self.owner_of(instance), self.place_of(instance), self.closed(value)))

    def opened(self, value: bytes) -> Any:
        return value.decode()

    def closed(self, value: Any) -> bytes:
        return bytes(str(value).encode())

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise FieldError(f"{self.name} is encrypted: use save(), or seal(row, {self.name}=…) in update()")
        return super().get_db_prep_value(value, connection, prepared)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be filtered by: use its blind index")
        return super().get_lookup(lookup_name)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return str(getattr(obj, self.attname) or "")


class EncryptedBytesField(EncryptedTextField):
    """Bytes that are ciphertext in the database: a file."""

    def opened(self, value: bytes) -> Any:
        return value

    def closed(self, value: Any) -> bytes:
        return bytes(value)


def seal(instance: models.Model, **values: str) -> dict[str, Sealed]:
    """Ciphertexts of this row's encrypted columns, ready for `filter(...).update(**seal(row, a=...))`."""
    sealed = {}
    for name, value in values.items():
        field = instance._meta.get_field(name)
        if not isinstance(field, EncryptedTextField):
            raise FieldError(f"{name} is not an encrypted column")
        sealed[name] = field.seal(instance, value)
    return sealed
