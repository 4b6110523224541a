"""Gives each line of the activity log its place in the workspace's chain, and looks whether all still fit.

The log is written without a lock; the sealer comes behind it every few seconds. Work is done under an
advisory lock of the workspace that ends with the transaction, and `one_seal_per_seq` refuses a second chain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from accounts import clock
from accounts.activity.chain import Anchor, digest_of, genesis, link
from accounts.models import AuditAnchor, AuditEvent, AuditSeal, AuditText
from accounts.tenancy import current_workspace_id

BATCH = 500


def fields_of(event: AuditEvent, seq: int) -> dict[str, object]:
    """The act as the chain writes it down."""
    return {
        "action": event.action,
        "actor": event.actor_id or "",
        "actor_kind": str(event.actor_kind),
        "at": event.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "country": event.country,
        "credential": event.credential,
        "device": event.device,
        "digest": bytes(event.digest).hex(),
        "id": str(event.pk),
        "object_id": event.object_id,
        "object_kind": event.object_kind,
        "place": event.place,
        "seq": seq,
        "workspace": str(event.workspace_id),
    }


def seal() -> int:
    """Chain whatever waits in the open workspace; how many lines were sealed."""
    done = 0
    while found := _seal_batch():
        done += found
    return done


def _seal_batch() -> int:
    here = str(current_workspace_id())
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"audit:{here}"])
        waiting = list(AuditEvent.objects.filter(text__sealed=False).order_by("at", "id")[:BATCH])
        last = AuditSeal.objects.order_by("-seq").first()
        seq, head = (last.seq, bytes(last.hash)) if last else (0, genesis(here))
        seals = []
        for event in waiting:
            seq += 1
            head = link(head, fields_of(event, seq))
            seals.append(AuditSeal(seq=seq, event=event, hash=head))
        AuditSeal.objects.bulk_create(seals)
        AuditText.objects.filter(event__in=waiting, sealed=False).update(sealed=True)
    return len(waiting)


def waiting() -> bool:
    return AuditText.objects.filter(sealed=False).exists()


def walk(upto: int | None = None) -> Iterator[list[AuditSeal]]:
    """The sealed lines, oldest first, in batches, up to a number; each with its event, words and person."""
    after = 0
    while True:
        rows = AuditSeal.objects.select_related("event", "event__text", "event__actor").filter(seq__gt=after)
        if upto is not None:
            rows = rows.filter(seq__lte=upto)
        batch = list(rows.order_by("seq")[:BATCH])
        if not batch:
            return
        yield batch
        after = batch[-1].seq


def fault() -> str:
    """Walk the whole chain of the open workspace: the first thing that does not fit, in words, or nothing."""
    seq, head = 0, genesis(str(current_workspace_id()))
    # The oldest one of a line counts: a later one may have been taken of a chain written anew.
    anchors = {anchor.seq: anchor for anchor in AuditAnchor.objects.order_by("-day")}
    for batch in walk():
        for one in batch:
            seq += 1
            found = _misfit(one, seq, head)
            if found:
                return found
            head = bytes(one.hash)
            if seq in anchors and bytes(anchors[seq].hash) != head:
                return f"Line {seq} is not the one that was the last on {anchors[seq].day:%d %b %Y}."
    if anchors and max(anchors) > seq:
        return f"The log ends at line {seq}, and had {max(anchors)} before."
    unsealed = AuditEvent.objects.filter(seal=None).exclude(text__sealed=False).count()
    return f"{unsealed} lines are outside the chain." if unsealed else ""


def _misfit(one: AuditSeal, seq: int, previous: bytes) -> str:
    if one.seq != seq:
        return f"Line {seq} is missing."
    if link(previous, fields_of(one.event, seq)) != bytes(one.hash):
        return f"Line {seq} is not as it was written."
    return "" if fits_words(one.event) else f"The words of line {seq} are not as they were written."


def fits_words(event: AuditEvent) -> bool:
    """Whether the words are those of the digest; erased ones have nothing to compare."""
    text = event.text
    if not text.sentence and not text.salt:
        return True
    return digest_of(text.salt, text.sentence) == bytes(event.digest)


def misfits(events: Sequence[AuditEvent]) -> set[Any]:
    """Ids of those lines, of the few on a page, that no longer fit their seal or their words: two queries."""
    seals = {one.event_id: one for one in AuditSeal.objects.filter(event__in=events)}
    before = dict(
        AuditSeal.objects.filter(seq__in=[one.seq - 1 for one in seals.values()]).values_list("seq", "hash")
    )
    first = genesis(str(current_workspace_id()))
    wrong = set()
    for event in events:
        found = seals.get(event.pk)
        if found is not None:
            previous = first if found.seq == 1 else bytes(before.get(found.seq - 1, b""))
            if link(previous, fields_of(event, found.seq)) != bytes(found.hash):
                wrong.add(event.pk)
        if not fits_words(event):
            wrong.add(event.pk)
    return wrong


def anchor() -> AuditAnchor | None:
    """Once a day, where something is new: seal, walk the whole chain, keep its head. Else None."""
    today = clock.now().astimezone(dt.UTC).date()
    if AuditAnchor.objects.filter(day=today).exists():
        return None
    seal()
    found = fault()
    last = AuditSeal.objects.order_by("-seq").first()
    known = AuditAnchor.objects.order_by("-day").first()
    if last is None or (known is not None and (known.seq, known.fault) == (last.seq, found[:200])):
        return None
    row, is_new = AuditAnchor.objects.get_or_create(
        day=today, defaults={"seq": last.seq, "hash": bytes(last.hash), "fault": found[:200]}
    )
    return row if is_new else None


def anchors() -> list[Anchor]:
    """Every kept head, oldest first, as the verifier reads them."""
    return [
        Anchor(f"{row.day:%Y-%m-%d}", str(row.workspace_id), row.seq, bytes(row.hash).hex())
        for row in AuditAnchor.objects.order_by("day")
    ]
