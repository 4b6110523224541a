"""What a member with limited access sees of the open workspace.

The middleware (and the API) opens a viewpoint after the workspace; tasks and commands never do, and opening a
workspace closes the one before. The manager of every tenant model narrows by it, reading and writing alike.
`whole_workspace(reason)` looks past it for one act, and greps: stops and gates concern every project.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Model, Q, QuerySet

if TYPE_CHECKING:
    from accounts.models import Membership


@dataclass(frozen=True)
class Viewpoint:
    """`projects` None: every project. Replies of `hidden_mailboxes` are somebody else's."""

    user_id: int | None
    projects: frozenset[uuid.UUID] | None = None
    hidden_mailboxes: frozenset[uuid.UUID] = frozenset()

    @property
    def is_limited(self) -> bool:
        return self.projects is not None


@dataclass(frozen=True)
class Everybody:
    """Stands as a model's `project_path`: every member of the workspace may see its rows, and why."""

    reason: str


class OtherProject(PermissionDenied):
    """A row of a project that this member does not see was about to be written."""


Builder = Callable[["Membership | None"], "Viewpoint | None"]
_open: ContextVar[Viewpoint | None] = ContextVar("open_viewpoint", default=None)
_builders: list[Builder] = []


def register(builder: Builder) -> None:
    """`builder` makes the viewpoint of a member, or of a key of the workspace (None)."""
    _builders[:] = [builder]


def current() -> Viewpoint | None:
    return _open.get()


def sees_all_projects() -> bool:
    here = _open.get()
    return here is None or not here.is_limited


def sees_project(project: uuid.UUID) -> bool:
    here = _open.get()
    return here is None or here.projects is None or project in here.projects


def looking_as(membership: Membership | None) -> AbstractContextManager[None]:
    """The workspace must be open. None stands for an API key: no private reply is for it."""
    found = [builder(membership) for builder in _builders]
    return viewpoint(found[0]) if found and found[0] is not None else nullcontext()


@contextmanager
def viewpoint(which: Viewpoint | None) -> Iterator[None]:
    token = _open.set(which)
    try:
        yield
    finally:
        _open.reset(token)


@contextmanager
def whole_workspace(reason: str) -> Iterator[None]:
    """For one act that concerns every project; also a decorator. Nothing found may reach the screen."""
    if not reason:
        raise ValueError("say why the whole workspace is looked at")
    with viewpoint(None):
        yield


def close() -> Token[Viewpoint | None]:
    """For accounts.tenancy.workspace() alone, which undoes it with `restore`."""
    return _open.set(None)


def restore(token: Token[Viewpoint | None]) -> None:
    _open.reset(token)


def narrowing(model: type[Any]) -> Q | None:
    """The condition under which this viewpoint sees a row of `model`; None where it sees every one.

    Columns of the row itself and subqueries only, never a join: update() and row locks stay on the row.
    """
    here = _open.get()
    if here is None:
        return None
    found = Q()
    if here.projects is not None and isinstance(model.project_path, str):
        found &= _within(model, model.project_path, here.projects)
    if here.hidden_mailboxes and model.mailbox_path is not None:
        found &= ~(Q(**{f"{model.mailbox_path}__in": here.hidden_mailboxes}) & (model.mailbox_rows or Q()))
    return found or None


def _within(model: type[Model], path: str, projects: frozenset[uuid.UUID]) -> Q:
    first, _, rest = path.partition("__")
    if not rest:
        return Q(**{f"{first}__in": projects})
    owner = model._meta.get_field(first).related_model
    assert isinstance(owner, type)  # noqa: S101  (a path names foreign keys; the system check says so)
    rows: QuerySet[Any] = QuerySet(owner).filter(_within(owner, rest, projects))
    return Q(**{f"{first}__in": rows.values("pk")})


def refuse_other_project(row: Model) -> None:
    """Raises OtherProject for a row that would lie outside the viewpoint's projects."""
    here, path = _open.get(), getattr(type(row), "project_path", None)
    if here is None or here.projects is None or not isinstance(path, str):
        return
    *owners, last = path.split("__")
    holder: Any = row
    try:
        for name in owners:
            holder = getattr(holder, name)
    except ObjectDoesNotExist as gone:
        raise OtherProject from gone
    if (holder.pk if last == "pk" else getattr(holder, f"{last}_id")) not in here.projects:
        raise OtherProject("This belongs to a project that you do not see.")
