"""No workspace, no query.

A workspace is opened with `with workspace(ws):` at an edge (request, task, command). Every model that
belongs to a tenant derives from `WorkspaceModel`; its manager raises `NoWorkspace` while none is open
and otherwise filters by the open one. `every_workspace(reason)` is the only way across, and greps.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models

from accounts import viewpoint

if TYPE_CHECKING:
    from accounts.models import Workspace

M = TypeVar("M", bound=models.Model, covariant=True)
_open: ContextVar[uuid.UUID | None] = ContextVar("open_workspace", default=None)


class NoWorkspace(RuntimeError):
    """A tenant's table was queried while no workspace was open: a bug at the edge."""


class ForeignWorkspace(RuntimeError):
    """A row of one workspace was about to be written while another was open."""


def uuid7() -> uuid.UUID:
    """A time-ordered UUID (RFC 9562, version 7, method 3): unguessable, yet kind to B-tree indexes.

    The 12 bits behind the milliseconds hold their fraction, so that rows made one after the other sort so.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))


@contextmanager
def workspace(which: Workspace | uuid.UUID) -> Iterator[None]:
    """Open one workspace for the block. Nesting another workspace inside is allowed and restores."""
    token = _open.set(which if isinstance(which, uuid.UUID) else which.pk)
    whole = viewpoint.close()
    try:
        yield
    finally:
        viewpoint.restore(whole)
        _open.reset(token)


def current_workspace_id() -> uuid.UUID:
    """The id of the open workspace. Raises NoWorkspace."""
    found = _open.get()
    if found is None:
        raise NoWorkspace("open a workspace first: with workspace(ws): ...")
    return found


def open_workspace_id() -> uuid.UUID | None:
    """The id of the open workspace, or None."""
    return _open.get()


def every_workspace(reason: str) -> Iterator[Workspace]:
    """Open one workspace after another; `reason` says why work across workspaces is needed."""
    if not reason:
        raise ValueError("say why every workspace is visited")
    from accounts.models import Workspace

    for row in Workspace.objects.order_by("pk").iterator():
        with workspace(row):
            yield row


class WorkspaceQuerySet(models.QuerySet[M]):
    """A query set that writes only into the open workspace."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[M]:
        rows = list(objs)
        for row in rows:
            _claim(row)
        return super().bulk_create(rows, *args, **kwargs)


class WorkspaceManager(models.Manager[M]):
    """The one door to a tenant's rows: raises NoWorkspace unless a workspace is open."""

    use_in_migrations = False
    _queryset_class = WorkspaceQuerySet

    def get_queryset(self) -> models.QuerySet[M]:
        rows = super().get_queryset().filter(workspace_id=current_workspace_id())
        seen = viewpoint.narrowing(self.model)
        return rows if seen is None else rows.filter(seen)


def _claim(row: models.Model) -> None:
    """Give a new row the open workspace; refuse one that belongs to another."""
    here = current_workspace_id()
    if row.workspace_id is None:  # type: ignore[attr-defined]
        row.workspace_id = here  # type: ignore[attr-defined]
    elif row.workspace_id != here:  # type: ignore[attr-defined]
        raise ForeignWorkspace(f"{type(row).__name__} {row.pk} belongs to another workspace")
    viewpoint.refuse_other_project(row)


class WorkspaceModel(models.Model):
    """A row of a tenant: time-ordered UUID key and a direct workspace column on every table.

    Each model declares `project_path`: the foreign keys that lead to its project ("campaign__project"), or
    Everybody(reason) where all members may see it; a system check asks. `mailbox_path` leads to the mailbox
    whose replies a row holds, `mailbox_rows` says which rows do, where not all.
    """

    project_path: ClassVar[str | viewpoint.Everybody]
    mailbox_path: ClassVar[str | None] = None
    mailbox_rows: ClassVar[models.Q | None] = None

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")

    objects: ClassVar[WorkspaceManager[Self]] = WorkspaceManager()

    class Meta:
        abstract = True
        # Related look-ups and refresh_from_db go through the same wall.
        base_manager_name = "objects"
        default_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        _claim(self)
        super().save(*args, **kwargs)
