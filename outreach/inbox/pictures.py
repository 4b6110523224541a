"""Pictures of a mail through our own server: addresses that last minutes, and what stands behind them.

An address names the reply and a hash of the picture's own address, signed for this purpose alone. It holds no
word of the mail, shows nothing that the mail does not have, and is void once the reply is gone (threats T16).
It is the whole right to the picture: the frame of an original has no cookies.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from dataclasses import dataclass

from django.core import signing
from django.urls import reverse

from accounts import clock, outbound
from accounts.limits import Limit
from accounts.tenancy import workspace
from mailbox.parsing import html, images, marking
from outreach.models import Reply

PURPOSE = "outreach.picture"
LASTS_SECONDS = 600
DEADLINE_SECONDS = 8.0
# Of one workspace in a minute; and at the same time in one process, so that slow servers of strangers never
# hold every thread that answers people.
PER_WORKSPACE = Limit("pictures", 300, 60)
AT_ONCE = 3
_turns = threading.BoundedSemaphore(AT_ONCE)
_TURN_SECONDS = 3.0


@dataclass(frozen=True)
class Wanted:
    """What an address of ours points to."""

    workspace_id: uuid.UUID
    reply_id: uuid.UUID
    tag: str


def source_of(reply: Reply, base: str) -> marking.Source:
    """For `html.clean`: addresses below `base` for the pictures of this reply, good for ten minutes."""
    made = int(clock.now().timestamp())

    def source(address: str) -> str:
        what = [reply.workspace_id.hex, reply.pk.hex, _tag(address), made]
        return base + reverse("outreach:picture", kwargs={"token": signing.dumps(what, salt=PURPOSE)})

    return source


def read(token: str) -> Wanted | None:
    """What a token points to; None where we did not sign it for this, or too long ago."""
    try:
        house, reply, tag, made = signing.loads(token, salt=PURPOSE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if not 0 <= clock.now().timestamp() - made <= LASTS_SECONDS:
        return None
    return Wanted(uuid.UUID(house), uuid.UUID(reply), str(tag))


def fetch(wanted: Wanted) -> images.Picture | None:
    """The picture, painted anew; None where there is none, where it may not be fetched, or did not come."""
    with workspace(wanted.workspace_id):
        reply = Reply.objects.filter(pk=wanted.reply_id).first()
        known = html.pictures(reply.html or "") if reply else []
    address = next((one for one in known if _tag(one) == wanted.tag), None)
    if address is None or not PER_WORKSPACE.take(wanted.workspace_id.hex):
        return None
    if not _turns.acquire(timeout=_TURN_SECONDS):
        return None
    try:
        answer = outbound.get(
            address,
            purpose=outbound.Purpose.PICTURE,
            accept=images.ACCEPT,
            limit=images.MAX_BYTES,
            seconds=DEADLINE_SECONDS,
        )
        return images.repaint(answer.body)
    except outbound.OutboundError:
        return None
    finally:
        _turns.release()


def _tag(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:24]
