"""The row that a worker holds under its fence: read with its neighbours, and its draft stored."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection
from psycopg2 import Binary

from accounts.encryption import seal
from accounts.rows import Cut, Shape
from mailbox.models import Mailbox
from mailbox.types import Draft
from outreach import threads
from outreach.models import Message, Step, Thread
from outreach.results import OtherThread

_MESSAGE, _STEP = Shape(Message), Shape(Step, "campaign", "position", "new_thread")
# Its other columns are read when somebody asks for them; a first mail's are not.
_THREAD = Shape(Thread, "id")
# What sending looks at; the last gate reads the same anew.
MAILBOX = Shape(
    Mailbox, "owner", "provider", "identity", "subject", "address", "display_name", "state", "generation",
    "throttled_until", "daily_cap", "next_send_at", "connected_at",
)  # fmt: skip


def columns(message: str, mailbox: str, step: str) -> str:
    """For a SELECT, behind the database's time: what `row_of` reads, of these aliases."""
    return f"{_MESSAGE.columns(message)}, {MAILBOX.columns(mailbox)}, {_STEP.columns(step)}"


_HELD = f"""
SELECT app_now(), {columns("m", "b", "s")}
FROM outreach_message m
    LEFT JOIN mailbox_mailbox b ON b.id = m.mailbox_id
    LEFT JOIN outreach_step s ON s.id = m.step_id
WHERE m.id = %s AND m.fence = %s AND m.state IN ('claimed', 'drafted') AND m.lease_until > app_now()
"""  # nosec B608  (our own constants)
# A function (migration 0011), which PostgreSQL plans once a connection.
_STORE = """
SELECT outreach_store_draft(%(message)s, %(fence)s, %(draft)s, %(version)s, %(message_id)s, %(index)s,
    %(named)s, %(name)s, %(name_index)s)
"""


def load(message_id: uuid.UUID, fence: int) -> Message | None:
    """The row with its mailbox, step and thread; None if the fence or the lease was lost."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [message_id, fence])
        found = cursor.fetchone()
    return None if found is None else row_of(found)


def row_of(found: Sequence[Any]) -> Message:
    """The row of a time and `columns`; `moment` on it is the database's time."""
    cut = Cut(found[1:])
    message = cut.row(_MESSAGE)
    if message is None:
        raise LookupError("the columns of no row")
    message.mailbox, message.step = cut.row(MAILBOX), cut.row(_STEP)
    message.thread = _THREAD.row([message.thread_id, message.workspace_id])
    message.moment = found[0]  # type: ignore[attr-defined]
    return message


def store_draft(message: Message, draft: Draft, fence: int, *, thread: Thread | None) -> bool:
    """Whether the row took the draft. Raises OtherThread where `thread` cannot have its conversation.

    They are stored together: the conversation is where a sent copy is looked for when an answer is lost.
    """
    sealed = seal(
        message, draft_id=draft.draft_id, draft_version=draft.version, rfc_message_id=draft.message_id
    )
    known = bool(draft.message_id)
    values: dict[str, Any] = {
        "message": message.pk,
        "fence": fence,
        "draft": Binary(sealed["draft_id"]),
        "version": Binary(sealed["draft_version"]) if draft.version else None,
        "message_id": Binary(sealed["rfc_message_id"]) if known else None,
        "index": threads.message_id_index(draft.message_id) if known else None,
        "named": False,
        "name": None,
        "name_index": None,
    }
    if thread is not None and draft.thread_id:
        values["named"] = True
        values["name"] = Binary(seal(thread, provider_thread_id=draft.thread_id)["provider_thread_id"])
        values["name_index"] = threads.thread_index(draft.thread_id)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_STORE, values)
            (stored,) = cursor.fetchone()
    except IntegrityError as taken:
        raise OtherThread from taken
    if stored and thread is not None and values["named"]:
        thread.provider_thread_id = draft.thread_id
    return bool(stored)
