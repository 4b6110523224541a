"""The pieces in which an import stands in the database, each of them ciphertext."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from accounts.clock import Now
from outreach.importing import Line, Reject
from outreach.models import ContactImport, ImportPart
from outreach.models.imports import REMEMBERED

MOST_BYTES = 512 * 1024
MOST_ROWS = 500
Kind = ImportPart.Kind


def keep_file(row: ContactImport, data: bytes) -> None:
    for start in range(0, len(data), MOST_BYTES):
        piece = data[start : start + MOST_BYTES]
        ImportPart.objects.create(contact_import=row, kind=Kind.FILE, start=start, content=piece)


def size_of_file(row: ContactImport) -> int:
    last = _of(row, Kind.FILE).last()
    return last.start + len(last.content) if last is not None else 0


def pieces(row: ContactImport) -> Iterator[bytes]:
    """The file as it came, one piece in memory at a time."""
    for pk in list(_of(row, Kind.FILE).values_list("pk", flat=True)):
        yield ImportPart.objects.get(pk=pk).content


def batches(rows: Iterable[Line]) -> Iterator[tuple[list[Line], bytes]]:
    """Rows as they are kept together: at most MOST_ROWS and, but for a single one, MOST_BYTES."""
    batch: list[Line] = []
    size = 0
    for line in rows:
        length = len(_packed(line))
        if batch and (len(batch) == MOST_ROWS or size + length > MOST_BYTES):
            yield batch, _packed(batch)
            batch, size = [], 0
        batch.append(line)
        size += length + 1
    if batch:
        yield batch, _packed(batch)


def keep_rows(row: ContactImport, start: int, packed: bytes) -> None:
    ImportPart.objects.create(contact_import=row, kind=Kind.ROWS, start=start, content=packed)


def rows_from(row: ContactImport, start: int) -> Iterator[tuple[int, list[Line]]]:
    """(where it begins, the rows) of each batch from there on, one in memory at a time."""
    for pk in list(_of(row, Kind.ROWS).filter(start__gte=start).values_list("pk", flat=True)):
        part = ImportPart.objects.filter(pk=pk).first()
        if part is None:
            return  # Cancelled since.
        yield part.start, _lines(part)


def keep_seen(row: ContactImport, start: int, notes: bytes) -> None:
    if notes:
        ImportPart.objects.create(contact_import=row, kind=Kind.SEEN, start=start, content=notes)


def seen_before(row: ContactImport, start: int) -> Iterator[bytes]:
    for part in _of(row, Kind.SEEN).filter(start__lt=start).iterator(chunk_size=50):
        yield part.content


def keep_rejects(row: ContactImport, start: int, rejects: list[Reject]) -> None:
    if rejects:
        content = _packed(
            [[reject.line, reject.reason, list(reject.cells), reject.text] for reject in rejects]
        )
        ImportPart.objects.create(contact_import=row, kind=Kind.REJECTS, start=start, content=content)


def rejects_of(row: ContactImport, *, most: int | None = None) -> list[Reject]:
    """In the order of the list."""
    found: list[Reject] = []
    for part in _of(row, Kind.REJECTS).iterator(chunk_size=4):
        found += [Reject(line, text, reason, cells) for line, reason, cells, text in json.loads(part.content)]
        if most is not None and len(found) >= most:
            return found[:most]
    return found


def keep_journal(row: ContactImport, start: int, filled: dict[str, dict[str, Any]]) -> None:
    if filled:
        content = _packed(filled)
        ImportPart.objects.create(contact_import=row, kind=Kind.JOURNAL, start=start, content=content)


def next_journal(row: ContactImport) -> tuple[ImportPart, dict[str, dict[str, Any]]] | None:
    part = _of(row, Kind.JOURNAL).first()
    return (part, json.loads(part.content)) if part is not None else None


def drop(row: ContactImport, *kinds: ImportPart.Kind) -> None:
    ImportPart.objects.filter(contact_import=row, kind__in=kinds).delete()


def forget_old() -> int:
    """What was rejected and filled in, when it can be asked for no more."""
    return ImportPart.objects.filter(created_at__lt=Now() - REMEMBERED).delete()[0]


def _of(row: ContactImport, kind: ImportPart.Kind) -> Any:
    return ImportPart.objects.filter(contact_import=row, kind=kind).order_by("start")


def _lines(part: ImportPart) -> list[Line]:
    return [(line, cells) for line, cells in json.loads(part.content)]


def _packed(what: object) -> bytes:
    return json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
