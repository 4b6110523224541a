"""No workspace, no query: one door, and it raises (architecture, Isolation; T1)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import models

from accounts.models import AuditEvent, User, Workspace
from accounts.tasks import WorkspaceTask
from accounts.tenancy import (
    ForeignWorkspace,
    NoWorkspace,
    WorkspaceManager,
    WorkspaceModel,
    every_workspace,
    uuid7,
    workspace,
)
from accounts.workspaces import create_workspace
from outreach.models import Project

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, WorkspaceModel)]


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_it_raises_on_every_tenant_table_while_none_is_open(db: None, model: type[WorkspaceModel]) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: model.objects.count(),
        lambda: model.objects.exists(),
        lambda: model.objects.aiterator(),
        lambda: model.objects.bulk_create([model()]),
        lambda: model._base_manager.all(),
        lambda: model().save(),
    ]
    for attempt in attempts:
        with pytest.raises(NoWorkspace):
            attempt()


def test_it_knows_every_tenant_table() -> None:
    """A table with a workspace that is no WorkspaceModel is a directory table (decisions 12)."""
    directory = {"KeyPlace", "Membership", "PollTurn", "PushRoute"}
    columns = {
        model.__name__
        for model in apps.get_models()
        if any(
            isinstance(field, models.ForeignKey) and field.name == "workspace" for field in model._meta.fields
        )
    }
    assert columns - {model.__name__ for model in TENANT_MODELS} == directory
    assert len(TENANT_MODELS) >= 18
    assert all(isinstance(model._default_manager, WorkspaceManager) for model in TENANT_MODELS)


def test_it_shows_only_the_rows_of_the_open_workspace(ws: Workspace, stranger: User) -> None:
    elsewhere = stranger.memberships.get().workspace
    with workspace(ws):
        Project.objects.create(name="Ours")
    with workspace(elsewhere):
        Project.objects.create(name="Theirs")
        assert [project.name for project in Project.objects.all()] == ["Theirs"]
    with workspace(ws):
        assert [project.name for project in Project.objects.all()] == ["Ours"]


def test_it_refuses_to_write_a_row_of_another_workspace(ws: Workspace, stranger: User) -> None:
    elsewhere = stranger.memberships.get().workspace
    with workspace(ws):
        ours = Project.objects.create(name="Ours")
    with workspace(elsewhere):
        with pytest.raises(ForeignWorkspace):
            ours.save()
        with pytest.raises(ForeignWorkspace):
            Project.objects.bulk_create([Project(name="Planted", workspace_id=ws.pk)])
        assert Project.objects.filter(pk=ours.pk).update(name="Taken") == 0


def test_it_restores_the_workspace_that_was_open_before(ws: Workspace, stranger: User) -> None:
    elsewhere = stranger.memberships.get().workspace
    with workspace(ws):
        with workspace(elsewhere):
            pass
        assert AuditEvent.objects.filter(action="workspace.created").count() == 1


def test_it_visits_every_workspace_only_with_a_reason(ws: Workspace, stranger: User) -> None:
    with pytest.raises(ValueError, match="say why"):
        next(iter(every_workspace("")))
    seen = [(row.pk, AuditEvent.objects.count()) for row in every_workspace("this test counts log lines")]
    assert [count for _, count in seen] == [1, 1]
    with pytest.raises(NoWorkspace):
        AuditEvent.objects.count()


def test_it_opens_the_workspace_around_a_task(ws: Workspace) -> None:
    class Counting(WorkspaceTask):
        name = "tests.counting"

        def run(self, workspace_id: str) -> int:
            return AuditEvent.objects.count()

    assert Counting()(str(ws.pk)) == 1


def test_it_makes_slugs_that_differ_where_names_are_the_same(owner: User) -> None:
    first, second = create_workspace(owner, name="Same"), create_workspace(owner, name="Same")
    assert first.slug == "same"
    assert second.slug.startswith("same-")
    assert create_workspace(owner, name="new").slug != "new"


def test_it_makes_ids_that_sort_by_time_within_a_millisecond() -> None:
    made = []
    for _ in range(200):
        made.append(uuid7())
        until = time.perf_counter_ns() + 1_000
        while time.perf_counter_ns() < until:
            pass
    assert made == sorted(made)
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert len({one.int & (2**62 - 1) for one in made}) == 200
