"""An import's way from a file to people: read, checked, stored; each step may be broken off and go on.

States change by conditional updates, and a batch is one transaction that also moves `done_rows`: whoever dies
in between leaves a whole number of batches, and who comes next begins with the one after (faults F16, F23).
A list is read once; from then on it stands here as rows, so that nobody has to come to the same place twice.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import audit
from accounts.clock import Now
from accounts.encryption import blind_index, seal
from accounts.models import User
from accounts.tenancy import current_workspace_id
from outreach import importing, suppression, tables
from outreach.importing import ImportRefused, Reject, Row, Sheet, Sorter
from outreach.imports import parts, reading, storing, survey
from outreach.models import Contact, ContactImport, Group, ImportState
from outreach.models.contacts import address_index
from outreach.models.imports import OPEN

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
# Up to here a list is read and stored while the person waits.
AT_ONCE_BYTES = 256 * 1024
AT_ONCE_ROWS = 1_000
# A file that has cost so many workers their life is not given to another.
MOST_READINGS = 3
# A list that nobody stores is forgotten.
KEPT = dt.timedelta(days=1)
NOUGHT = {"done_rows": 0, "new": 0, "known": 0, "blocked": 0, "rejected": 0, "filled": 0, "grouped": 0}
Kind = parts.Kind


@dataclass(frozen=True)
class Batch:
    """Rows of the list that are worked on together, sorted; `notes`: what was learnt of their addresses."""

    start: int
    count: int
    rows: list[Row]
    rejects: list[Reject]
    notes: bytes


def begin(
    data: bytes, *, filename: str, basis: str, source: str, actor: User | None, pasted: bool = False
) -> ContactImport:
    """Take a list in. A small one is read and checked on the spot. Raises ImportRefused for what is none."""
    row = ContactImport(filename=filename[:200], basis=basis, source=source, created_by=actor)
    if pasted:
        sheet = importing.lay_out_pasted(data.decode(errors="replace"), most_rows=MOST_ROWS)
        return _read_now(row, sheet)
    if len(data) > AT_ONCE_BYTES:
        if len(data) > MOST_BYTES:
            raise ImportRefused(
                f"The file is larger than {MOST_BYTES // 1024 // 1024} MB. Bring it in parts."
            )
        with transaction.atomic():
            row.save()
            parts.keep_file(row, data)
        return row
    if tables.is_workbook(data):
        with reading.apart([data], size=len(data), most_bytes=MOST_BYTES, most_rows=MOST_ROWS) as stream:
            return _read_now(row, importing.lay_out(stream))
    stream = tables.open_table(data, most_bytes=MOST_BYTES, most_rows=MOST_ROWS)
    return _read_now(row, importing.lay_out(stream))


def waits_for_worker(row: ContactImport) -> bool:
    """Whether there is more to do than a person should wait for."""
    return row.is_working and (row.rows is None or row.rows > AT_ONCE_ROWS)


def match(row: ContactImport, mapping: Mapping[str, str]) -> bool:
    """Check anew with these columns."""
    return _start(row, ImportState.CHECKING, mapping=dict(mapping))


def store(row: ContactImport, *, mapping: Mapping[str, str], basis: str, group: Group | None = None) -> bool:
    """A person's word to store the list, everybody into `group`. False where it is not waiting for one."""
    return _start(row, ImportState.STORING, mapping=dict(mapping), basis=basis, group=group)


def cancel(row: ContactImport) -> bool:
    """Stop at the next batch; who is stored already stays. The list is forgotten."""
    with transaction.atomic():
        # What a check counted was a forecast: nobody was added.
        if _end(row, ImportState.CANCELLED, ImportState.CHECKING, ImportState.CHECKED, values=NOUGHT):
            parts.drop(row, Kind.REJECTS)
            return True
        return _end(row, ImportState.CANCELLED, ImportState.STORING)


