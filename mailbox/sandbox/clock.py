"""Time that tests can move forward, so that settle times and lags need no waiting."""

from __future__ import annotations

import time


class Clock:
    """Unix seconds plus an offset. Tokens use real time, since their holders do."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds
