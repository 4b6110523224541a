"""Named places at which a test, or a start for tests, makes the process fail (faults.md 7.2).

`failpoint("after_claim")` costs one look-up in an empty dictionary. FAILPOINTS arms places for a whole
process, `arm()` for a block of a test. Never in production: checks.py refuses FAILPOINTS where DEBUG is off,
and nothing is armed there either.
"""

from __future__ import annotations

import functools
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

NAMES = (
    "after_claim",
    "before_draft_create",
    "after_draft_create",
    "after_draft_stored",
    "after_draft_readback",
    "before_last_gate",
    "after_submitting_commit",
    "before_write",
    "after_write",
    "after_accept",
    "before_sent_commit",
    "after_sent_commit",
    "before_id_readback",
    "in_reconcile",
)
_WISH = re.compile(r"(?P<name>\w+):(?P<act>kill9|raise|pause\((?P<seconds>\d+(\.\d+)?)\))(@(?P<p>[\d.]+))?")

Act = Callable[[], None]
_armed: dict[str, Act] = {}


class BadFailpoint(ValueError):
    """FAILPOINTS cannot be understood; the text says which part."""


class FailpointReached(RuntimeError):
    """What `name:raise` raises: a bug where nobody expects one."""


def failpoint(name: str) -> None:
    """A place where the process may be made to fail. Each name of NAMES stands in the code once."""
    act = _armed.get(name)
    if act is not None:
        act()


def parse(text: str) -> dict[str, Act]:
    """`name:kill9@0.01,name:raise,name:pause(2.5)`, with a probability of 1 unless given.

    Raises BadFailpoint.
    """
    wished: dict[str, Act] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _WISH.fullmatch(part)
        if found is None:
            raise BadFailpoint(f"{part!r} is not name:act, act being kill9, raise or pause(seconds)")
        name = found["name"]
        if name not in NAMES:
            raise BadFailpoint(f"no code has a failpoint {name!r}")
        try:
            p = float(found["p"] or 1)
        except ValueError:
            p = -1.0
        if not 0 <= p <= 1:
            raise BadFailpoint(f"{part!r}: a probability lies between 0 and 1")
        wished[name] = functools.partial(_maybe, p, _act(found["act"], found["seconds"], name))
    return wished


def arm_process(text: str) -> None:
    """Arm this process for good. Raises BadFailpoint."""
    _armed.update(parse(text))


@contextmanager
def arm(acts: Mapping[str, Act]) -> Iterator[Counter[str]]:
    """For a block: what each place does. Yields how often each place was reached, the others included.

    Raises BadFailpoint for a name that no code has.
    """
    if unknown := set(acts) - set(NAMES):
        raise BadFailpoint(f"no code has a failpoint {min(unknown)!r}")
    reached: Counter[str] = Counter()
    lock = threading.Lock()

    def passing(name: str) -> None:
        with lock:
            reached[name] += 1
        if name in acts:
            acts[name]()

    before = dict(_armed)
    _armed.update({name: functools.partial(passing, name) for name in NAMES})
    try:
        yield reached
    finally:
        _armed.clear()
        _armed.update(before)


def _act(word: str, seconds: str | None, name: str) -> Act:
    if word == "kill9":
        return _kill
    if word == "raise":
        return functools.partial(_raise, name)
    return functools.partial(time.sleep, float(seconds or 0))


def _kill() -> None:
    # Whoever gets here: a worker's child has another id than the process that read the setting.
    os.kill(os.getpid(), signal.SIGKILL)


def _maybe(p: float, act: Act) -> None:
    if random.random() < p:  # noqa: S311 - no secret
        act()


def _raise(name: str) -> None:
    raise FailpointReached(name)
