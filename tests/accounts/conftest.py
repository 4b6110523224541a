"""Each test starts with a rate limiter that has seen nobody; and two workspaces side by side."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from accounts.models import Workspace
from accounts.tenancy import workspace
from outreach.models import Project
from tests.accounts.inviting import guest, invited, proved

__all__ = ["guest", "invited", "proved"]


@pytest.fixture(autouse=True)
def _limits_start_afresh() -> None:
    cache.clear()


@pytest.fixture
def both(db: None) -> tuple[Workspace, Workspace]:
    """Two bare workspaces with a project each."""
    ours, theirs = (Workspace.objects.create(name=name, slug=name.lower()) for name in ("Ours", "Theirs"))
    for here in (ours, theirs):
        with workspace(here):
            Project.objects.create(name=here.name)
    return ours, theirs
