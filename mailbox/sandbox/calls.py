"""The record of each API call: written when it starts, completed when it ends.

`at` is this machine's time, `clock_at` the sandbox's, which tests move.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiohttp import web

from mailbox.sandbox.store import Store


@dataclass
class Call:
    """A call under way. `full_read`: a body of a mail was in the answer; `message_ids` says of which."""

    pk: int
    provider: str
    mailbox: str
    op: str
    full_read: bool = False
    started_at: float = 0
    units: int = 0
    fault: str = ""
    message_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Origin:
    """Where an accepted mail came from: the call and its start by the sandbox's clock.

    `how`: call, late, hand, double.
    """

    call: int | None
    started_at: float
    how: str = "call"


def origin_of(request: web.Request) -> Origin:
    call = request["call"]
    return Origin(call.pk, call.started_at)


def start(store: Store, request: web.Request, *, provider: str, mailbox: str, op: str, now: float) -> Call:
    pk = store.insert(
        "calls",
        at=time.time(),
        clock_at=now,
        provider=provider,
        mailbox=mailbox,
        op=op,
        method=request.method,
        path=request.path,
        query=request.query_string,
    )
    call = Call(pk, provider, mailbox, op, started_at=now)
    request["call"] = call
    return call


def finish(store: Store, call: Call, status: int) -> None:
    """`status` 0 means that no answer was given."""
    store.change(
        "UPDATE calls SET mailbox = ?, status = ?, full_read = ?, message_ids = ?, units = ?, fault = ? "
        "WHERE pk = ?",
        call.mailbox,
        status,
        int(call.full_read),
        json.dumps(call.message_ids),
        call.units,
        call.fault,
        call.pk,
    )


def set_mailbox(request: web.Request, email: str) -> None:
    """Name the mailbox of a call that carries no bearer token."""
    call = request.get("call")
    if isinstance(call, Call):
        call.mailbox = email


def add_units(request: web.Request, units: int) -> None:
    call = request.get("call")
    if isinstance(call, Call):
        call.units += units


def note_body_read(request: web.Request, message_ids: Iterable[str]) -> None:
    """The answer carries the bodies of these mails."""
    call = request.get("call")
    if isinstance(call, Call):
        call.message_ids.extend(message_ids)
        call.full_read = bool(call.message_ids)
