"""What an import has to do next, whichever way it goes; and what nobody needs any more."""

from __future__ import annotations

from django.db.models import QuerySet

from outreach import groups
from outreach.imports import parts, steps, undoing
from outreach.models import ContactImport, ImportState
from outreach.models.imports import WORKING


def unfinished() -> QuerySet[ContactImport]:
    rows: QuerySet[ContactImport] = ContactImport.objects.filter(state__in=WORKING)
    return rows.order_by("pk")


def waits_for_worker(row: ContactImport) -> bool:
    return steps.waits_for_worker(row) or undoing.waits_for_worker(row)


def go_on(row: ContactImport, *, until: float | None = None) -> bool:
    """From where it stands up to `until` (time.monotonic()); whether there is more to do."""
    if row.state == ImportState.UNDOING:
        return undoing.go_on(row, until=until)
    return steps.go_on(row, until=until)


def forget() -> None:
    """Lists that nobody stored, what can be asked for no more, and who was taken out of a tag or a list."""
    steps.cancel_left()
    parts.forget_old()
    groups.forget_taken_out()
