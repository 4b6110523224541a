"""`python -m tests.soak.worker <what celery takes>`: a worker in which the send itself fails now and then.

Armed are the places between the commit of `submitting` and the commit of `sent`: nobody can know there what
became of the mail. Each that fires is written down before it acts, so that the report counts what happened
and not what was wished for.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

from celery.__main__ import main

from accounts import failpoints

# Whose file takes the names, one a line; empty for a worker in which nothing fails.
FIRED = "SOAK_FIRED"
PLACES = ("after_submitting_commit", "before_write", "after_write", "after_accept", "before_sent_commit")
RAISED, KILLED = 0.004, 0.0006
# Of its own: the children of a pool must not draw the same numbers.
_DICE = random.SystemRandom()


def fired(path: Path) -> Counter[str]:
    """How often what fired in the workers of a run: "raise after_accept" → count."""
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def maybe(name: str, book: Path) -> None:
    drawn = _DICE.random()
    if drawn < KILLED:
        _write(book, f"kill9 {name}")
        os.kill(os.getpid(), signal.SIGKILL)
    elif drawn < KILLED + RAISED:
        _write(book, f"raise {name}")
        raise failpoints.FailpointReached(name)


def _write(book: Path, line: str) -> None:
    # One short write of a file opened for appending is whole, whoever else writes.
    handle = os.open(book, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


def run() -> None:
    book = os.environ.get(FIRED, "")
    if not book:
        main()
        return
    with failpoints.arm({name: functools.partial(maybe, name, Path(book)) for name in PLACES}):
        main()


if __name__ == "__main__":
    sys.argv[0] = "celery"
    run()
