"""A wall with a hole stops the start: each kind of hole is planted, named, and mended where it can be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, connections, models, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps, override_settings

from accounts import checks
from accounts.models import Workspace
from accounts.tenancy import WorkspaceModel, workspace
from accounts.walls import building, gaps, rules
from outreach.models import Project
from tests.roles import as_owner, environment

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]

CONTACTS, LOG, RIGHTS = "outreach_contact", "accounts_auditevent", "outreach_app may do more or less"
PLANTED = {
    f"DROP POLICY workspace_wall ON {CONTACTS}": f"{CONTACTS}: no policy keeps workspaces apart",
    f"ALTER POLICY workspace_wall ON {CONTACTS} USING (true)": f"{CONTACTS}: no policy keeps",
    f"CREATE POLICY also ON {CONTACTS} USING (true)": f"{CONTACTS}: policy also opens a second way",
    f"ALTER TABLE {CONTACTS} NO FORCE ROW LEVEL SECURITY": f"{CONTACTS}: row-level security is not",
    f"ALTER TABLE {CONTACTS} DISABLE ROW LEVEL SECURITY": f"{CONTACTS}: row-level security is not",
    "ALTER TABLE outreach_campaign DROP CONSTRAINT wall_outreach_campaign_project_id": (
        "outreach_campaign.project_id can point into another workspace"
    ),
    "ALTER TABLE outreach_campaign ALTER CONSTRAINT wall_outreach_campaign_project_id NOT DEFERRABLE": (
        "outreach_campaign.project_id: its wall stands in the way"
    ),
    "ALTER TABLE outreach_project DROP CONSTRAINT wall_outreach_project_id CASCADE": (
        "outreach_project: (workspace_id, id) is not unique"
    ),
    f"DROP TRIGGER wall_rows ON {LOG}": f"{LOG}: rows can be changed or deleted",
    f"ALTER TABLE {LOG} DISABLE TRIGGER wall_all": f"{LOG}: rows can be changed or deleted",
    "CREATE OR REPLACE FUNCTION wall_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RETURN NEW; END'": "the function that keeps rows from being changed",
    f"GRANT UPDATE ON {LOG} TO outreach_app": f"{LOG}: {RIGHTS}",
    f"GRANT UPDATE (action) ON {LOG} TO outreach_app": f"{LOG}: {RIGHTS}",
    f"GRANT TRUNCATE ON {CONTACTS} TO outreach_app": f"{CONTACTS}: {RIGHTS}",
    f"REVOKE DELETE ON {CONTACTS} FROM outreach_app": f"{CONTACTS}: {RIGHTS}",
}
# A person has to decide.
UNMENDED = {
    "CREATE TABLE new (workspace_id uuid); ALTER TABLE new OWNER TO outreach": "new has a workspace_id, and",
    "CREATE VIEW all_of_it AS SELECT * FROM outreach_contact": "all_of_it is a view that reads as its owner",
    "CREATE FUNCTION peek() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'": "peek() runs as its",
}


def ids(problems: list[CheckMessage]) -> list[str | None]:
    return [problem.id for problem in problems]


def plant(statement: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered before
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(statement)


def mend() -> None:
    """As migrate does it: by the tables' owner, who is no superuser."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE outreach")
        building.build(connection)


def test_it_finds_no_hole_as_it_is() -> None:
    for alias in ("default", "keystore"):
        assert gaps.faults(connections[alias]) == []
    assert checks.walls_stand(databases=["default", "keystore"]) == []


@pytest.mark.parametrize("statement", PLANTED)
def test_it_notices_and_mends_a_hole(statement: str) -> None:
    plant(statement)
    found = gaps.faults(connection)
    assert found, statement
    assert found[0].startswith(PLANTED[statement])
    assert ids(checks.walls_stand(databases=["default"]))[0] == "outreach.E007"
    mend()
    assert gaps.faults(connection) == []


@pytest.mark.parametrize("statement", UNMENDED)
def test_it_leaves_to_a_person_what_it_cannot_know(statement: str) -> None:
    plant(statement)
    for _ in range(2):
        found = [fault for fault in gaps.faults(connection) if fault.startswith(UNMENDED[statement])]
        assert len(found) == 1
        mend()


def test_it_mends_nothing_where_nothing_is_missing() -> None:
    with as_owner():
        assert building.build(connection) == 0
        with CaptureQueriesContext(connection) as seen:
            building.build(connection)
    assert [query["sql"] for query in seen if "ALTER" in query["sql"] or "GRANT" in query["sql"]] == []


def test_it_looks_at_old_rows_before_it_trusts_a_reference() -> None:
    """A row that crosses already stops the building: the owner's look is not hidden behind the wall."""
    ours, theirs = (Workspace.objects.create(name=name, slug=name) for name in ("ours", "theirs"))
    with workspace(theirs):
        project = Project.objects.create(name="Theirs")
    plant("ALTER TABLE outreach_projectaccess DROP CONSTRAINT wall_outreach_projectaccess_project_id")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO outreach_projectaccess (id, workspace_id, project_id, membership_id) "
            "VALUES (gen_random_uuid(), %s, %s, gen_random_uuid())",
            [ours.pk, project.pk],
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    with pytest.raises(Exception, match="wall_outreach_projectaccess_project_id"), transaction.atomic():
        mend()


# --- who connects ----------------------------------------------------------------------------------------


