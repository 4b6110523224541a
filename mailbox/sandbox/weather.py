"""Weather: a seeded mix of faults. The same seed and the same calls of a mailbox meet the same faults.

A draw is keyed by seed, mailbox, kind of call, what the call is about (for a submit: whom it goes to) and how
often that was seen, never by the order of calls among mailboxes. A restart counts anew.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    kind: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Likely:
    """A fault and how likely it is, 0 to 1."""

    p: float
    fault: Fault


def _mix(*parts: tuple[float, str] | tuple[float, str, dict[str, Any]]) -> tuple[Likely, ...]:
    return tuple(Likely(part[0], Fault(part[1], part[2] if len(part) > 2 else {})) for part in parts)


_READS = _mix(
    (0.03, "error_not_accepted"),
    (0.02, "accept_then_reset"),
    (0.02, "throttle", {"retry_after": 5}),
    (0.01, "throttle"),
    (0.01, "truncate"),
)
STORM: dict[str, tuple[Likely, ...]] = {
    "send": _mix(
        (0.05, "accept_then_reset"),
        (0.02, "truncate"),
        (0.04, "error_but_accepted"),
        (0.02, "error_but_accepted", {"status": 504}),
        (0.04, "error_not_accepted"),
        (0.03, "throttle", {"retry_after": 30}),
        (0.02, "throttle"),
        (0.01, "throttle", {"retry_after": "date:45"}),
        (0.03, "accept_after", {"after": 240}),
        (0.02, "accept_with_retry_after"),
        (0.01, "double"),
        (0.01, "auth_lost"),
        (0.01, "user_forgets", {"after": 5}),
    ),
    "draft": _mix(
        (0.03, "accept_then_reset"),
        (0.02, "error_but_accepted"),
        (0.03, "error_not_accepted"),
        (0.02, "throttle", {"retry_after": 10}),
        (0.01, "user_deletes"),
        (0.01, "user_sends"),
        (0.01, "user_edits"),
    ),
    "get": _READS,
    "list": _READS,
    "token": _mix((0.03, "error_not_accepted"), (0.02, "accept_then_reset")),
}
WEATHERS = {
    "calm": {},
    "rain": {op: tuple(Likely(one.p / 5, one.fault) for one in mix) for op, mix in STORM.items()},
    "storm": STORM,
}


class Draws:
    """Numbers from 0 to 1 that depend on what is asked for and on nothing else."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, ...]] = Counter()

    def forget(self) -> None:
        self._seen.clear()

    def number(self, seed: int, *key: str) -> float:
        """The next number for this key."""
        self._seen[key] += 1
        return random.Random(f"{seed}:{':'.join(key)}:{self._seen[key]}").random()


def strike(weather: str, op: str, number: float) -> Fault | None:
    """The fault that a number draws for a kind of call."""
    for likely in WEATHERS[weather].get(op, ()):
        if number < likely.p:
            return likely.fault
        number -= likely.p
    return None
