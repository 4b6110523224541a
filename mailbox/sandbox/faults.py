"""Faults that a test plants: how the next calls of a mailbox go wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mailbox.sandbox.store import Store
from mailbox.sandbox.weather import Draws, Fault

OPS = ("send", "draft", "get", "list", "token", "any")
KINDS = {
    "accept_then_reset": "done, then the connection is cut without an answer",
    "truncate": "done, then half of the answer",
    "error_but_accepted": "done, answered 503 (or `status`)",
    "accept_with_retry_after": "done, answered as usual plus Retry-After",
    "double": "done once, and a second time by the provider itself",
    "error_not_accepted": "not done, answered 503 (or `status`)",
    "throttle": "not done, 429 with Retry-After (`retry_after`: seconds, date, date:seconds or absent)",
    "refuse_permanent": "not done, 400",
    "auth_lost": "not done, 401; at the token endpoint invalid_grant",
    "hang": "not done, no answer for `seconds`",
    "accept_after": "done `after` seconds later; the connection is cut after `hold` seconds",
    "mailbox_full": "not done, no room in the mailbox",
    "suspended": "not done, the account is suspended",
    "licence_removed": "not done, the account has no mailbox any more",
    "blocked_by_admin": "not done, the organisation does not allow the app",
    "user_deletes": "done, then the user deletes the draft `after` seconds later",
    "user_edits": "done, then the user edits the draft `after` seconds later",
    "user_sends": "done, then the user sends the draft by hand `after` seconds later",
    "user_forgets": "done, then the user deletes the sent mail `after` seconds later",
}
ONLY_FOR = {
    "accept_after": "send",
    "double": "send",
    "user_forgets": "send",
    "user_deletes": "draft",
    "user_edits": "draft",
    "user_sends": "draft",
}


@dataclass
class Planted:
    """`times` below 0 is for ever; `skip` calls go well first."""

    pk: int
    mailbox: str
    op: str
    kind: str
    times: int
    skip: int
    options: dict[str, Any]


class Faults:
    """The planted faults, in memory and in the file: most calls meet none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.draws = Draws()
        self.planted = [_read(dict(row)) for row in store.rows("SELECT * FROM faults ORDER BY pk")]

    def plant(self, wish: dict[str, Any]) -> int:
        """Plant a fault. Keys: mailbox, op, kind, times (0 = for ever), p, skip, the kind's own.

        Raises ValueError.
        """
        options = dict(wish)
        mailbox = str(options.pop("mailbox", "*")).lower()
        op, kind = options.pop("op", "any"), options.pop("kind", "")
        times, skip = int(options.pop("times", 1)), int(options.pop("skip", 0))
        if op not in OPS or kind not in KINDS:
            raise ValueError(f"op is one of {', '.join(OPS)}; kind is one of {', '.join(KINDS)}.")
        if ONLY_FOR.get(kind, op) != op:
            raise ValueError(f"{kind} works for op {ONLY_FOR[kind]} only.")
        kept = json.dumps({**options, "skip": skip})
        pk = self._store.insert("faults", mailbox=mailbox, op=op, kind=kind, times=times or -1, options=kept)
        self.planted.append(Planted(pk, mailbox, op, kind, times or -1, skip, options))
        return pk

    def draw(self, mailbox: str, op: str, *, seed: int) -> Fault | None:
        """The fault that strikes this call, used up by one."""
        for one in self.planted:
            if one.mailbox not in ("*", mailbox.lower()) or one.op not in ("any", op):
                continue
            if one.skip:
                one.skip -= 1
                self._keep(one)
                continue
            p = float(one.options.get("p", 1))
            if p < 1 and self.draws.number(seed, "planted", str(one.pk), mailbox, op) >= p:
                continue
            if one.times > 0:
                one.times -= 1
                self._keep(one)
            if not one.times:
                self.planted.remove(one)
            return Fault(one.kind, one.options)
        return None

    def clear(self) -> None:
        self._store.change("DELETE FROM faults")
        self.planted.clear()

    def forget(self) -> None:
        """The store was emptied."""
        self.planted.clear()
        self.draws.forget()

    def _keep(self, one: Planted) -> None:
        if not one.times:
            self._store.change("DELETE FROM faults WHERE pk = ?", one.pk)
            return
        options = json.dumps({**one.options, "skip": one.skip})
        self._store.change(
            "UPDATE faults SET times = ?, options = ? WHERE pk = ?", one.times, options, one.pk
        )


def _read(row: dict[str, Any]) -> Planted:
    options = json.loads(row.pop("options"))
    return Planted(**row, skip=int(options.pop("skip", 0)), options=options)
