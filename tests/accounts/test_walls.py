"""The second wall: PostgreSQL itself shows the rows of the open workspace and no other (threats T1).

Everything here goes round the manager with plain SQL, as a query that forgets the workspace would. Tables and
references are those of the models: a new one is tested by being there.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, connections, transaction
from django.db.backends.utils import truncate_name
from django.db.models import Manager
from django.db.models.query import QuerySet
from django.test.utils import CaptureQueriesContext
from psycopg2.sql import SQL

from accounts import walls
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from accounts.walls import Reference
from mailbox.models import Mailbox
from outreach.models import Project, Thread
from tests import factories
from tests.roles import app_url, as_owner

pytestmark = pytest.mark.django_db
TABLES = walls.tenant_tables("default")
REFERENCES = walls.references("default")


@pytest.fixture
def both(db: None) -> tuple[Workspace, Workspace]:
    """Two bare workspaces with a project each."""
    ours, theirs = (Workspace.objects.create(name=name, slug=name.lower()) for name in ("Ours", "Theirs"))
    for here in (ours, theirs):
        with workspace(here):
            Project.objects.create(name=here.name)
    return ours, theirs


def ask(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return [row[0] for row in cursor.fetchall()]


def change(sql: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return int(cursor.rowcount)


def everything() -> QuerySet[Project]:
    """Round the manager."""
    return QuerySet(Project)


def names() -> list[str]:
    return sorted(project.name for project in everything())


# --- who the product is ----------------------------------------------------------------------------------


def test_it_connects_as_a_role_that_the_wall_binds(db: None) -> None:
    mine = "FROM pg_roles WHERE rolname = current_user"
    assert ask("SELECT rolname || rolsuper || rolbypassrls || rolcreaterole " + mine) == [
        "outreach_appfalsefalsefalse"
    ]
    with as_owner():
        assert ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [True]
    assert ask("SELECT current_user::text") == ["outreach_app"]
    owners = ask("SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'")
    assert owners == ["outreach"]


def test_it_connects_so_on_every_thread(transactional_db: None) -> None:
    found: list[str] = []

    def look() -> None:
        try:
            found.extend(ask("SELECT current_user::text"))
        finally:
            connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == ["outreach_app"]


@pytest.mark.parametrize(
    "forbidden",
    [
        "SET ROLE outreach",
        "SET ROLE postgres",
        "SET session_replication_role = replica",
        "SET row_security = off; SELECT count(*) FROM outreach_project",
        "TRUNCATE outreach_project",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE outreach_project DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE outreach_project NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY workspace_wall ON outreach_project",
        "CREATE POLICY mine ON outreach_project USING (true)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "UPDATE django_migrations SET name = 'x'",
        "COPY outreach_project TO PROGRAM 'true'",
    ],
)
def test_it_has_no_way_round(transactional_db: None, forbidden: str) -> None:
    """Signed in as the product is in production: not as somebody who has put the role on."""
    server = psycopg2.connect(app_url())
    try:
        with server.cursor() as cursor, pytest.raises(psycopg2.Error) as refused:
            cursor.execute(forbidden)
        assert refused.value.pgcode == "42501", refused.value  # insufficient_privilege
    finally:
        server.close()


# --- what is seen ----------------------------------------------------------------------------------------


def test_it_shows_nothing_without_a_workspace(both: object) -> None:
    assert names() == []
    assert ask("SELECT name FROM outreach_project") == []
    assert [project.name for project in everything().iterator()] == []


def test_it_shows_the_open_workspace_to_a_query_that_forgets_it(both: tuple[Workspace, Workspace]) -> None:
    ours, theirs = both
    with workspace(ours):
        assert names() == ["Ours"]
        assert [project.name for project in everything().iterator()] == ["Ours"]
        with workspace(theirs):
            assert names() == ["Theirs"]
        assert names() == ["Ours"]
    assert names() == []


def test_it_changes_no_row_of_another_workspace(both: tuple[Workspace, Workspace]) -> None:
    ours, theirs = both
    with workspace(theirs):
        assert change("UPDATE outreach_project SET name = 'Taken'") == 1
        assert change("UPDATE outreach_project SET name = 'Taken' WHERE workspace_id = %s", ours.pk) == 0
        assert change("DELETE FROM outreach_project WHERE workspace_id = %s", ours.pk) == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            change("UPDATE outreach_project SET workspace_id = %s", ours.pk)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            everything().bulk_create([Project(name="Planted", workspace_id=ours.pk)])
    with workspace(ours):
        assert names() == ["Ours"]


def test_it_writes_nothing_without_a_workspace(both: tuple[Workspace, Workspace]) -> None:
    assert change("UPDATE outreach_project SET name = 'Taken'") == 0
    assert change("DELETE FROM outreach_project") == 0
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        everything().bulk_create([Project(name="Planted", workspace_id=both[0].pk)])


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
        if table not in walls.APPEND_ONLY:
            assert change(f'UPDATE "{table}" SET id = id WHERE workspace_id = %s', ours.pk) == 0  # noqa: S608
            assert change(f'DELETE FROM "{table}" WHERE workspace_id = %s', ours.pk) == 0  # noqa: S608
    with workspace(ours):
        assert ask(count, ours.pk)[0] >= 1


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


# --- the variable ----------------------------------------------------------------------------------------


def test_it_forgets_the_workspace_within_one_transaction(both: tuple[Workspace, Workspace]) -> None:
    with transaction.atomic():
        with workspace(both[0]):
            assert names() == ["Ours"]
        assert names() == []


def test_it_leaves_nothing_on_the_connection(
    transactional_db: None, both: tuple[Workspace, Workspace]
) -> None:
    with workspace(both[0]):
        assert names() == ["Ours"]
        assert raw("SELECT coalesce(current_setting('app.workspace', true), '')") == [("",)]
    assert raw("SELECT name FROM outreach_project") == []


def raw(sql: str) -> list[Any]:
    """Past Django's cursors, on the very same connection: nobody names a workspace."""
    connection.ensure_connection()
    assert connection.connection is not None
    with connection.connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def test_it_survives_an_exception_and_a_savepoint(both: tuple[Workspace, Workspace]) -> None:
    ours, theirs = both
    with workspace(ours):
        with pytest.raises(DatabaseError), transaction.atomic(), workspace(theirs):
            ask("SELECT nonsense FROM outreach_project")
        assert names() == ["Ours"]
        with transaction.atomic():
            with workspace(theirs):
                assert names() == ["Theirs"]
            transaction.set_rollback(True)
        assert names() == ["Ours"]
    assert names() == []


