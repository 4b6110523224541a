"""Envelope encryption: AES-256-GCM under a data key per workspace, wrapped by a key from the environment.

Layout of a ciphertext: 1 byte format, 2 bytes data-key version, 12 bytes nonce, ciphertext with tag.
The associated data names workspace, table, column, row and key version, so that a ciphertext cannot
be moved (threats T11). A value that cannot be read raises; plain text never falls back in.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
import uuid
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import IntegrityError, models, transaction
from django.db.models.query_utils import DeferredAttribute

KEYSTORE = "keystore"
_FORMAT = b"\x01"
_HEAD = 15


class Unreadable(RuntimeError):
    """A ciphertext or a wrapped key does not open: wrong key, wrong row, or tampering."""


class KeystoreRouter:
    """Sends `WorkspaceKey`, and nothing else, to the key store's database."""

    @staticmethod
    def _is_key(model_name: str | None) -> bool:
        return model_name == "workspacekey"

    def db_for_read(self, model: type[models.Model], **_: Any) -> str | None:
        return KEYSTORE if self._is_key(model._meta.model_name) else None

    db_for_write = db_for_read

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if model_name is None:
            return db != KEYSTORE
        return (db == KEYSTORE) == (app_label == "accounts" and self._is_key(model_name))


class WorkspaceKey(models.Model):
    """A wrapped 32-byte key of a workspace. Purposes: data (versioned), index, suppression."""

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    purpose = models.CharField(max_length=12)
    version = models.PositiveSmallIntegerField(default=1)
    kek_id = models.CharField(max_length=32)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "purpose", "version"], name="one_key_per_version")
        ]


@functools.cache
def _keks() -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for entry in settings.KEYS:
        kid, _, text = entry.partition(":")
        key = base64.b64decode(text)
        if len(key) != 32:
            raise ImproperlyConfigured(f"KEYS: key {kid} has {len(key)} bytes, 32 are needed")
        keys[kid] = key
    if not keys:
        raise ImproperlyConfigured("KEYS is empty: give at least one kid:base64 key")
    return keys


def platform_index(purpose: str, value: str) -> bytes:
    """HMAC of a value that must be comparable across workspaces (a mailbox identity), 32 bytes."""
    key = hmac.digest(settings.SECRET_KEY.encode(), f"platform:{purpose}".encode(), "sha256")
    return hmac.digest(key, value.encode(), "sha256")


def _unwrap(row: WorkspaceKey) -> bytes:
    aad = f"{row.workspace_id}|{row.purpose}|{row.version}".encode()
    blob = bytes(row.wrapped)
    try:
        return AESGCM(_keks()[row.kek_id]).decrypt(blob[:12], blob[12:], aad)
    except (KeyError, InvalidTag) as error:
        raise Unreadable(f"data key of workspace {row.workspace_id} does not open") from error


def _mint(workspace_id: uuid.UUID, purpose: str) -> WorkspaceKey:
    kid, kek = next(iter(_keks().items()))
    nonce = os.urandom(12)
    aad = f"{workspace_id}|{purpose}|1".encode()
    row = WorkspaceKey(workspace_id=workspace_id, purpose=purpose, version=1, kek_id=kid)
    row.wrapped = nonce + AESGCM(kek).encrypt(nonce, os.urandom(32), aad)
    return row


@functools.lru_cache(maxsize=4096)
def _key(workspace_id: uuid.UUID, purpose: str, version: int | None) -> tuple[int, bytes]:
    """(version, key). `version` None means the newest, minted on first use."""
    rows = WorkspaceKey.objects.filter(workspace_id=workspace_id, purpose=purpose).order_by("-version")
    row = rows.first() if version is None else rows.filter(version=version).first()
    if row is None and version is None:
        try:
            with transaction.atomic(using=KEYSTORE):
                _mint(workspace_id, purpose).save()
        except IntegrityError:
            pass  # Another process minted it first; the row read below is the one that counts.
        row = rows.first()
    if row is None:
        raise Unreadable(f"no {purpose} key, version {version}, for workspace {workspace_id}")
    return row.version, _unwrap(row)


def forget_keys() -> None:
    """Drop keys held in memory (tests; after a rotation or an erasure)."""
    _key.cache_clear()
    _keks.cache_clear()


def encrypt(workspace_id: uuid.UUID, where: str, value: bytes) -> bytes:
    """`where` is "table|column|row id": it is bound into the ciphertext."""
    version, key = _key(workspace_id, "data", None)
    nonce = os.urandom(12)
    aad = f"{workspace_id}|{where}|{version}".encode()
    return _FORMAT + version.to_bytes(2, "big") + nonce + AESGCM(key).encrypt(nonce, value, aad)


def decrypt(workspace_id: uuid.UUID, where: str, blob: bytes) -> bytes:
    """Raises Unreadable for a ciphertext of another workspace, row, column or key."""
    if len(blob) < _HEAD + 16 or blob[:1] != _FORMAT:
        raise Unreadable(f"{where}: not one of our ciphertexts")
    version = int.from_bytes(blob[1:3], "big")
    _, key = _key(workspace_id, "data", version)
    try:
        aad = f"{workspace_id}|{where}|{version}".encode()
        return AESGCM(key).decrypt(blob[3:_HEAD], blob[_HEAD:], aad)
    except InvalidTag as error:
        raise Unreadable(f"{where}: does not open") from error


def blind_index(workspace_id: uuid.UUID, kind: str, value: str) -> bytes:
    """HMAC-SHA256 under the workspace's index key, for equality look-ups; 32 bytes."""
    _, key = _key(workspace_id, "suppression" if kind == "suppression" else "index", None)
    return hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).digest()


class Sealed(bytes):
    """A ciphertext as it stands in the database."""


class _Attribute(DeferredAttribute):
    """Opens a sealed value on first reading, so that lists never decrypt what they do not show."""

    field: EncryptedTextField

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            opened = decrypt(self.field.owner_of(instance), self.field.place_of(instance), bytes(value))
            value = opened.decode()
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

    def seal(self, instance: models.Model, value: str) -> Sealed:
        """The ciphertext for this row, for use in a conditional update()."""
        return Sealed(encrypt(self.owner_of(instance), self.place_of(instance), value.encode()))

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


def seal(instance: models.Model, **values: str) -> dict[str, Sealed]:
    """Ciphertexts of this row's encrypted columns, ready for `filter(...).update(**seal(row, a=...))`."""
    sealed = {}
    for name, value in values.items():
        field = instance._meta.get_field(name)
        if not isinstance(field, EncryptedTextField):
            raise FieldError(f"{name} is not an encrypted column")
        sealed[name] = field.seal(instance, value)
    return sealed