def go_on(row: ContactImport, *, until: float | None = None) -> bool:
    """Work on it from where it stands, up to `until` (time.monotonic()); whether there is more to do."""
    row.refresh_from_db()
    if row.state == ImportState.CHECKING and row.rows is None:
        return _read(row)
    if row.state not in (ImportState.CHECKING, ImportState.STORING):
        return False
    state = ImportState(row.state)
    sorter = _sorter(row)
    for start, lines in parts.rows_from(row, row.done_rows):
        rows, rejects = sorter.sort(lines)
        batch = Batch(start, len(lines), rows, rejects, sorter.take_notes())
        if not _done(row, state, batch):
            return False
        if until is not None and time.monotonic() > until:
            return True
    _finish(row, state)
    return False


def mapping_for(headers: list[str], index: bytes | None) -> dict[str, str]:
    """What a person chose for the same columns last, else what their names say."""
    guessed = importing.guess(headers)
    rows = ContactImport.objects.filter(headers_index=index, state__in=[ImportState.DONE, ImportState.UNDONE])
    last = rows.order_by("-created_at", "-id").first() if index else None
    chosen = last.mapping if last is not None else {}
    return {name: chosen.get(name, guessed[name]) for name in headers}


def cancel_left() -> int:
    """Lists that nobody stored for a day; how many."""
    left = ContactImport.objects.filter(state__in=OPEN, created_at__lt=Now() - KEPT)
    return sum(cancel(row) for row in left)


def _read_now(row: ContactImport, sheet: Sheet) -> ContactImport:
    with transaction.atomic():
        row.save()
        _keep(row, sheet)
    return row


def _read(row: ContactImport) -> bool:
    """A worker's part of a large file; whether it is read. A refusal ends the import with its sentence."""
    size = parts.size_of_file(row)
    lease = dt.timedelta(seconds=reading.wall_for(size))
    with transaction.atomic():
        free = Q(leased_until=None) | Q(leased_until__lte=Now())
        begun = _unread(row).filter(free)
        if begun.update(readings=F("readings") + 1, done_rows=0, leased_until=Now() + lease) != 1:
            return False
        parts.drop(row, Kind.ROWS)
    row.refresh_from_db()
    try:
        if row.readings > MOST_READINGS:
            raise ImportRefused(reading.TOO_HARD)
        pieces = parts.pieces(row)
        with reading.apart(pieces, size=size, most_bytes=MOST_BYTES, most_rows=MOST_ROWS) as stream:
            _keep(row, importing.lay_out(stream))
    except ImportRefused as refused:
        _refuse(row, str(refused))
    row.refresh_from_db()
    return row.state == ImportState.CHECKING and row.rows is not None


def _refuse(row: ContactImport, sentence: str) -> None:
    _end(row, ImportState.REFUSED, ImportState.CHECKING, values=dict(seal(row, problem=sentence)))


def _unread(row: ContactImport) -> QuerySet[ContactImport]:
    rows: QuerySet[ContactImport] = ContactImport.objects.filter(
        pk=row.pk, state=ImportState.CHECKING, rows=None
    )
    return rows


def _keep(row: ContactImport, sheet: Sheet) -> None:
    """The rows as they are worked on, and what the columns hold. The file itself is not needed any more.

    Ends in the middle where somebody cancelled it, or another worker began after this one. Raises
    ImportRefused.
    """
    mine = _unread(row).filter(readings=row.readings)
    looked = survey.Survey(sheet.header)
    count = 0
    for lines, packed in parts.batches(looked.over(sheet.rows)):
        with transaction.atomic():
            if mine.update(done_rows=count + len(lines)) != 1:
                return
            parts.keep_rows(row, count, packed)
        count += len(lines)
    if not count:
        raise ImportRefused("The list has no rows.")
    index = _headers_index(sheet.header) if sheet.header else None
    with transaction.atomic():
        mine.update(
            rows=count,
            done_rows=0,
            shape=sheet.shape,
            encoding=sheet.encoding[:40],
            delimiter=sheet.delimiter,
            headers_index=index,
            mapping=mapping_for(sheet.header, index),
            **seal(row, columns=looked.packed()),
        )
        parts.drop(row, Kind.FILE)
    row.refresh_from_db()


