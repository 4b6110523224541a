"""The outbox row: its keys, its clock, and its refusal to move under a foreign fence."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User, Workspace
from accounts.tenancy import NoWorkspace, workspace
from outreach.models import Message, MessageKind, MessageState, Project


def message(project: Project, **values: object) -> Message:
    return Message.objects.create(
        kind=MessageKind.TEST, project=project, compose_id=uuid.uuid4(), subject="Hello", **values
    )


def test_it_refuses_a_query_without_a_workspace(db: None) -> None:
    with pytest.raises(NoWorkspace):
        Message.objects.count()


def test_it_keeps_one_row_per_composer(in_ws: Workspace) -> None:
    project = Project.objects.create(name="Guides")
    first = message(project)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(kind=MessageKind.TEST, project=project, compose_id=first.compose_id)


def test_it_lets_another_workspace_have_the_same_composer_id(in_ws: Workspace, stranger: User) -> None:
    """An id posted from elsewhere neither collides nor tells that it exists (T1)."""
    ours = message(Project.objects.create(name="Guides"))
    with workspace(stranger.memberships.get().workspace):
        project = Project.objects.create(name="Theirs")
        theirs = Message.objects.create(kind=MessageKind.TEST, project=project, compose_id=ours.compose_id)
        assert theirs.pk != ours.pk


def test_it_moves_only_under_its_own_fence(in_ws: Workspace) -> None:
    row = message(Project.objects.create(name="Guides"), state=MessageState.CLAIMED, fence=3)
    assert not row.move(MessageState.DRAFTED, fence=2)
    assert row.move(MessageState.DRAFTED, fence=3)


def test_it_is_due_by_the_products_clock(in_ws: Workspace, later: object) -> None:
    from accounts import clock

    row = message(Project.objects.create(name="Guides"), state=MessageState.QUEUED)
    Message.objects.filter(pk=row.pk).update(due_at=clock.now() + dt.timedelta(hours=1))
    assert not Message.objects.due().exists()
    clock.advance(dt.timedelta(hours=2))
    assert Message.objects.due().get() == row


def test_it_cancels_what_has_not_been_handed_over_and_takes_the_fence(in_ws: Workspace) -> None:
    project = Project.objects.create(name="Guides")
    held = message(project, state=MessageState.DRAFTED, fence=1)
    going = message(project, state=MessageState.SUBMITTING, fence=1)
    assert Message.objects.all().cancel("campaign_cancelled") == 1
    held.refresh_from_db()
    going.refresh_from_db()
    assert (held.state, held.fence) == (MessageState.CANCELLED, 2)
    assert going.state == MessageState.SUBMITTING
