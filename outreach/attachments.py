"""Files of an answer: taken in when they are chosen, sent with the answer, thrown away where it never comes.

A file waits under the id of its composer, so that nothing is lost when the answer cannot be sent yet. Only
who uploaded it can send it or take it off.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts.clock import Now
from accounts.models import User
from mailbox.types import OutgoingFile
from outreach.models import Attachment, Message, MessageKind, Thread

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 10
LONGEST_NAME = 200
# Composers that were left: their files go after this.
KEPT = dt.timedelta(days=1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff/\\]+")
# A name may not look like another one: marks that turn the direction of writing.
_TURNING = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
# What Gmail refuses to carry, inside of archives too (its help page "File types blocked in Gmail").
# fmt: off
_REFUSED = frozenset([
    "ade", "adp", "apk", "appx", "appxbundle", "bat", "cab", "chm", "cmd", "com", "cpl", "diagcab",
    "diagcfg", "diagpkg", "dll", "dmg", "ex", "ex_", "exe", "hta", "img", "ins", "iso", "isp", "jar",
    "jnlp", "js", "jse", "lib", "lnk", "mde", "mjs", "msc", "msi", "msix", "msixbundle", "msp", "mst",
    "nsh", "pif", "ps1", "scr", "sct", "shb", "sys", "vb", "vbe", "vbs", "vhd", "vxd", "wsc", "wsf",
    "wsh", "xll",
])
# fmt: on


class NotTaken(Exception):
    """A file that cannot hang on this answer; its words say why."""


@dataclass(frozen=True)
class Hung:
    """A file beside its mail or its composer."""

    pk: uuid.UUID
    name: str
    size: int


def take(
    thread: Thread, *, compose_id: uuid.UUID, files: Iterable[UploadedFile[bytes]], actor: User
) -> list[str]:
    """Store each file under the composer's id; the sentences of those that were not taken."""
    problems = []
    for file in files:
        try:
            _take(thread, compose_id, file, actor)
        except NotTaken as why:
            problems.append(str(why))
    return problems


def waiting(compose_id: uuid.UUID, *, actor: User) -> QuerySet[Attachment]:
    """The files of a composer, in the order in which they came, without their content."""
    rows: QuerySet[Attachment] = Attachment.objects.filter(
        compose_id=compose_id, message=None, uploaded_by=actor
    )
    return rows.defer("content").order_by("pk")


def claim(message: Message, *, actor: User) -> int:
    """The composer's files belong to its answer from now on. Inside the transaction that writes it."""
    if message.compose_id is None:
        return 0
    rows = Attachment.objects.filter(compose_id=message.compose_id, message=None, uploaded_by=actor)
    return rows.filter(thread=message.thread_id).update(message=message)


def files_of(message: Message) -> tuple[OutgoingFile, ...]:
    """As the gateway takes them. Only answers have files; nothing is asked for other mails."""
    if message.kind != MessageKind.ANSWER:
        return ()
    return tuple(
        OutgoingFile(str(row.name), row.content_type, row.content)
        for row in Attachment.objects.filter(message=message).order_by("pk")
    )


def bytes_of(message: Message) -> int:
    """How many bytes hang on a mail."""
    if message.kind != MessageKind.ANSWER or message.compose_id is None:
        return 0
    return _size(Attachment.objects.filter(compose_id=message.compose_id))


def by_message(messages: Sequence[Message]) -> dict[uuid.UUID, list[Hung]]:
    """Message → its files, one query for all."""
    found: dict[uuid.UUID, list[Hung]] = {}
    ids = [message.pk for message in messages if message.kind == MessageKind.ANSWER]
    rows = Attachment.objects.filter(message__in=ids).order_by("pk") if ids else Attachment.objects.none()
    for row in rows.only("pk", "workspace_id", "message_id", "name", "size"):
        if row.message_id is not None:
            found.setdefault(row.message_id, []).append(Hung(row.pk, str(row.name), row.size))
    return found


def forget_left() -> int:
    """Files whose answer was never written, a day after they came."""
    return Attachment.objects.filter(message=None, created_at__lt=Now() - KEPT).delete()[0]


def clean_name(name: str) -> str:
    """A file's name that is one line and no path, its ending kept."""
    shown = " ".join(_TURNING.sub("", _CONTROL.sub(" ", name)).split()).strip(". ")
    stem, dot, ending = shown.rpartition(".")
    if not dot or len(ending) > 12:
        return shown[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}" if stem else f"file.{ending}"


def _take(thread: Thread, compose_id: uuid.UUID, file: UploadedFile[bytes], actor: User) -> None:
    name = clean_name(file.name or "")
    ending = name.rpartition(".")[2].lower()
    if ending in _REFUSED:
        raise NotTaken(f"{name}: mail providers refuse files of this kind. A link to it would get through.")
    content, size = file.read(), file.size or 0
    if not size:
        raise NotTaken(f"{name} is empty.")
    with transaction.atomic():
        # One composer at a time: two uploads of one could pass the limit together.
        Thread.objects.select_for_update(no_key=True).filter(pk=thread.pk).first()
        rows = Attachment.objects.filter(compose_id=compose_id)
        if rows.filter(message__isnull=False).exists():
            raise NotTaken("This answer was sent already.")
        held = rows.filter(uploaded_by=actor)
        if held.count() >= MOST_FILES:
            raise NotTaken(f"{name} was left out: an answer takes {MOST_FILES} files.")
        left = MOST_BYTES - _size(held)
        if size > left or len(content) != size:
            raise NotTaken(
                f"{name} has {_megabytes(size)}; an answer takes 10 MB in all, {_megabytes(left)} are left."
            )
        kind = (file.content_type or "").partition(";")[0].strip().lower()
        Attachment.objects.create(
            thread=thread,
            compose_id=compose_id,
            uploaded_by=actor,
            name=name,
            content_type=kind if _TYPE.fullmatch(kind) else "application/octet-stream",
            size=size,
            content=content,
        )


def _size(rows: QuerySet[Attachment]) -> int:
    return rows.aggregate(all=Sum("size"))["all"] or 0


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"
