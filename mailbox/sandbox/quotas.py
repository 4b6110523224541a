"""How much each mailbox and each app used lately, and what is over a limit of providers.md 5.4 and 7.3."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field

from mailbox.sandbox.refusals import Refusal

MINUTE, TEN_MINUTES = 60.0, 600.0


@dataclass
class Window:
    """What was used within the last `seconds`."""

    seconds: float
    used: int = 0
    parts: deque[tuple[float, int]] = field(default_factory=deque)

    def left_over(self, now: float) -> None:
        while self.parts and self.parts[0][0] <= now - self.seconds:
            self.used -= self.parts.popleft()[1]

    def take(self, amount: int, *, limit: int, now: float) -> float:
        """Use so much; or use nothing and return the seconds until some of it is free again."""
        self.left_over(now)
        if limit and self.used + amount > limit:
            return self.parts[0][0] + self.seconds - now if self.parts else self.seconds
        self.parts.append((now, amount))
        self.used += amount
        return 0.0


@dataclass
class Quotas:
    """The windows by what they count: a mailbox, an app, or an app in a mailbox."""

    minutes: defaultdict[Hashable, Window] = field(
        default_factory=lambda: defaultdict(lambda: Window(MINUTE))
    )
    tens: defaultdict[Hashable, Window] = field(
        default_factory=lambda: defaultdict(lambda: Window(TEN_MINUTES))
    )

    def clear(self) -> None:
        self.minutes.clear()
        self.tens.clear()

    def gmail(self, email: str, units: int, *, user: int, project: int, now: float) -> None:
        """Units of one call, against the user's minute and the project's. Raises Refusal."""
        if self.minutes["user", email].take(units, limit=user, now=now):
            message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'."
            raise Refusal(429, "rateLimitExceeded", message)
        if self.minutes["project"].take(units, limit=project, now=now):
            message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'."
            raise Refusal(429, "rateLimitExceeded", message)

    def graph_request(self, email: str, app: str, *, limit: int, now: float) -> None:
        """One request of an app in a mailbox. Raises Refusal."""
        _or_throttled(self.tens[email, app].take(1, limit=limit, now=now), "ApplicationThrottled")

    def graph_mail(self, email: str, *, limit: int, now: float) -> None:
        """One submit in a mailbox. Raises Refusal."""
        _or_throttled(self.minutes["mails", email].take(1, limit=limit, now=now), "ApplicationThrottled")


def _or_throttled(wait: float, code: str) -> None:
    if wait > 0:
        after = str(max(1, math.ceil(wait)))
        raise Refusal(429, code, "Application is over its MailboxConcurrency limit.", {"Retry-After": after})
