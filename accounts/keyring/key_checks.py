"""System checks of the keys: a start that could not read what is stored is refused, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from accounts.keyring.keystore import KEYSTORE, WorkspaceKey
from accounts.keyring.providers import provider
from accounts.keyring.rotation import missing_wrapping_keys


@register()
def keys_are_given(**_: Any) -> list[CheckMessage]:
    """KEYS can be read; and an old data key outlives every process that may still write under it."""
    problems: list[CheckMessage] = []
    try:
        provider()
    except (ImproperlyConfigured, ImportError) as error:
        problems.append(Error(str(error), id="outreach.K001"))
    if settings.KEY_GRACE_SECONDS <= settings.KEY_REFRESH_SECONDS + settings.WORKER_HARD_LIMIT_SECONDS:
        problems.append(
            Error(
                "KEY_GRACE_SECONDS must be larger than KEY_REFRESH_SECONDS plus WORKER_HARD_LIMIT_SECONDS",
                id="outreach.K002",
            )
        )
    return problems


@register(deploy=True)
def stored_keys_open(**_: Any) -> list[CheckMessage]:
    """Every wrapping key that the key store names is there, and opens what it wrapped."""
    try:
        provider()
    except (ImproperlyConfigured, ImportError):
        return []  # K001 says so.
    if WorkspaceKey._meta.db_table not in connections[KEYSTORE].introspection.table_names():
        return []  # Before the first migrate.
    return [
        Error(fault, hint="Put the key back into KEYS, or restore the key store.", id="outreach.K003")
        for fault in missing_wrapping_keys()
    ]


@register(Tags.database)
def stored_keys_open_before_migrate(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    return stored_keys_open() if KEYSTORE in (databases or ()) else []
