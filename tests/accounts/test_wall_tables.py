"""Every table and every reference stands behind the wall: those of the models, a new one by being there."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.backends.utils import truncate_name

from accounts.models import Workspace
from accounts.tenancy import workspace
from accounts.walls import rules
from accounts.walls.rules import Reference
from mailbox.models import Mailbox
from outreach.models import Thread
from tests.accounts.wall_rows import ask, change, row_of
from tests.roles import as_owner

pytestmark = pytest.mark.django_db
TABLES = rules.tenant_tables("default")
REFERENCES = rules.references("default")


@pytest.mark.parametrize("table", TABLES)
def test_it_stands_before_every_table(table: str, both: tuple[Workspace, Workspace]) -> None:
    """Generated: one row each, copied by somebody who may, seen by its own workspace alone."""
    ours, theirs = both
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(*row_of(table, ours.pk))
        cursor.execute("SET LOCAL session_replication_role = origin")
    count = f'SELECT count(*) FROM "{table}" WHERE workspace_id = %s'  # noqa: S608
    assert ask(count, ours.pk) == [0]
    with workspace(theirs):
        assert ask(count, ours.pk) == [0]
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(*row_of(table, ours.pk))
        if table not in rules.APPEND_ONLY:
            assert change(f'UPDATE "{table}" SET id = id WHERE workspace_id = %s', ours.pk) == 0  # noqa: S608
            assert change(f'DELETE FROM "{table}" WHERE workspace_id = %s', ours.pk) == 0  # noqa: S608
    with workspace(ours):
        assert ask(count, ours.pk)[0] >= 1


# --- references ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", REFERENCES, ids=lambda one: f"{one.table}.{one.column}")
def test_it_refuses_a_reference_into_another_workspace(
    one: Reference, both: tuple[Workspace, Workspace]
) -> None:
    """Generated: the database's own check, whoever asks. Both rows are there, and Django's own key holds."""
    ours, theirs = both
    ids = {}
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for end, table, here in (("to", one.to, theirs), ("from", one.table, ours)):
            sql, values = row_of(table, here.pk)
            cursor.execute(f"{sql} RETURNING id", values)
            ids[end] = cursor.fetchone()[0]
        cursor.execute("SET LOCAL session_replication_role = origin")
        if one.table in rules.APPEND_ONLY:
            cursor.execute(f'ALTER TABLE "{one.table}" DISABLE TRIGGER wall_rows')
        cursor.execute(
            f'UPDATE "{one.table}" SET "{one.column}" = %s WHERE id = %s',  # noqa: S608
            [ids["to"], ids["from"]],
        )
    own = ask(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass "
        "AND cardinality(conkey) = 1 AND pg_get_constraintdef(oid) LIKE %s",
        one.table,
        f"FOREIGN KEY ({one.column})%",
    )
    for name in own:
        change(f'SET CONSTRAINTS "{name}" IMMEDIATE')
    wall = truncate_name(f"wall_{one.table}_{one.column}", 63)
    with pytest.raises(IntegrityError, match=wall), transaction.atomic():
        change(f'SET CONSTRAINTS "{wall}" IMMEDIATE')
    transaction.set_rollback(True)


def test_it_knows_enough_tables_and_references() -> None:
    assert len(TABLES) >= 24
    assert len(REFERENCES) >= 30
    assert Reference("outreach_campaign", "project_id", "outreach_project", "id") in REFERENCES
    assert {Mailbox._meta.db_table, Thread._meta.db_table} <= set(TABLES)


# --- what only grows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", sorted(rules.APPEND_ONLY))
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_it_lets_nobody_change_what_only_grows(
    table: str, act: str, both: tuple[Workspace, Workspace]
) -> None:
    with workspace(both[0]), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        change(act.format(table))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(*row_of(table, both[0].pk))
        cursor.execute("SET LOCAL session_replication_role = origin")
    with pytest.raises(ProgrammingError, match="only grows"), as_owner():
        change(act.format(table))