def test_it_survives_a_transaction_that_broke(
    transactional_db: None, both: tuple[Workspace, Workspace]
) -> None:
    with pytest.raises(DatabaseError), workspace(both[0]), transaction.atomic():
        ask("SELECT nonsense FROM outreach_project")
    assert names() == []
    with workspace(both[1]):
        assert names() == ["Theirs"]


def test_it_keeps_threads_apart(transactional_db: None, both: tuple[Workspace, Workspace]) -> None:
    wrong: list[object] = []

    def look(here: Workspace, name: str) -> None:
        try:
            for turn in range(25):
                with workspace(here):
                    wrong.extend(found for found in names() if found != name)
                    if turn % 2:
                        with transaction.atomic():
                            wrong.extend(found for found in names() if found != name)
                wrong.extend(names())
        finally:
            connections.close_all()

    pairs = zip(both * 3, ("Ours", "Theirs") * 3, strict=True)
    threads = [threading.Thread(target=look, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_it_costs_no_statement_of_its_own(both: tuple[Workspace, Workspace]) -> None:
    with workspace(both[0]), CaptureQueriesContext(connection) as seen:
        names()
    assert len(seen) == 1


def test_it_gives_the_statement_s_own_result(both: tuple[Workspace, Workspace]) -> None:
    """Counts, many at once, composed statements and plans, behind the name of the workspace."""
    with workspace(both[0]):
        rows = Project.objects.bulk_create([Project(name=f"P{number}") for number in range(3)])
        assert Project.objects.filter(pk__in=[row.pk for row in rows]).update(website="same") == 3
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE outreach_project SET website = %s WHERE id = %s", [("many", row.pk) for row in rows]
            )
            cursor.execute(SQL("SELECT count(*) FROM {}").format(SQL("outreach_project")))
            assert cursor.fetchone() == (4,)
        many = Project.objects.filter(website="many")
        assert many.count() == 3
        assert "Filter" in many.explain()
        assert many.delete()[0] == 3


def test_it_takes_nothing_but_a_uuid_for_a_workspace(both: tuple[Workspace, Workspace]) -> None:
    class Forged:
        pk = f"{both[0].pk}',true); SELECT set_config('x','"

    with pytest.raises(TypeError), workspace(Forged()):  # type: ignore[arg-type]
        names()


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
        if one.table in walls.APPEND_ONLY:
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


@pytest.mark.parametrize("table", sorted(walls.APPEND_ONLY))
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


# --- through the front door ------------------------------------------------------------------------------


@pytest.fixture
def open_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wall is gone: what a forgotten filter would be."""
    from accounts.tenancy import WorkspaceManager

    monkeypatch.setattr(WorkspaceManager, "get_queryset", Manager.get_queryset)


def test_it_holds_alone_when_the_manager_forgets(
    open_manager: None, ws: Workspace, owner: User, signed_in: Callable[[User], Any]
) -> None:
    elsewhere = Workspace.objects.create(name="Elsewhere", slug="elsewhere")
    with workspace(elsewhere):
        factories.make_contact("kingfisher@theirs.example", name="Kingfisher")
        project = factories.make_project("Kingfisher project")
    with workspace(ws):
        factories.make_contact("ana@ours.example", name="Ana Ours")
    client = signed_in(owner)
    for page in ("contacts", "projects"):
        answer = client.get(f"/w/{ws.slug}/{page}/")
        assert answer.status_code == 200
        assert b"ingfisher" not in answer.content
    assert b"Ana Ours" in client.get(f"/w/{ws.slug}/contacts/").content
    assert client.get(f"/w/{ws.slug}/projects/{project.pk}/").status_code == 404
