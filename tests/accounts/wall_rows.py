"""Plain SQL round every manager, and a row for any table."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection

from tests.roles import as_owner


def ask(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return [row[0] for row in cursor.fetchall()]


def change(sql: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return int(cursor.rowcount)


SOME = {
    "uuid": "gen_random_uuid()", "boolean": "false", "bytea": "uuid_send(gen_random_uuid())", "date": "now()",
    "timestamp with time zone": "now()", "time without time zone": "'09:00'", "interval": "'0'",
    "jsonb": "'[]'", "inet": "'192.0.2.1'", "ARRAY": "'{}'", "text": "md5(random()::text)",
    "character varying": "left(md5(random()::text), {most})",
}  # fmt: skip


def row_of(table: str, here: uuid.UUID) -> tuple[str, list[Any]]:
    """An INSERT that fills every column that must have a value; the table's own rules for words are gone."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered before
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table]
        )
        for (rule,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{rule}"')
        cursor.execute(
            "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO' "
            "AND column_name <> 'workspace_id'",
            [table],
        )
        columns = cursor.fetchall()
    names = ", ".join(f'"{name}"' for name, _, _ in columns)
    values = ", ".join(SOME.get(kind, "1").replace("{most}", str(most)) for _, kind, most in columns)
    return f'INSERT INTO "{table}" (workspace_id, {names}) VALUES (%s, {values})', [here]  # noqa: S608
