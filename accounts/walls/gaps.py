"""Compares a database with the rules: what is missing, in words, and the statements that mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import truncate_name

from accounts.walls import rules
from accounts.walls.catalogue import Catalogue, read

APPEND_ONLY_BODY = """
BEGIN
    RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
"""


@dataclass(frozen=True)
class Gap:
    """`sentence` says what is wrong; `mend` are statements, empty where a person has to decide."""

    sentence: str
    mend: tuple[str, ...] = ()


def gaps(connection: BaseDatabaseWrapper) -> list[Gap]:
    """Everything in which this database differs from accounts/walls/rules.py, in the order of mending."""
    found = read(connection)
    alias = connection.alias
    missing = [table for table in rules.tenant_tables(alias) if table not in found.tables]
    if missing:
        return [Gap(f"{table} is not there: run migrate") for table in missing]
    return [
        *_append_only(found),
        *_references(found, alias),
        *_policies(found, alias),
        *_row_security(found, alias),
        *_unknown(found, alias),
        *_ways_round(found),
        *_grants(found),
    ]


def _append_only(found: Catalogue) -> Iterator[Gap]:
    guarded = sorted(rules.APPEND_ONLY & found.tables.keys())
    if guarded and found.functions.get("wall_append_only", ("", False))[0] != APPEND_ONLY_BODY:
        yield Gap(
            "the function that keeps rows from being changed is missing or another one",
            (
                "CREATE OR REPLACE FUNCTION wall_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$wall${APPEND_ONLY_BODY}$wall$",
            ),
        )
    for table in guarded:
        for name, when in (
            ("wall_rows", "UPDATE OR DELETE ON {} FOR EACH ROW"),
            ("wall_all", "TRUNCATE ON {} FOR EACH STATEMENT"),
        ):
            if (table, name) not in found.triggers:
                yield Gap(
                    f"{table}: rows can be changed or deleted (trigger {name})",
                    (
                        f"CREATE OR REPLACE TRIGGER {name} BEFORE {when.format(_q(table))} "
                        "EXECUTE FUNCTION wall_append_only(); "
                        f"ALTER TABLE {_q(table)} ENABLE TRIGGER {name}",
                    ),
                )


def _references(found: Catalogue, alias: str) -> Iterator[Gap]:
    for to, column in sorted({(one.to, one.to_column) for one in rules.references(alias)}):
        if ("workspace_id", column) not in found.unique.get(to, set()):
            name = truncate_name(f"wall_{to}_{column}", 63)
            yield Gap(
                f"{to}: (workspace_id, {column}) is not unique, so that nothing can refer to both",
                (f"ALTER TABLE {_q(to)} ADD CONSTRAINT {_q(name)} UNIQUE (workspace_id, {_q(column)})",),
            )
    for one in rules.references(alias):
        standing = found.foreign.get((one.table, one.column, one.to, one.to_column))
        sentence = f"{one.table}.{one.column} can point into another workspace"
        if standing is None:
            yield Gap(sentence, tuple(_add(one, found)))
        elif not standing.deferred:
            yield Gap(
                f"{one.table}.{one.column}: its wall stands in the way before a transaction ends",
                (
                    f"ALTER TABLE {_q(one.table)} ALTER CONSTRAINT {_q(standing.name)} "
                    "DEFERRABLE INITIALLY DEFERRED",
                ),
            )
        elif not standing.validated:
            yield Gap(f"{sentence}: never looked at", tuple(_validate(one, standing.name, found)))


def _add(one: rules.Reference, found: Catalogue) -> Iterator[str]:
    """First for new rows only, which takes a moment; then the old ones are looked at beside the traffic."""
    name = truncate_name(f"wall_{one.table}_{one.column}", 63)
    yield (
        f"ALTER TABLE {_q(one.table)} ADD CONSTRAINT {_q(name)} FOREIGN KEY (workspace_id, {_q(one.column)}) "
        f"REFERENCES {_q(one.to)} (workspace_id, {_q(one.to_column)}) DEFERRABLE INITIALLY DEFERRED NOT VALID"
    )
    yield from _validate(one, name, found)


def _validate(one: rules.Reference, name: str, found: Catalogue) -> Iterator[str]:
    """A forced wall would hide the rows from the owner's look, and the look would prove nothing."""
    forced = [table for table in dict.fromkeys((one.table, one.to)) if found.tables[table].forced]
    yield from (f"ALTER TABLE {_q(table)} NO FORCE ROW LEVEL SECURITY" for table in forced)
    yield f"ALTER TABLE {_q(one.table)} VALIDATE CONSTRAINT {_q(name)}"
    yield from (f"ALTER TABLE {_q(table)} FORCE ROW LEVEL SECURITY" for table in forced)


