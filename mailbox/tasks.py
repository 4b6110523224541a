"""Thin: ids in. Asking the providers once a day to go on telling us of new mail."""

from __future__ import annotations

import uuid

from celery import shared_task

from accounts.bells import ring
from accounts.tasks import WorkspaceTask
from mailbox import watches
from mailbox.models import Mailbox

MOST = 500


@shared_task(name="mailbox.wake_watches")
def wake_watches() -> None:
    for here, pk in watches.due(most=MOST):
        ring_for(here, pk)


@shared_task(base=WorkspaceTask, name="mailbox.renew_watch")
def renew_watch(workspace_id: str, mailbox_id: str) -> None:
    mailbox = Mailbox.objects.filter(pk=mailbox_id).first()
    if mailbox is not None:
        watches.renew(mailbox)


def ring_for(workspace_id: uuid.UUID, mailbox_id: uuid.UUID) -> None:
    ring(renew_watch, str(workspace_id), str(mailbox_id))
