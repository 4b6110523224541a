"""The activity log as files: JSON Lines for the verifier, CSV for a spreadsheet, written as they are read.

A file leaves after the view has answered and its workspace is closed: each batch opens the workspace anew.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import TypeVar

from accounts import clock
from accounts.activity import sealing
from accounts.activity.chain import FORMAT, genesis
from accounts.activity.listing import Asked
from accounts.models import AuditEvent, AuditSeal
from accounts.spreadsheet import as_csv
from accounts.tenancy import current_workspace_id, workspace

Batch = TypeVar("Batch")
COLUMNS = [
    "Time (UTC)",
    "What happened",
    "Who",
    "Person's SID",
    "Kind",
    "Key",
    "Act",
    "About",
    "Object",
    "Network",
    "Country",
    "Device",
    "Line",
]


def as_json_lines() -> Iterator[bytes]:
    """The whole chain of the open workspace up to now: seals first, so that this very download is in it."""
    sealing.seal()
    here = current_workspace_id()
    last = AuditSeal.objects.order_by("-seq").first()
    upto = last.seq if last else 0
    manifest: dict[str, object] = {
        "format": FORMAT,
        "workspace": str(here),
        "exported_at": clock.now().astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "head": {"seq": upto, "hash": bytes(last.hash).hex() if last else genesis(str(here)).hex()},
        "anchors": [
            {"day": anchor.day, "seq": anchor.seq, "hash": anchor.hash}
            for anchor in sealing.anchors()
            if anchor.seq <= upto
        ],
    }

    # The words are opened while the workspace is.
    def lines() -> Iterator[list[dict[str, object]]]:
        for batch in sealing.walk(upto):
            yield [_sealed(one) for one in batch]

    def whole() -> Iterator[bytes]:
        yield _line(manifest)
        for batch in _inside(here, lines()):
            yield b"".join(map(_line, batch))

    return whole()


def as_spreadsheet(asked: Asked) -> Iterator[bytes]:
    """The lines that were asked for, newest first."""
    here = current_workspace_id()

    def rows() -> Iterator[list[list[object]]]:
        yield [list(COLUMNS)]
        for batch in asked.batches():
            seals = dict(AuditSeal.objects.filter(event__in=batch).values_list("event", "seq"))
            yield [_row(event, seals.get(event.pk)) for event in batch]

    return as_csv(row for batch in _inside(here, rows()) for row in batch)


def _inside(here: uuid.UUID, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Each batch is fetched with the workspace open; between two, nothing is open that could leak."""
    while True:
        with workspace(here):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def _sealed(one: AuditSeal) -> dict[str, object]:
    text = one.event.text
    return {
        "event": sealing.fields_of(one.event, one.seq),
        "hash": bytes(one.hash).hex(),
        "salt": str(text.salt),
        "sentence": str(text.sentence),
    }


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _row(event: AuditEvent, seq: int | None) -> list[object]:
    return [
        f"{event.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
        event.sentence,
        event.actor.get_full_name() if event.actor else event.get_actor_kind_display(),
        event.actor_id or "",
        event.get_actor_kind_display(),
        event.credential,
        event.action,
        event.object_kind,
        event.object_id,
        event.place,
        event.country,
        event.device,
        seq or "",
    ]
