"""Cuts connections whose time is over: one thread a process, which sleeps until the next deadline."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable


class Deadline:
    """A time at which something is cut, unless it is `over` before."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut: Callable[[], None] | None = cut

    def over(self) -> None:
        self._cut = None

    def reached(self) -> None:
        cut = self._cut
        if cut is not None:
            cut()

    @property
    def waits(self) -> bool:
        return self._cut is not None


_count = itertools.count()
_waiting: list[tuple[float, int, Deadline]] = []
_changed = threading.Condition()
_thread: threading.Thread | None = None


def cut_at(until: float, cut: Callable[[], None]) -> Deadline:
    """Call `cut` from another thread at `until` (time.monotonic), unless the deadline is over before."""
    global _thread
    deadline = Deadline(cut)
    with _changed:
        heapq.heappush(_waiting, (until, next(_count), deadline))
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_watch, name="deadlines", daemon=True)
            _thread.start()
        elif _waiting[0][2] is deadline:
            _changed.notify()
    return deadline


def _watch() -> None:
    while True:
        with _changed:
            while _waiting and not _waiting[0][2].waits:
                heapq.heappop(_waiting)
            wait = _waiting[0][0] - time.monotonic() if _waiting else None
            if wait is None or wait > 0:
                _changed.wait(wait)
                continue
            reached = heapq.heappop(_waiting)[2]
        reached.reached()


def _forget() -> None:
    """A child process has no such thread and none of its parent's connections."""
    global _changed, _thread
    _changed, _thread = threading.Condition(), None
    _waiting.clear()


os.register_at_fork(after_in_child=_forget)
