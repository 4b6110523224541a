"""Lines written before there was a chain are carried over, as the role that migrates an installation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import AddIndex, RemoveIndex
from django.db.migrations.state import StateApps

from accounts.activity import sealing
from accounts.models import AuditEvent, AuditText, User, Workspace
from accounts.origin import ActorKind
from accounts.tenancy import uuid7, workspace
from accounts.walls.building import lower
from config import embedded
from tests.roles import as_owner

BEFORE = [("accounts", "0004_sign_ins")]


@pytest.fixture
def migrating(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As `migrate` works: the owner of the tables, the wall lowered. All of it is undone with the test."""
    # In a transaction an index can only be made while its table is locked.
    for beside, plain in ((AddIndexConcurrently, AddIndex), (RemoveIndexConcurrently, RemoveIndex)):
        monkeypatch.setattr(beside, "database_forwards", plain.database_forwards)
        monkeypatch.setattr(beside, "database_backwards", plain.database_backwards)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f'SET ROLE "{embedded.OWNER}"')
        yield


def migrate(to: list[tuple[str, str]] | None = None) -> StateApps:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    lower(connection)
    executor = MigrationExecutor(connection)
    executor.migrate(to or executor.loader.graph.leaf_nodes())
    apps: StateApps = executor.loader.project_state(to or executor.loader.graph.leaf_nodes()).apps
    return apps


def test_it_carries_lines_over_and_back(ws: Workspace, stranger: User, owner: User, migrating: None) -> None:
    other = Workspace.objects.exclude(pk=ws.pk).get()
    event = migrate(BEFORE).get_model("accounts", "AuditEvent")
    with workspace(ws):
        kept = event.objects.filter(workspace_id=ws.pk).get()
        assert (kept.sentence, kept.actor_id) == ("Workspace Studio created", owner.pk)
        for number in range(3):
            event(
                pk=uuid7(),
                workspace_id=ws.pk,
                action="campaign.launched",
                object_id=f"{number}",
                sentence=f"Zürich {number}",
                actor_id=owner.pk if number else None,
            ).save()
    with workspace(other):
        event(pk=uuid7(), workspace_id=other.pk, action="test.act", sentence="Elsewhere").save()
    migrate()
    with workspace(ws):
        lines = list(AuditEvent.objects.select_related("text", "actor").order_by("at", "id"))
        assert [line.sentence for line in lines] == [
            "Workspace Studio created", "Zürich 0", "Zürich 1", "Zürich 2",
        ]  # fmt: skip
        assert [line.actor for line in lines] == [owner, None, owner, owner]
        assert [line.actor_kind for line in lines[:2]] == [ActorKind.PERSON, ActorKind.PRODUCT]
        assert {line.object_kind for line in lines[1:]} == {"campaign"}
        assert all(sealing.fits_words(line) for line in lines)
        assert sealing.seal() == 4
        assert sealing.fault() == ""
    with workspace(other):
        assert AuditText.objects.count() == 2
        assert {line.sentence for line in AuditEvent.objects.all()} == {
            "Workspace Elsewhere created",
            "Elsewhere",
        }


def test_it_puts_the_guards_back(ws: Workspace, migrating: None) -> None:
    migrate(BEFORE)
    migrate()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'accounts_auditevent'::regclass "
            "AND NOT tgisinternal AND tgenabled <> 'O'"
        )
        assert cursor.fetchone()[0] == 0
