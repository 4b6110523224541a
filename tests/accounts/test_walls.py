"""The second wall: PostgreSQL itself shows the rows of the open workspace and no other (threats T1).

Everything here goes round the manager, as a query that forgets the workspace would.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, ProgrammingError, connection, connections, transaction
from django.db.models import Manager
from django.db.models.query import QuerySet
from django.test.utils import CaptureQueriesContext
from psycopg2.sql import SQL

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach.models import Project
from tests import factories
from tests.accounts.wall_rows import ask, change
from tests.roles import app_url, as_owner

pytestmark = pytest.mark.django_db


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
