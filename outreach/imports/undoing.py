"""Taking an import back: its people go who mean nothing to anybody yet, and blanks are blank again.

A block is never touched. Who was written to, added to a campaign, given to a case, edited or named by another
list stays, and the person who undoes is told how many and why.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from accounts import audit
from accounts.models import User
from accounts.viewpoint import whole_workspace
from outreach import groups
from outreach.imports import parts
from outreach.models import (
    Card,
    Contact,
    ContactImport,
    Enrollment,
    ImportState,
    Message,
    RemovalCase,
    Thread,
)

A_BATCH = 500
AT_ONCE = 1_000


@dataclass(frozen=True)
class Outlook:
    """Of the people that an import made and that are still there: how many go, and why others stay."""

    goes: int
    written: int
    enrolled: int
    attached: int
    carded: int
    touched: int

    @property
    def stays(self) -> int:
        return self.written + self.enrolled + self.attached + self.carded + self.touched

    @property
    def reasons(self) -> list[str]:
        """One part of a sentence for each reason that holds."""
        parts_of_it = [
            (self.written, "exchanged mail with you"),
            (self.enrolled, "in a campaign"),
            (self.attached, "the contact of a removal case"),
            (self.carded, "on a project’s board"),
            (self.touched, "edited since or named by another list"),
        ]
        return [f"{count:,} {words}" for count, words in parts_of_it if count]


@whole_workspace("only how many, so that nobody of another project is deleted")
def outlook(row: ContactImport) -> Outlook:
    its = {"contact": OuterRef("pk")}
    written = Exists(Message.objects.filter(**its)) | Exists(Thread.objects.filter(**its))
    rows = Contact.objects.filter(imported_by=row).annotate(
        is_written=written,
        is_enrolled=Exists(Enrollment.objects.filter(**its)),
        is_attached=Exists(RemovalCase.objects.filter(**its)),
        is_carded=Exists(Card.objects.filter(**its)),
    )
    mail, campaign, case = Q(is_written=True), Q(is_enrolled=True), Q(is_attached=True)
    card, touched = Q(is_carded=True), Q(touched_at__isnull=False)
    free = ~card & ~case & ~campaign & ~mail
    counts = rows.aggregate(
        written=Count("pk", filter=mail),
        enrolled=Count("pk", filter=campaign & ~mail),
        attached=Count("pk", filter=case & ~campaign & ~mail),
        carded=Count("pk", filter=card & ~case & ~campaign & ~mail),
        touched=Count("pk", filter=touched & free),
        goes=Count("pk", filter=~touched & free),
    )
    return Outlook(**counts)


def begin(row: ContactImport, *, actor: User | None) -> bool:
    """A person's word. False where it is not there to be undone."""
    if not row.may_be_undone:
        return False
    with transaction.atomic():
        ended = [ImportState.DONE, ImportState.CANCELLED]
        rows = ContactImport.objects.filter(pk=row.pk, state__in=ended)
        if rows.update(state=ImportState.UNDOING, removed=0, emptied=0) != 1:
            return False
        audit.record(
            "contacts.import_undone",
            f"An import that added {row.new} people is undone",
            actor=actor,
            object_id=row.pk,
        )
    row.refresh_from_db()
    return True


def waits_for_worker(row: ContactImport) -> bool:
    return row.state == ImportState.UNDOING and row.new + row.filled > AT_ONCE


def go_on(row: ContactImport, *, until: float | None = None) -> bool:
    """Work on it up to `until` (time.monotonic()); whether there is more to do."""
    while _remove(row) or _empty(row):
        if until is not None and time.monotonic() > until:
            return True
    with transaction.atomic():
        if ContactImport.objects.filter(pk=row.pk, state=ImportState.UNDOING).update(
            state=ImportState.UNDONE
        ):
            groups.take_back_import(row.pk)
    row.refresh_from_db()
    return False


def _remove(row: ContactImport) -> bool:
    """Some of the people; whether there were any."""
    with transaction.atomic():
        if not _at_work(row):
            return False
        some = Contact.objects.filter(imported_by=row).untouched().order_by("pk")
        ids = list(some.values_list("pk", flat=True)[:A_BATCH])
        # Whoever is about to write to them or to edit them holds the row or waits for it: then look again.
        locked = Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update()
        held = [contact.pk for contact in locked.only("pk", "workspace_id")]
        free = list(Contact.objects.filter(pk__in=held).untouched().values_list("pk", flat=True))
        Contact.objects.filter(pk__in=free).delete()
        ContactImport.objects.filter(pk=row.pk).update(removed=F("removed") + len(free))
    return bool(ids)


def _empty(row: ContactImport) -> bool:
    """What one batch filled in; whether there was one."""
    with transaction.atomic():
        if not _at_work(row):
            return False
        found = parts.next_journal(row)
        if found is None:
            return False
        part, filled = found
        known = Contact.objects.filter(pk__in=list(filled)).order_by("pk").select_for_update()
        emptied = sum(_take_back(contact, filled[str(contact.pk)]) for contact in known)
        part.delete()
        ContactImport.objects.filter(pk=row.pk).update(emptied=F("emptied") + emptied)
    return True


def _at_work(row: ContactImport) -> bool:
    rows = ContactImport.objects.filter(pk=row.pk, state=ImportState.UNDOING)
    return rows.select_for_update().first() is not None


def _take_back(contact: Contact, filled: dict[str, Any]) -> bool:
    """Blank again where the value is still what the import wrote; whether anything was."""
    changed = []
    for name, value in filled.items():
        if name == "fields":
            kept = {key: one for key, one in contact.fields.items() if value.get(key) != one}
            if kept != contact.fields:
                contact.fields = kept
                changed.append(name)
        elif name == "site":
            if str(contact.site_id) == value:
                contact.site = None
                changed.append(name)
        elif getattr(contact, name) == value:
            setattr(contact, name, "")
            changed.append(name)
    if changed:
        contact.save(update_fields=changed)
    return bool(changed)