def _policies(found: Catalogue, alias: str) -> Iterator[Gap]:
    for table in rules.tenant_tables(alias):
        others = found.policies.get(table, {})
        if others.get(rules.POLICY) != (rules.RULE, rules.RULE):
            yield Gap(
                f"{table}: no policy keeps workspaces apart",
                (
                    f"DROP POLICY IF EXISTS {rules.POLICY} ON {_q(table)}; "
                    f"CREATE POLICY {rules.POLICY} ON {_q(table)} USING {rules.RULE} WITH CHECK {rules.RULE}",
                ),
            )
        for name in sorted(set(others) - {rules.POLICY}):
            yield Gap(
                f"{table}: policy {name} opens a second way", (f"DROP POLICY {_q(name)} ON {_q(table)}",)
            )


def _row_security(found: Catalogue, alias: str) -> Iterator[Gap]:
    for table in rules.tenant_tables(alias):
        force = table not in rules.UNFORCED
        if not found.tables[table].secured or found.tables[table].forced != force:
            words = "enabled and forced" if force else "enabled for all but its owner"
            yield Gap(
                f"{table}: row-level security is not {words}",
                (
                    f"ALTER TABLE {_q(table)} ENABLE ROW LEVEL SECURITY, "
                    f"{'' if force else 'NO '}FORCE ROW LEVEL SECURITY",
                ),
            )


def _unknown(found: Catalogue, alias: str) -> Iterator[Gap]:
    known = {*rules.tenant_tables(alias), *rules.DIRECTORY}
    for table in sorted(found.with_workspace - known):
        yield Gap(f"{table} has a workspace_id, and is neither behind the wall nor in the directory")


def _ways_round(found: Catalogue) -> Iterator[Gap]:
    for view in found.open_views:
        yield Gap(f"{view} is a view that reads as its owner")
    for name, (_, definer) in sorted(found.functions.items()):
        if definer and name not in rules.DEFINERS:
            yield Gap(f"{name}() runs as its owner and is not on the list")


def _grants(found: Catalogue) -> Iterator[Gap]:
    role = settings.DATABASE_ROLE
    if not found.role_exists:
        yield Gap(f"the role {role} does not exist: docs/operating.md, Roles")
        return
    if not found.may_use_schema:
        yield Gap(f"{role} may not use the schema", (f"GRANT USAGE ON SCHEMA {found.schema} TO {_q(role)}",))
    for table, held in sorted(found.rights.items()):
        wanted = rules.rights(table)
        if held == wanted:
            continue
        mend = f"REVOKE ALL ON {_q(table)} FROM {_q(role)}; "
        mend += f"GRANT {', '.join(sorted(wanted))} ON {_q(table)} TO {_q(role)}"
        wrong = ", ".join(sorted(held ^ wanted))
        yield Gap(f"{table}: {role} may do more or less than it should ({wrong})", (mend,))
    for sequence in found.closed_sequences:
        yield Gap(
            f"{role} may not use {sequence}",
            (f"GRANT USAGE, SELECT ON SEQUENCE {_q(sequence)} TO {_q(role)}",),
        )


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def role_faults(connection: BaseDatabaseWrapper) -> list[str]:
    """What the connected role is or may become that no wall would hold."""
    # Tests come in as somebody who may look across, and then work as the application's role.
    names = ["current_user"] if settings.TESTING else ["session_user", "current_user"]
    faults: list[str] = []
    for who in names:
        faults += [fault for fault in _faults_of(connection, who) if fault not in faults]
    return faults


def _faults_of(connection: BaseDatabaseWrapper, who: str) -> list[str]:
    def ask(sql: str, *values: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql.replace("{who}", who), values or None)
            return [row[0] for row in cursor.fetchall()]

    name = ask("SELECT {who}::text")[0]
    above = ask(
        "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND pg_has_role({who}, oid, 'MEMBER') "
        "ORDER BY rolname <> {who}, rolname LIMIT 1"
    )
    if above:
        return [f"the product connects as {name}, which is or may become {above[0]}: no wall binds that role"]
    found = [
        f"the product connects as {name}, which owns {table} or may become its owner"
        for table in ask(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relkind IN ('r', 'p') AND pg_has_role({who}, relowner, 'MEMBER') ORDER BY 1 LIMIT 3"
        )
    ]
    if ask("SELECT has_schema_privilege({who}, current_schema(), 'CREATE')")[0]:
        found.append(f"the product connects as {name}, which may create tables")
    member = "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role({who}, oid, 'MEMBER')"
    if not ask(member, settings.DATABASE_ROLE):
        found.append(f"the product connects as {name}, DATABASE_ROLE is {settings.DATABASE_ROLE}")
    return found


def faults(connection: BaseDatabaseWrapper) -> list[str]:
    """Every reason not to start on this database, in sentences; empty when the wall stands."""
    return role_faults(connection) + [gap.sentence for gap in gaps(connection)]


def insist() -> None:
    """For the start of a process that serves workspaces. Raises ImproperlyConfigured with every fault."""
    for connection in connections.all():
        found = faults(connection)
        if not connection.in_atomic_block:
            connection.close()
        if found:
            raise ImproperlyConfigured(
                f"the walls between workspaces do not stand ({connection.alias}):\n  " + "\n  ".join(found)
            )
