"""What PostgreSQL's catalogue says about tables, policies, references and rights, in one reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Table:
    secured: bool
    forced: bool


@dataclass(frozen=True)
class Foreign:
    name: str
    validated: bool
    deferred: bool


@dataclass(frozen=True)
class Catalogue:
    """`unique` holds ordered columns; `foreign` composite references that begin with the workspace.

    `policies` are (USING, WITH CHECK) of those for everybody and everything, other kinds stand as ("", "").
    `triggers` are (table, name) of enabled ones. `functions` are (body, runs as its owner). `rights` is what
    the application's role may do with a table, or with any column of it.
    """

    schema: str
    tables: dict[str, Table]
    with_workspace: frozenset[str]
    unique: dict[str, set[tuple[str, ...]]]
    foreign: dict[tuple[str, str, str, str], Foreign]
    policies: dict[str, dict[str, tuple[str, str]]]
    triggers: frozenset[tuple[str, str]]
    functions: dict[str, tuple[str, bool]]
    open_views: list[str]
    role_exists: bool
    may_use_schema: bool
    rights: dict[str, frozenset[str]]
    closed_sequences: list[str]


_HERE = "relnamespace = current_schema()::regnamespace"
_RIGHTS = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]


def _may(right: str) -> str:
    """SQL: whether a role has this right to a table; where rights to columns exist, to any column."""
    any_column = right in ("SELECT", "INSERT", "UPDATE", "REFERENCES")
    return f"has_{'any_column' if any_column else 'table'}_privilege(%s, oid, '{right}')"


def read(connection: BaseDatabaseWrapper) -> Catalogue:
    """The catalogue of the connection's schema, as far as the wall is concerned."""

    def rows(sql: str, *values: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    role = settings.DATABASE_ROLE
    tables = {
        name: Table(secured, forced)
        for name, secured, forced in rows(
            f"SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class "  # noqa: S608
            f"WHERE {_HERE} AND relkind IN ('r', 'p')"
        )
    }
    unique: dict[str, set[tuple[str, ...]]] = {}
    foreign = {}
    for kind, name, table, columns, to, to_columns, validated, deferred in rows(_CONSTRAINTS):
        if kind == "f":
            if len(columns) == 2 and columns[0] == to_columns[0] == "workspace_id":
                foreign[table, columns[1], to, to_columns[1]] = Foreign(name, validated, deferred)
        else:
            unique.setdefault(table, set()).add(tuple(columns))
    policies: dict[str, dict[str, tuple[str, str]]] = {}
    for table, name, using, check, plain in rows(_POLICIES):
        policies.setdefault(table, {})[name] = (using, check) if plain else ("", "")
    exists = bool(rows("SELECT 1 FROM pg_roles WHERE rolname = %s", role))
    rights: dict[str, frozenset[str]] = {}
    if exists:
        for table, *held in rows(
            f"SELECT relname, {', '.join(_may(right) for right in _RIGHTS)} "  # noqa: S608
            f"FROM pg_class WHERE {_HERE} AND relkind IN ('r', 'p')",
            *[role] * len(_RIGHTS),
        ):
            rights[table] = frozenset(right for right, may in zip(_RIGHTS, held, strict=True) if may)
    schema, may_use = rows(
        "SELECT current_schema()::text, "
        + ("has_schema_privilege(%s, current_schema(), 'USAGE')" if exists else "false"),
        *([role] if exists else []),
    )[0]
    return Catalogue(
        schema=schema,
        tables=tables,
        with_workspace=frozenset(
            name
            for (name,) in rows(
                f"SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE {_HERE} "  # noqa: S608
                "AND relkind IN ('r', 'p') AND attname = 'workspace_id' AND NOT attisdropped"
            )
        ),
        unique=unique,
        foreign=foreign,
        policies=policies,
        triggers=frozenset((table, name) for table, name in rows(_TRIGGERS)),
        functions={
            name: (body, definer)
            for name, body, definer in rows(
                "SELECT proname, prosrc, prosecdef FROM pg_proc "
                "WHERE pronamespace = current_schema()::regnamespace"
            )
        },
        open_views=[
            name
            for (name,) in rows(
                f"SELECT relname FROM pg_class WHERE {_HERE} AND (relkind = 'm' OR relkind = 'v' AND NOT "  # noqa: S608
                "coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on}')"
            )
        ],
        role_exists=exists,
        may_use_schema=may_use,
        rights=rights,
        closed_sequences=[
            name
            for (name,) in (
                rows(
                    # In this order: the function refuses what is no sequence.
                    f"SELECT relname FROM pg_class WHERE CASE WHEN {_HERE} AND relkind = 'S' "  # noqa: S608
                    "THEN NOT has_sequence_privilege(%s, oid, 'USAGE') ELSE false END",
                    role,
                )
                if exists
                else []
            )
        ],
    )


_CONSTRAINTS = """
SELECT k.contype::text, k.conname::text, c.relname::text,
    (SELECT array_agg(a.attname::text ORDER BY n) FROM unnest(k.conkey) WITH ORDINALITY AS u(i, n)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.i),
    t.relname::text,
    (SELECT array_agg(a.attname::text ORDER BY n) FROM unnest(k.confkey) WITH ORDINALITY AS u(i, n)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.i),
    k.convalidated, k.condeferrable AND k.condeferred
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class t ON t.oid = k.confrelid
WHERE c.relnamespace = current_schema()::regnamespace AND k.contype IN ('u', 'p', 'f')
"""

_POLICIES = """
SELECT c.relname::text, p.polname::text,
    coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''),
    p.polpermissive AND p.polcmd = '*' AND p.polroles = '{0}'
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = current_schema()::regnamespace
"""

_TRIGGERS = """
SELECT c.relname::text, t.tgname::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
"""
