"""The workspaces' keys, wrapped, in a database of their own (decisions 14).

A workspace has one data key per version, of which the newest encrypts, one index key and one suppression key.
What is compared across workspaces (a mailbox's identity) has a key of the installation, under a workspace id
of zeros. A key held in memory never changes; which version is the newest is asked again every
KEY_REFRESH_SECONDS, so that a rotation reaches every process.
"""

from __future__ import annotations

import functools
import hmac
import os
import time
import uuid
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from accounts.inventory import Data, Kept
from accounts.keyring.providers import Unreadable, provider

KEYSTORE = "keystore"
DATA, INDEX, SUPPRESSION = "data", "index", "suppression"
INSTALLATION = uuid.UUID(int=0)
_MODELS = ("workspacekey", "keyrotation")


class KeystoreRouter:
    """Sends the models of this module, and nothing else, to the key store's database."""

    def db_for_read(self, model: type[models.Model], **_: Any) -> str | None:
        return KEYSTORE if _is_ours(model._meta.app_label, model._meta.model_name) else None

    db_for_write = db_for_read

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if model_name is None:
            return db != KEYSTORE
        return (db == KEYSTORE) == _is_ours(app_label, model_name)


def _is_ours(app_label: str, model_name: str | None) -> bool:
    return app_label == "accounts" and model_name in _MODELS


class WorkspaceKey(models.Model):
    """A wrapped 32-byte key. Purposes: data (versioned), index, suppression, platform:<purpose>."""

    inventory = Kept(
        Data.SYSTEM,
        "Wrapped keys of the workspaces, in a database of their own",
        "A rotation removes what nothing uses",
    )

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    purpose = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField(default=1)
    kek_id = models.CharField(max_length=32)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "purpose", "version"], name="one_key_per_version")
        ]

    @property
    def aad(self) -> bytes:
        """What the wrapping binds: a wrapped key does not open for another workspace, purpose or version."""
        return f"{self.workspace_id}|{self.purpose}|{self.version}".encode()

    def unwrap(self) -> bytes:
        """The key. Raises Unreadable."""
        try:
            return provider().unwrap(self.kek_id, bytes(self.wrapped), self.aad)
        except Unreadable as error:
            raise Unreadable(f"{self.purpose} key of workspace {self.workspace_id}: {error}") from error


class KeyRotation(models.Model):
    """One run through all workspaces; while `finished_at` is empty, the next start goes on with it."""

    inventory = Kept(Data.SYSTEM, "How far a rotation of keys has come", "With the next rotation")

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "accounts"


def newest_key(workspace_id: uuid.UUID, purpose: str) -> tuple[int, bytes]:
    """(version, key) that encrypts now, minted on first use. Raises Unreadable."""
    # Only data keys ever get another version: the rest is asked for once per process.
    period = int(time.monotonic() / settings.KEY_REFRESH_SECONDS) if purpose == DATA else 0
    version = _newest_version(workspace_id, purpose, period)
    return version, key_of(workspace_id, purpose, version)


@functools.lru_cache(maxsize=4096)
def _newest_version(workspace_id: uuid.UUID, purpose: str, period: int) -> int:
    rows = WorkspaceKey.objects.filter(workspace_id=workspace_id, purpose=purpose).order_by("-version")
    found = rows.values_list("version", flat=True).first()
    if found is None:
        mint(workspace_id, purpose, version=1)
        found = rows.values_list("version", flat=True)[0]
    return found


@functools.lru_cache(maxsize=4096)
def key_of(workspace_id: uuid.UUID, purpose: str, version: int) -> bytes:
    """The key of one version. Raises Unreadable."""
    row = WorkspaceKey.objects.filter(workspace_id=workspace_id, purpose=purpose, version=version).first()
    if row is None:
        raise Unreadable(f"no {purpose} key, version {version}, for workspace {workspace_id}")
    return row.unwrap()


def mint(workspace_id: uuid.UUID, purpose: str, *, version: int, plain: bytes | None = None) -> None:
    """Store a new key, unless another process has done so: the row in the key store counts."""
    row = WorkspaceKey(workspace_id=workspace_id, purpose=purpose, version=version)
    row.kek_id, row.wrapped = provider().wrap(plain or os.urandom(32), row.aad)
    try:
        with transaction.atomic(using=KEYSTORE):
            row.save(using=KEYSTORE, force_insert=True)
    except IntegrityError:
        pass


def platform_purpose(purpose: str) -> str:
    return f"platform:{purpose}"


def keep_platform_key(keys: type[models.Model]) -> None:
    """For an installation that already has keys: identities made from SECRET_KEY go on matching.

    Before there was a platform key, HMACs across workspaces were made with one derived from SECRET_KEY. That
    one becomes the platform key, so that SECRET_KEY may change from now on. `keys` is the migration's model.
    """
    if not keys._default_manager.using(KEYSTORE).exists():
        return
    # Fallbacks could not be set then: whoever sets them with this upgrade names the former secret last.
    secret = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS][-1]
    purpose = platform_purpose("mailbox")
    mint(INSTALLATION, purpose, version=1, plain=hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def learn_newest() -> None:
    """Ask anew which versions are the newest, before the period is over."""
    _newest_version.cache_clear()


def forget_keys() -> None:
    """Drop what is held in memory (tests; after an erasure)."""
    learn_newest()
    key_of.cache_clear()
    provider.cache_clear()
