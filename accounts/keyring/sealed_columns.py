"""Every encrypted column of every table, found from the models: counted by key version, and encrypted anew.

The statements are raw, because a row is written only where the ciphertext is still the one that was read, and
an encrypted column cannot be compared through the ORM. Each stands alone: no lock outlives one row.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models

from accounts.encryption import EncryptedTextField, Unreadable, reseal, version_of

BATCH = 200


@dataclass(frozen=True)
class SealedTable:
    """A table with ciphertext: its key's column, and the encrypted ones."""

    name: str
    key: str
    columns: tuple[str, ...]

    def place(self, column: str, pk: Any) -> str:
        """As `EncryptedTextField.place_of` names it."""
        return f"{self.name}|{column}|{pk}"


@dataclass
class Swept:
    """What one pass over one workspace did."""

    moved: int = 0
    # Somebody wrote the row at the same moment: their value counts, the next pass looks at it again.
    passed_over: int = 0
    unreadable: list[str] = field(default_factory=list)


def models_with_ciphertext() -> list[type[models.Model]]:
    """Raises ImproperlyConfigured for a model whose ciphertext belongs to no workspace."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        options = model._meta
        if options.proxy or not options.managed or not sealed_fields(model):
            continue
        if not any(f.column == "workspace_id" for f in options.local_concrete_fields):
            raise ImproperlyConfigured(f"{options.label} has ciphertext and no workspace: no key fits it")
        found.append(model)
    return sorted(found, key=lambda model: model._meta.db_table)


def sealed_fields(model: type[models.Model]) -> list[EncryptedTextField]:
    return [f for f in model._meta.local_concrete_fields if isinstance(f, EncryptedTextField)]


def tables() -> list[SealedTable]:
    """Every table with ciphertext. Raises ImproperlyConfigured as above."""
    return [
        SealedTable(
            model._meta.db_table,
            str(model._meta.pk.column),
            tuple(str(f.column) for f in sealed_fields(model)),
        )
        for model in models_with_ciphertext()
    ]


def count_by_version(workspace_id: uuid.UUID) -> Counter[int]:
    """How many values of the open workspace stand under each version of its data key."""
    counted: Counter[int] = Counter()
    for table in tables():
        for column in table.columns:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT {_version(column)}, count(*) FROM {_q(table.name)} "  # noqa: S608  # nosec B608  (names of models)
                    f"WHERE workspace_id = %s AND {_q(column)} IS NOT NULL GROUP BY 1",
                    [workspace_id],
                )
                counted.update(dict(cursor.fetchall()))
    return counted


def sweep(workspace_id: uuid.UUID, *, newest: int) -> Swept:
    """Bring every value of the open workspace under the newest version; one pass over all tables."""
    done = Swept()
    for table in tables():
        for pk, values in _stale(table, workspace_id, newest=newest):
            try:
                renewed = {
                    column: reseal(workspace_id, table.place(column, pk), blob, version=newest)
                    for column, blob in values.items()
                }
            except Unreadable as error:
                done.unreadable.append(f"{table.name} {pk}: {error}")
                continue
            if _replace(table, pk, workspace_id, values, renewed):
                done.moved += len(values)
            else:
                done.passed_over += 1
    return done


def _stale(
    table: SealedTable, workspace_id: uuid.UUID, *, newest: int
) -> Iterator[tuple[Any, dict[str, bytes]]]:
    """(key, values under other versions) of each row that holds any, in the order of keys."""
    columns = ", ".join(map(_q, table.columns))
    others = " OR ".join(f"{_version(column)} <> %s" for column in table.columns)
    after: Any = None
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {_q(table.key)}, {columns} FROM {_q(table.name)} "  # noqa: S608  # nosec B608  (names of models)
                f"WHERE workspace_id = %s AND (%s IS NULL OR {_q(table.key)} > %s) AND ({others}) "
                f"ORDER BY {_q(table.key)} LIMIT %s",
                [workspace_id, after, after, *[newest] * len(table.columns), BATCH],
            )
            rows = cursor.fetchall()
        for pk, *blobs in rows:
            held = {
                column: bytes(blob)
                for column, blob in zip(table.columns, blobs, strict=True)
                if blob is not None
            }
            yield pk, {column: blob for column, blob in held.items() if version_of(blob) != newest}
        if len(rows) < BATCH:
            return
        after = rows[-1][0]


def _replace(
    table: SealedTable,
    pk: Any,
    workspace_id: uuid.UUID,
    read: dict[str, bytes],
    renewed: dict[str, bytes],
) -> bool:
    """Whether the row still held what was read, and now holds the same under the newest version."""
    new = ", ".join(f"{_q(column)} = %s" for column in renewed)
    same = " AND ".join(f"{_q(column)} = %s" for column in read)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_q(table.name)} SET {new} "  # noqa: S608  # nosec B608  (names of models)
            f"WHERE {_q(table.key)} = %s AND workspace_id = %s AND {same}",
            [*renewed.values(), pk, workspace_id, *read.values()],
        )
        return bool(cursor.rowcount == 1)


def _version(column: str) -> str:
    """The SQL of `version_of`: NULL for an empty column, -1 for what is no ciphertext of ours."""
    c = _q(column)
    return f"CASE WHEN length({c}) < 3 THEN -1 ELSE get_byte({c}, 1) * 256 + get_byte({c}, 2) END"


def _q(name: str) -> str:
    return connection.ops.quote_name(name)