def _headers_index(headers: list[str]) -> bytes:
    return blind_index(current_workspace_id(), "columns", "\n".join(headers))


def _sorter(row: ContactImport) -> Sorter:
    """Knows the addresses of all rows that are behind the import."""
    sorter = Sorter(row.shape, row.layout.headers, row.mapping)
    if row.done_rows:
        for notes in parts.seen_before(row, row.done_rows):
            sorter.remember(notes)
    return sorter


def _done(row: ContactImport, state: ImportState, batch: Batch) -> bool:
    """One batch, whole or not at all; False where somebody cancelled it, or worked on it meanwhile."""
    with transaction.atomic():
        here = ContactImport.objects.filter(pk=row.pk, state=state, done_rows=batch.start)
        if here.select_for_update().first() is None:
            return False
        if state == ImportState.STORING:
            taken = storing.take(batch.rows, source=row.source, basis=row.basis, by=row)
            new, known, blocked, filled = taken.new, taken.known, taken.blocked, taken.filled
            grouped = taken.grouped
            parts.keep_journal(row, batch.start, filled)
        else:
            known = _known(batch.rows)
            new, blocked, filled = len(batch.rows) - known, _blocked(batch.rows), {}
            grouped = 0
        parts.keep_rejects(row, batch.start, batch.rejects)
        parts.keep_seen(row, batch.start, batch.notes)
        here.update(
            done_rows=batch.start + batch.count,
            new=F("new") + new,
            known=F("known") + known,
            blocked=F("blocked") + blocked,
            rejected=F("rejected") + len(batch.rejects),
            filled=F("filled") + len(filled),
            grouped=F("grouped") + grouped,
        )
    return True


def _known(rows: list[Row]) -> int:
    return Contact.objects.filter(address_index__in=[address_index(row.address) for row in rows]).count()


def _blocked(rows: list[Row]) -> int:
    return len(suppression.blocking(row.address for row in rows))


def _start(row: ContactImport, state: ImportState, **values: object) -> bool:
    """From the first row on; what the check found is counted anew."""
    with transaction.atomic():
        waiting = ContactImport.objects.filter(pk=row.pk, state=ImportState.CHECKED)
        if waiting.update(state=state, **NOUGHT, **values) != 1:
            return False
        parts.drop(row, Kind.REJECTS, Kind.SEEN)
    row.refresh_from_db()
    return True


def _finish(row: ContactImport, state: ImportState) -> None:
    if state == ImportState.CHECKING:
        whole = ContactImport.objects.filter(pk=row.pk, state=state, done_rows=F("rows"))
        whole.update(state=ImportState.CHECKED)
    else:
        with transaction.atomic():
            if _end(row, ImportState.DONE, ImportState.STORING, only_whole=True):
                _tell(row)
    row.refresh_from_db()


def _end(
    row: ContactImport,
    state: ImportState,
    *before: ImportState,
    only_whole: bool = False,
    values: Mapping[str, object] = {},
) -> bool:
    """Into its last state, whoever comes first; the list goes with it."""
    with transaction.atomic():
        rows = ContactImport.objects.filter(pk=row.pk, state__in=before)
        rows = rows.filter(done_rows=F("rows")) if only_whole else rows
        if rows.update(state=state, ended_at=Now(), **values) != 1:
            return False
        parts.drop(row, Kind.FILE, Kind.ROWS, Kind.SEEN)
    row.refresh_from_db()
    return True


def _tell(row: ContactImport) -> None:
    audit.record(
        "contacts.imported",
        f"{row.new} people added, {row.known} known before, {row.rejected} rows left out",
        actor=row.created_by,
        object_id=row.pk,
    )
