"""The activity log's only writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import AuditEvent

if TYPE_CHECKING:
    from accounts.models import User


def record(action: str, sentence: str, *, actor: User | None = None, object_id: object = "") -> AuditEvent:
    """Write one line: `action` is a stable code ("mailbox.revoked"), `sentence` what a person reads."""
    return AuditEvent.objects.create(
        action=action, sentence=sentence, actor=actor, object_id=str(object_id)[:40]
    )
