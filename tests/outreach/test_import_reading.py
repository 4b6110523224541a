"""A file is opened in a process of its own: bombs end with a sentence, and nobody else feels them (T27)."""

from __future__ import annotations

import io
import resource
import signal
import subprocess
import time
import zipfile
from typing import Any

import pytest

from accounts.models import Workspace
from outreach.imports import reading, steps
from outreach.models import Contact, ImportState
from outreach.tables import ImportRefused
from tests.outreach.lists import csv_of, workbook_of, worked_off
from tests.outreach.test_hostile_files import LAUGHS, SHEET, far, with_entities, workbook

ROWS = [["Email", "Name"], ["ana@one.example", "Ana"]]


def inflated(part: str, megabytes: int) -> bytes:
    """A workbook one part of which is so large when it is unpacked."""
    plain, made = io.BytesIO(workbook_of(ROWS)), io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != part:
                target.writestr(name, source.read(name))
        with target.open(zipfile.ZipInfo(part), "w", force_zip64=True) as out:
            out.write(b'<?xml version="1.0"?><x>')
            for _ in range(megabytes):
                out.write(b"<y>" + b"0" * (1024 * 1024 - 7) + b"</y>")
            out.write(b"</x>")
    return made.getvalue()


BOMBS = {
    "a sheet that unpacks to 300 megabytes": lambda: inflated(SHEET, 300),
    "a sheet within the ratio": lambda: inflated(SHEET, 6),
    "a sparse sheet": lambda: workbook(far(10**9)),
    "laughs": lambda: workbook(with_entities(LAUGHS, b"&g;")),
    "a file of the server": lambda: workbook(
        with_entities(b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;")
    ),
    "a broken archive": lambda: workbook_of(ROWS)[:-200],
}


def told(here: Workspace, data: bytes) -> str:
    """The sentence with which a file was refused; "" where a row of it was read and nothing grew."""
    try:
        row = steps.begin(data, filename="a", basis="legitimate", source="List", actor=None)
    except ImportRefused as refused:
        return str(refused)
    row = worked_off(here, row)
    if row.state == ImportState.REFUSED:
        return str(row.problem)
    assert (row.state, row.rows) == (ImportState.CHECKED, 1)
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_it_ends_a_bomb_with_a_sentence_in_seconds(in_ws: Workspace, name: str) -> None:
    data = BOMBS[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    began = time.monotonic()
    said = told(in_ws, data)
    assert said == "" or said.endswith(".")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - spent < 6
    assert time.monotonic() - began < 20
    # In kilobytes; the test's own archive is written in pieces.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert not Contact.objects.exists()


def test_it_ends_a_process_that_wants_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MEMORY", 24 * 1024 * 1024)
    with pytest.raises(ImportRefused, match="more memory or time"):
        reading.read_apart(workbook_of(ROWS))


def test_it_ends_a_process_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "seconds_for", lambda size: 1)
    rows: list[list[object]] = [
        ["Email"],
        *[[f"p{number}@one.example", number, "x" * 40] for number in range(60_000)],
    ]
    data = workbook_of(rows)
    began = time.monotonic()
    with pytest.raises(ImportRefused, match="more memory or time"):
        with reading.apart([data], size=len(data), most_bytes=len(data), most_rows=100_000) as stream:
            list(stream.rows)
    assert time.monotonic() - began < 15


def test_it_leaves_no_process_behind_when_nobody_reads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def remembered(*given: Any, **named: Any) -> subprocess.Popen[bytes]:
        begun.append(popen(*given, **named))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", remembered)
    data = csv_of(50_000)
    with reading.apart([data], size=len(data), most_bytes=len(data), most_rows=100_000) as stream:
        assert next(stream.rows) == (1, ["Email", "Name"])
        assert begun[0].poll() is None
    assert begun[0].returncode == -signal.SIGKILL


def test_it_refuses_rows_that_hold_too_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_READ", 1_000)
    data = csv_of(500)
    with pytest.raises(ImportRefused, match="too much text"):
        with reading.apart([data], size=len(data)) as stream:
            list(stream.rows)


def test_it_hears_a_refusal_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportRefused, match="More than 100 rows"):
        with reading.apart([csv_of(500)], size=10_000, most_rows=100) as stream:
            list(stream.rows)


@pytest.mark.parametrize(("size", "seconds"), [(0, 4), (300_000, 6), (5 * 1024**2, 44), (20 * 1024**2, 50)])
def test_it_gives_small_files_little_time(size: int, seconds: int) -> None:
    assert reading.seconds_for(size) == seconds
