"""Thin: reads the words of conversations that are not indexed yet, step by step; may run again and again."""

from __future__ import annotations

from celery import shared_task

from accounts.bells import ring
from accounts.tasks import WorkspaceTask
from accounts.tenancy import every_workspace
from outreach.inbox import search

# A turn ends after so many steps; what is left rings again.
MOST_STEPS = 20


@shared_task(name="outreach.wake_words")
def wake_words() -> None:
    for here in every_workspace("index words of mails that came before, or were queued since"):
        if search.to_index():
            ring(index_words, str(here.pk))


@shared_task(base=WorkspaceTask, name="outreach.index_words")
def index_words(workspace_id: str) -> None:
    """Rows that somebody else has in hand are passed over, and found by the next wake-up."""
    for _ in range(MOST_STEPS):
        if not search.index_some():
            return
    ring(index_words, workspace_id)