def test_it_refuses_an_owner_a_superuser_and_whoever_may_become_one() -> None:
    with as_owner(), connection.cursor() as cursor:
        assert "which is or may become postgres" in gaps.role_faults(connection)[0]
        cursor.execute("SET LOCAL ROLE outreach")
        assert "which owns" in gaps.role_faults(connection)[0]
        cursor.execute("RESET ROLE")
        cursor.execute("CREATE ROLE above BYPASSRLS; GRANT above TO outreach_app")
        cursor.execute("SET LOCAL ROLE outreach_app")
        assert "which is or may become above" in gaps.role_faults(connection)[0]
        cursor.execute("RESET ROLE")
        cursor.execute("REVOKE above FROM outreach_app; GRANT CREATE ON SCHEMA public TO outreach_app")
        cursor.execute("SET LOCAL ROLE outreach_app")
        assert gaps.role_faults(connection) == [
            "the product connects as outreach_app, which may create tables"
        ]
        cursor.execute("RESET ROLE; REVOKE CREATE ON SCHEMA public FROM outreach_app; DROP ROLE above")


def test_it_looks_through_a_role_that_is_only_put_on() -> None:
    """The tests' own session may look across; a product's may not."""
    assert gaps.role_faults(connection) == []
    with override_settings(TESTING=False):
        assert "which is or may become postgres" in gaps.role_faults(connection)[0]


def test_it_refuses_another_role_than_the_one_with_the_rights() -> None:
    with override_settings(DATABASE_ROLE="somebody"):
        found = gaps.faults(connection)
        assert "the product connects as outreach_app, DATABASE_ROLE is somebody" in found
        assert "the role somebody does not exist: docs/operating.md, Roles" in found
        with pytest.raises(ImproperlyConfigured, match="somebody does not exist"):
            mend()


def test_it_refuses_a_clock_that_production_could_move() -> None:
    with override_settings(TESTING=False, DEMO=False):
        assert any(fault.startswith("app_clock:") for fault in gaps.faults(connection))
        mend()
        assert not any(fault.startswith("app_clock:") for fault in gaps.faults(connection))


# --- the start ---------------------------------------------------------------------------------------------


def start(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **environment(), **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


WEB = ("-c", "import config.wsgi; print('up')")
WORKER = (
    "-c",
    "import config.celery as c; c.app.loader.init_worker(); from celery.signals import worker_init; "
    "worker_init.send(sender=None); print('up')",
)


@pytest.mark.slow
@pytest.mark.parametrize("command", [WEB, WORKER], ids=["web", "worker"])
def test_it_starts_behind_a_wall_and_not_beside_a_hole(
    transactional_db: None, command: tuple[str, ...]
) -> None:
    whole = start(*command)
    assert (whole.returncode, whole.stdout) == (0, "up\n"), whole.stderr
    plant("ALTER TABLE outreach_contact NO FORCE ROW LEVEL SECURITY")
    try:
        refused = start(*command)
    finally:
        mend()
    assert refused.returncode != 0
    assert "outreach_contact: row-level security is not enabled and forced" in refused.stderr
    above = start(*command, DATABASE_URL=_above(), OUTREACH_TESTING="false")
    assert above.returncode != 0
    assert "which is or may become postgres" in above.stderr


def _above() -> str:
    """The address that the tests' own session uses."""
    at = connections["default"].settings_dict
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def test_it_lowers_the_wall_for_the_owner_alone(transactional_db: None) -> None:
    """While a migration runs, its role sees the rows it is to change, and the product's role does not."""
    here = Workspace.objects.create(name="Here", slug="here")
    with workspace(here):
        Project.objects.create(name="Kept")
    count = "SELECT count(*) FROM outreach_project"
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE outreach")
        cursor.execute(count)
        assert cursor.fetchone() == (0,)
        building.lower(connection)
        cursor.execute(count)
        assert cursor.fetchone() == (1,)
        cursor.execute("RESET ROLE")
        cursor.execute("SET LOCAL ROLE outreach_app")
        cursor.execute(count)
        assert cursor.fetchone() == (0,)
        cursor.execute("RESET ROLE")
        cursor.execute("SET LOCAL ROLE outreach")
        building.build(connection)
        cursor.execute(count)
        assert cursor.fetchone() == (0,)


def test_it_raises_the_wall_with_each_migrate(transactional_db: None) -> None:
    plant("ALTER TABLE outreach_contact NO FORCE ROW LEVEL SECURITY")
    with as_owner():
        call_command("migrate", verbosity=0)
    assert gaps.faults(connection) == []


# --- models ----------------------------------------------------------------------------------------------


def test_it_refuses_a_model_beside_the_wall() -> None:
    assert checks.known_tables() == []
    with isolate_apps("accounts") as registry:
        assert registry is not None

        class Beside(models.Model):
            workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")

            class Meta:
                app_label = "accounts"

        class Other(WorkspaceModel):
            class Meta:
                app_label = "accounts"

        class Tagged(WorkspaceModel):
            others = models.ManyToManyField(Other)

            class Meta:
                app_label = "accounts"

        problems = checks.known_tables(app_configs=registry.get_app_configs())
    assert {problem.id for problem in problems} == {"outreach.E005", "outreach.E006"}
    assert any(Beside.__name__ in problem.msg for problem in problems)
    assert any(Tagged.__name__ in problem.msg for problem in problems)


def test_it_gives_a_reason_for_every_directory_table() -> None:
    tables = {*connection.introspection.table_names(), *connections["keystore"].introspection.table_names()}
    assert set(rules.DIRECTORY) <= tables
    assert all(len(reason) > 20 for reason in rules.DIRECTORY.values())
