"""What came into a conversation since a page of it was made: nobody answers what is answered already."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from outreach.models import Message, MessageKind, Reply, ReplyKind, Thread

_SEEN = re.compile(r"(?:[0-9a-f]{32})?\.(?:[0-9a-f]{32})?")
NOTHING = uuid.UUID(int=0)


@dataclass(frozen=True)
class Since:
    """Replies by a person and answers that the page did not show, oldest first."""

    replies: list[Reply]
    answers: list[Message]

    def __bool__(self) -> bool:
        return bool(self.replies or self.answers)


def seen(thread: Thread) -> str:
    """For the form: the newest reply and the newest answer that the page shows."""
    reply = _replies(thread).order_by("-id").values_list("id", flat=True).first()
    answer = _answers(thread).order_by("-id").values_list("id", flat=True).first()
    return f"{reply.hex if reply else ''}.{answer.hex if answer else ''}"


def since(thread: Thread, token: str, *, but: uuid.UUID) -> Since:
    """Nothing for a form that does not say what it showed. `but` is the answer's own compose id.

    Ids sort by time. Call it while the conversation's row is locked: a second answer waits there.
    """
    if not _SEEN.fullmatch(token):
        return Since([], [])
    reply, answer = (uuid.UUID(part) if part else NOTHING for part in token.split("."))
    answers = _answers(thread).filter(id__gt=answer).exclude(compose_id=but).order_by("id")
    return Since(list(_replies(thread).filter(id__gt=reply).order_by("id")), list(answers))


def _replies(thread: Thread) -> QuerySet[Reply]:
    return Reply.objects.filter(thread=thread, kind=ReplyKind.REPLY)


def _answers(thread: Thread) -> QuerySet[Message]:
    return Message.objects.filter(thread=thread, kind=MessageKind.ANSWER)
