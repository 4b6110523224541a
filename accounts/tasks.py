"""Tasks: ids in, the workspace opened, then run. Arguments never hold content (threats T39)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from celery import Task, shared_task

from accounts import bells
from accounts.activity import mails, sealing
from accounts.apikeys import log
from accounts.people import sign_ins
from accounts.tenancy import every_workspace, workspace


class WorkspaceTask(Task):  # type: ignore[type-arg]
    """`task.delay(workspace_id, …)`: opens that workspace around the body.

    `pieces`: each id behind the workspace's is a piece of work of its own (`bells.ring_together`).
    """

    pieces = False

    def __call__(self, workspace_id: str, *args: Any, **kwargs: Any) -> Any:
        rung = [(workspace_id, one) for one in args] if self.pieces else [(workspace_id, *args)]
        bells.heard(self.name, *rung)
        with workspace(uuid.UUID(workspace_id)):
            run: Callable[..., Any] = self.run
            return run(workspace_id, *args, **kwargs)


@shared_task(name="accounts.wake_forget_requests")
def wake_forget_requests() -> None:
    """Lines of the API's record are kept for 30 days."""
    for _ in every_workspace("forget old requests to the API"):
        log.forget_old()


@shared_task(name="accounts.wake_forget_sign_ins")
def wake_forget_sign_ins() -> None:
    """Sign-ins are kept for 12 months; sessions that have ended leave no row."""
    sign_ins.forget_old()


@shared_task(name="accounts.wake_sealer")
def wake_sealer() -> None:
    """Chain the lines of the activity log that were written since."""
    for _ in every_workspace("seal the activity log"):
        if sealing.waiting():
            sealing.seal()


@shared_task(name="accounts.wake_anchors")
def wake_anchors() -> None:
    """Once a day walk each chain whole and keep its head; the owners hear of a fault."""
    for _ in every_workspace("keep the daily head of the activity log"):
        row = sealing.anchor()
        if row is not None:
            mails.tell(row)
