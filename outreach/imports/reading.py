"""Opening a table in a process of its own, bounded in memory and time, whatever stands in the file (T27)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings

from outreach.tables import MOST_BYTES, MOST_ROWS, ImportRefused, Stream, Table

MEMORY = 512 * 1024 * 1024
# Seconds of processor time: some for any file, more for each megabyte that was really sent.
LEAST_SECONDS = 4
SECONDS_A_MEGABYTE = 8
MOST_SECONDS = 50
# What the rows of one file may hold together, as it comes out of the process.
MOST_READ = 128 * 1024 * 1024
TOO_HARD = "This file needs more memory or time to read than a list of people does. Save it as .csv."
TOO_LONG = "The rows of this file hold too much text. Leave out the columns that are not needed."


def seconds_for(size: int) -> int:
    """How long reading a file of so many bytes may take."""
    return min(LEAST_SECONDS + SECONDS_A_MEGABYTE * size // (1024 * 1024), MOST_SECONDS)


def wall_for(size: int) -> int:
    """How long it may take by the clock: others work on this machine, and what is read is stored."""
    return seconds_for(size) * 2 + 10


@contextmanager
def apart(
    pieces: Iterable[bytes], *, size: int, most_bytes: int = MOST_BYTES, most_rows: int = MOST_ROWS
) -> Iterator[Stream]:
    """The table in these pieces of a file of `size` bytes. Raises ImportRefused, on opening or at a row."""
    seconds = seconds_for(size)
    command = [sys.executable, "-m", "outreach.imports.child"]
    limits = [str(number) for number in (MEMORY, seconds, most_bytes, most_rows)]
    with subprocess.Popen(  # noqa: S603  (our own module, numbers only)
        [*command, *limits],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=settings.BASE_DIR,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    ) as child:
        # It waits for nobody but us; still, nothing here may hang for longer than a lease.
        timer = threading.Timer(wall_for(size), child.kill)
        timer.start()
        try:
            _feed(child, pieces)
            said = _said(child)
            head = next(said)
            yield Stream(((line, cells) for line, cells in said), head["encoding"], head["delimiter"])
        finally:
            timer.cancel()
            child.kill()


def read_apart(data: bytes) -> Table:
    """A whole table of a small file. Raises ImportRefused."""
    with apart([data], size=len(data)) as stream:
        table = Table(list(stream.rows), stream.encoding, stream.delimiter)
    if not table.rows:
        raise ImportRefused("The file has no rows.")
    return table


def _feed(child: subprocess.Popen[bytes], pieces: Iterable[bytes]) -> None:
    assert child.stdin is not None  # noqa: S101  (it was asked for)
    # It may end before it has all; what it said comes next.
    with suppress(BrokenPipeError):
        for piece in pieces:
            child.stdin.write(piece)
    with suppress(BrokenPipeError):
        child.stdin.close()


def _said(child: subprocess.Popen[bytes]) -> Iterator[Any]:
    """The first line, then row after row to the end. Raises ImportRefused."""
    assert child.stdout is not None  # noqa: S101
    size = 0
    for line in child.stdout:
        size += len(line)
        if size > MOST_READ:
            raise ImportRefused(TOO_LONG)
        try:
            said = json.loads(line)
        except ValueError:
            break  # Killed in the middle of a line.
        if isinstance(said, dict) and "refused" in said:
            raise ImportRefused(said["refused"])
        if isinstance(said, dict) and "end" in said:
            return
        yield said
    raise ImportRefused(TOO_HARD)
