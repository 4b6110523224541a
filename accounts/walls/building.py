"""Raises the wall after each migrate, by the role that owns the tables. What stands is left alone."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate, pre_migrate

from accounts.walls import gaps, rules
from accounts.walls.catalogue import read


def build(connection: BaseDatabaseWrapper) -> int:
    """Mend what is missing; how many gaps were closed. May be run at any time, beside the running product.

    Each statement stands alone, so that no lock is held for longer than one takes. Raises
    ImproperlyConfigured when the application's role does not exist.
    """
    closed = 0
    for gap in gaps.gaps(connection):
        if "does not exist" in gap.sentence:
            raise ImproperlyConfigured(gap.sentence)
        with connection.cursor() as cursor:
            for statement in gap.mend:
                cursor.execute(statement)
        closed += bool(gap.mend)
    return closed


def lower(connection: BaseDatabaseWrapper) -> None:
    """Let the owner see the rows that a migration is to change. The application's role stays behind it."""
    found = read(connection)
    for table in rules.tenant_tables(connection.alias):
        if table in found.tables and found.tables[table].forced:
            with connection.cursor() as cursor:
                cursor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')


def _owns(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(pg_has_role(current_user, relowner, 'USAGE')) FROM pg_class "
            "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
        )
        return bool(cursor.fetchone()[0])


def _before(*, using: str, plan: list[Any], **_: Any) -> None:
    if plan and _owns(connections[using]):
        lower(connections[using])


def _after(*, using: str, **_: Any) -> None:
    if _owns(connections[using]):
        build(connections[using])


def install(sender: Any) -> None:
    """Around each `migrate`, once: `sender` is one app's configuration."""
    pre_migrate.connect(_before, sender=sender, dispatch_uid="accounts.lower_walls")
    post_migrate.connect(_after, sender=sender, dispatch_uid="accounts.build_walls")
