"""An import is worked off in batches: it goes on where it was, nothing twice, and stops when it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection

from accounts.models import User, Workspace
from outreach.imports import parts, reading, steps, storing, tasks, work
from outreach.models import Contact, ContactImport, ImportPart, ImportState
from tests.factories import make_contact, make_import, make_suppression
from tests.outreach.lists import csv_of, worked_off


def begun(data: bytes, **values: Any) -> ContactImport:
    return steps.begin(
        data, **{"filename": "people.csv", "basis": "legitimate", "source": "List", "actor": None, **values}
    )


def to_store(here: Workspace, data: bytes) -> ContactImport:
    """Checked, and a person has said yes."""
    row = worked_off(here, begun(data))
    assert steps.store(row, mapping=row.mapping, basis=row.basis)
    return row


def test_it_keeps_the_list_as_ciphertext_only(in_ws: Workspace) -> None:
    row = begun(csv_of(12_000))
    assert ImportPart.objects.filter(kind="file").count() == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT octet_length(content), position('s1.example'::bytea IN content) FROM outreach_importpart"
        )
        ((size, place),) = cursor.fetchall()
    assert size > 300_000
    assert place == 0
    work.go_on(row)
    assert not ImportPart.objects.filter(kind="file").exists()
    assert ImportPart.objects.filter(kind="rows").count() == 24


def test_it_divides_a_file_into_pieces_of_half_a_megabyte(in_ws: Workspace) -> None:
    data = csv_of(60_000)
    row = begun(data)
    assert ImportPart.objects.filter(kind="file").count() == -(-len(data) // parts.MOST_BYTES)
    assert b"".join(parts.pieces(row)) == data
    assert parts.size_of_file(row) == len(data)


def test_it_goes_on_where_a_killed_worker_was(in_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second half of the list names the first half again: what was stored must be remembered.
    half = csv_of(1_500)
    row = to_store(in_ws, half + b"\n" + half.partition(b"\n")[2])
    take: Callable[..., storing.Taken] = storing.take
    calls: list[int] = []

    def dies(*given: Any, **named: Any) -> storing.Taken:
        calls.append(1)
        if len(calls) in (2, 5):
            take(*given, **named)
            raise DatabaseError("the worker is gone")
        return take(*given, **named)

    monkeypatch.setattr(storing, "take", dies)
    for done in (500, 1_500):
        with pytest.raises(DatabaseError):
            work.go_on(row)
        row.refresh_from_db()
        assert (row.state, row.done_rows, row.new) == (ImportState.STORING, done, done)
        assert Contact.objects.count() == done
    worked_off(in_ws, row)
    assert (row.state, row.new, row.known, row.rejected) == (ImportState.DONE, 1_500, 0, 1_500)
    assert Contact.objects.count() == 1_500


def test_it_stores_no_batch_twice_beside_another_worker(in_ws: Workspace) -> None:
    row = to_store(in_ws, csv_of(1_200))
    other = ContactImport.objects.get(pk=row.pk)
    start, lines = next(parts.rows_from(row, 0))
    sorter = steps._sorter(row)
    batch = steps.Batch(start, len(lines), *sorter.sort(lines), sorter.take_notes())
    assert steps._done(other, ImportState.STORING, batch)
    assert not steps._done(row, ImportState.STORING, batch)
    worked_off(in_ws, row)
    assert (row.new, row.known) == (1_200, 0)


def test_it_works_a_while_and_then_rings_again(in_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks, "ring", lambda task, *ids: rung.append(ids))
    row = to_store(in_ws, csv_of(1_200))
    ids = (str(in_ws.pk), str(row.pk))
    assert work.go_on(row, until=0.0)
    row.refresh_from_db()
    assert row.done_rows == 500
    tasks.wake_imports.run()
    assert rung == [ids]
    tasks.carry_on_import.run(*ids)
    row.refresh_from_db()
    assert row.state == ImportState.DONE
    tasks.wake_imports.run()
    assert rung == [ids]


def test_it_stops_between_two_batches_when_it_is_cancelled(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = to_store(in_ws, csv_of(1_600))
    take: Callable[..., storing.Taken] = storing.take
    work.go_on(row, until=0.0)
    assert steps.cancel(ContactImport.objects.get(pk=row.pk))
    monkeypatch.setattr(storing, "take", lambda *given, **named: pytest.fail("went on"))
    assert not work.go_on(row)
    monkeypatch.setattr(storing, "take", take)
    assert (row.state, row.done_rows, row.new) == (ImportState.CANCELLED, 500, 500)
    assert Contact.objects.count() == 500
    assert row.may_be_undone
    assert not ImportPart.objects.filter(kind="rows").exists()
    assert not steps.cancel(row)


def test_it_counts_what_it_finds_at_that_time(in_ws: Workspace) -> None:
    row = worked_off(in_ws, begun(csv_of(1_200)))
    assert (row.new, row.known, row.blocked) == (1_200, 0, 0)
    make_contact("p7@s7.example", name="Kept")
    make_suppression("p9@s9.example")
    steps.store(row, mapping=row.mapping, basis=row.basis)
    worked_off(in_ws, row)
    assert (row.new, row.known, row.blocked) == (1_199, 1, 1)
    assert Contact.objects.filter(imported_by=row).count() == 1_199


def test_it_gives_up_a_file_that_costs_one_worker_after_another_its_life(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch, later: Callable[..., None]
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise MemoryError

    row = begun(csv_of(12_000))
    monkeypatch.setattr(reading, "apart", dies)
    for _ in range(steps.MOST_READINGS):
        with pytest.raises(MemoryError):
            work.go_on(row)
        assert not work.go_on(row), "somebody may be at it still"
        later(seconds=reading.wall_for(300_000) + 1)
    work.go_on(row)
    assert row.state == ImportState.REFUSED
    assert row.problem == reading.TOO_HARD


def test_it_begins_a_reading_that_was_broken_off_anew(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch, later: Callable[..., None]
) -> None:
    keep = parts.keep_rows
    calls: list[int] = []

    def dies(row: ContactImport, start: int, packed: bytes) -> None:
        calls.append(start)
        if len(calls) == 4:
            raise DatabaseError("the worker is gone")
        keep(row, start, packed)

    row = begun(csv_of(12_000))
    monkeypatch.setattr(parts, "keep_rows", dies)
    with pytest.raises(DatabaseError):
        work.go_on(row)
    row.refresh_from_db()
    assert (row.rows, row.done_rows) == (None, 1_500)
    later(seconds=reading.wall_for(300_000) + 1)
    worked_off(in_ws, row)
    assert (row.state, row.rows, row.new) == (ImportState.CHECKED, 12_000, 12_000)


def test_it_leaves_a_file_that_another_worker_reads(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = parts.keep_rows

    def overtaken(row: ContactImport, start: int, packed: bytes) -> None:
        keep(row, start, packed)
        ContactImport.objects.filter(pk=row.pk).update(readings=row.readings + 1)

    row = begun(csv_of(12_000))
    monkeypatch.setattr(parts, "keep_rows", overtaken)
    work.go_on(row)
    assert (row.rows, row.done_rows) == (None, 500)


def test_it_forgets_a_list_after_a_day_and_the_rest_after_thirty(
    in_ws: Workspace, later: Callable[..., None], owner: User
) -> None:
    left = make_import("ana@one.example", "no")
    done = make_import("bo@two.example", "no")
    steps.store(done, mapping=done.mapping, basis=done.basis)
    worked_off(in_ws, done)
    later(hours=23)
    work.forget()
    left.refresh_from_db()
    assert left.state == ImportState.CHECKED
    later(hours=2)
    tasks.wake_imports.run()
    left.refresh_from_db()
    assert left.state == ImportState.CANCELLED
    assert not ImportPart.objects.filter(contact_import=left).exists()
    assert len(parts.rejects_of(done)) == 1
    assert done.may_be_undone
    later(days=30)
    work.forget()
    assert not ImportPart.objects.exists()
    assert not done.may_be_undone
