"""Tasks: ids in, the workspace opened, then run. Arguments never hold content (threats T39)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from celery import Task

from accounts import bells
from accounts.tenancy import workspace


class WorkspaceTask(Task):  # type: ignore[type-arg]
    """`task.delay(workspace_id, …)`: opens that workspace around the body."""

    def __call__(self, workspace_id: str, *args: Any, **kwargs: Any) -> Any:
        bells.heard(self.name, (workspace_id, *args))
        with workspace(uuid.UUID(workspace_id)):
            run: Callable[..., Any] = self.run
            return run(workspace_id, *args, **kwargs)
