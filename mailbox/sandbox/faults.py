"""Faults that a test plants: how the next calls of a mailbox go wrong."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from mailbox.sandbox.store import Store

OPS = ("send", "draft", "get", "list", "token", "any")
KINDS = (
    "accept_then_reset",  # done, then the connection is cut without an answer
    "truncate",  # done, then half of the answer
    "error_but_accepted",  # done, answered 503 (or `status`)
    "accept_with_retry_after",  # done, answered as usual plus Retry-After
    "error_not_accepted",  # not done, answered 503 (or `status`)
    "throttle",  # not done, 429 with Retry-After (`retry_after`: seconds, a date, or absent)
    "refuse_permanent",  # not done, 400
    "auth_lost",  # not done, 401; at the token endpoint invalid_grant
    "hang",  # not done, no answer for `seconds`
    "accept_after",  # done `after` seconds later; the connection is cut after `hold` seconds
)
LATE_OPS = ("send",)


@dataclass(frozen=True)
class Fault:
    kind: str
    options: dict[str, Any]


class Faults:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._draw = random.Random(7)

    def plant(self, wish: dict[str, Any]) -> int:
        """Plant a fault. Keys: mailbox, op, kind, times (0 = for ever), p, skip, the kind's own.

        Raises ValueError.
        """
        options = dict(wish)
        mailbox = str(options.pop("mailbox", "*")).lower()
        op, kind = options.pop("op", "any"), options.pop("kind", "")
        times = int(options.pop("times", 1))
        if op not in OPS or kind not in KINDS:
            raise ValueError(f"op is one of {', '.join(OPS)}; kind is one of {', '.join(KINDS)}.")
        if kind == "accept_after" and op not in LATE_OPS:
            raise ValueError("accept_after works for op send only.")
        return self._store.insert(
            "faults", mailbox=mailbox, op=op, kind=kind, times=times or -1, options=json.dumps(options)
        )

    def draw(self, mailbox: str, op: str) -> Fault | None:
        """The fault that strikes this call, used up by one."""
        rows = self._store.rows(
            "SELECT * FROM faults WHERE mailbox IN ('*', ?) AND op IN ('any', ?) AND times != 0 ORDER BY pk",
            mailbox.lower(),
            op,
        )
        for row in rows:
            options = json.loads(row["options"])
            skip = int(options.get("skip", 0))
            if skip:
                options["skip"] = skip - 1
                self._store.change(
                    "UPDATE faults SET options = ? WHERE pk = ?", json.dumps(options), row["pk"]
                )
                continue
            if self._draw.random() >= float(options.get("p", 1)):
                continue
            if row["times"] > 0:
                self._store.change("UPDATE faults SET times = times - 1 WHERE pk = ?", row["pk"])
            return Fault(row["kind"], options)
        return None

    def clear(self) -> None:
        self._store.change("DELETE FROM faults")
