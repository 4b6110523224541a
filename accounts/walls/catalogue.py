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


def read(connection: BaseDatabaseWrapper) -> Catalogue:
    """The catalogue of the connection's schema, as far as the wall is concerned."""

    def rows(sql: str, *values: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    role = settings.DATABASE_ROLE
    schema, exists = rows(_PLACE, role)[0]
    everything = rows(_TABLES)
    tables = {name: Table(secured, forced) for name, secured, forced, _ in everything}
    unique: dict[str, set[tuple[str, ...]]] = {}
    foreign = {}
    for kind, name, table, columns, to, to_columns, validated, deferred in rows(_CONSTRAINTS):
        if kind != "f":
            unique.setdefault(table, set()).add(tuple(columns))
        elif len(columns) == 2 and columns[0] == to_columns[0] == "workspace_id":
            foreign[table, columns[1], to, to_columns[1]] = Foreign(name, validated, deferred)
    policies: dict[str, dict[str, tuple[str, str]]] = {}
    for table, name, using, check, plain in rows(_POLICIES):
        policies.setdefault(table, {})[name] = (using, check) if plain else ("", "")
    held = dict(rows(_RIGHTS, role, role)) if exists else {}
    return Catalogue(
        schema=schema,
        tables=tables,
        with_workspace=frozenset(name for name, _, _, has in everything if has),
        unique=unique,
        foreign=foreign,
        policies=policies,
        triggers=frozenset((table, name) for table, name in rows(_TRIGGERS)),
        functions={name: (body, definer) for name, body, definer in rows(_FUNCTIONS)},
        open_views=[name for (name,) in rows(_VIEWS)],
        role_exists=exists,
        may_use_schema=exists and bool(rows(_MAY_USE_SCHEMA, role)[0][0]),
        rights={table: frozenset(held.get(table, ())) for table in tables},
        closed_sequences=[name for (name,) in rows(_SEQUENCES, role)] if exists else [],
    )


_PLACE = "SELECT current_schema()::text, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
_MAY_USE_SCHEMA = "SELECT has_schema_privilege(%s, current_schema(), 'USAGE')"

_TABLES = """
SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity, EXISTS (
    SELECT FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
)
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
"""

# Some rights can be given for one column alone; that counts.
_RIGHTS = """
SELECT c.relname::text, array_agg(r.name)
FROM pg_class c CROSS JOIN unnest(
    ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
) AS r(name)
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND CASE
    WHEN r.name IN ('DELETE', 'TRUNCATE', 'TRIGGER') THEN has_table_privilege(%s, c.oid, r.name)
    ELSE has_any_column_privilege(%s, c.oid, r.name)
END
GROUP BY 1
"""

# CASE, because the function refuses what is no sequence.
_SEQUENCES = """
SELECT relname::text FROM pg_class
WHERE CASE WHEN relnamespace = current_schema()::regnamespace AND relkind = 'S'
    THEN NOT has_sequence_privilege(%s, oid, 'USAGE') ELSE false END
"""

_FUNCTIONS = """
SELECT proname::text, prosrc, prosecdef FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
"""

_VIEWS = """
SELECT relname::text FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND (
    relkind = 'm' OR relkind = 'v'
    AND NOT coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on}'
)
"""

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
