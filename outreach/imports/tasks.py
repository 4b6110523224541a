"""Thin: an import goes on for a while, then rings again, and what else is waiting comes in between."""

from __future__ import annotations

import time

from celery import shared_task
from django.conf import settings
from django.db import transaction

from accounts.bells import ring
from accounts.tasks import WorkspaceTask
from accounts.tenancy import every_workspace
from outreach.imports import work
from outreach.models import ContactImport
from outreach.tasks import only_one


def carry_on(row: ContactImport) -> None:
    """What is short is done while the person waits; a worker takes the rest."""
    if work.waits_for_worker(row):
        ids = (str(row.workspace_id), str(row.pk))
        transaction.on_commit(lambda: ring(carry_on_import, *ids))
        return
    while row.is_working and work.go_on(row):
        pass


@shared_task(name="outreach.wake_imports")
def wake_imports() -> None:
    for here in every_workspace("go on with imports, and forget what is left of old ones"):
        work.forget()
        for pk in work.unfinished().values_list("pk", flat=True):
            ring(carry_on_import, str(here.pk), str(pk))


@shared_task(base=WorkspaceTask, name="outreach.carry_on_import")
def carry_on_import(workspace_id: str, import_id: str) -> None:
    until = time.monotonic() + settings.WORKER_HARD_LIMIT_SECONDS / 4
    more = False
    with only_one("import", import_id) as mine:
        row = ContactImport.objects.filter(pk=import_id).first()
        if mine and row is not None:
            more = work.go_on(row, until=until)
    if more:
        ring(carry_on_import, workspace_id, import_id)
