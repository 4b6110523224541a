"""A mail that was accepted, a follow-up behind it, and what comes back."""

from __future__ import annotations

from collections.abc import Callable

from mailbox.models import Mailbox
from outreach.models import Message, Reply
from outreach.pipeline import reply
from outreach.pipeline.reply import Polled
from tests.mailbox.sandbox.conftest import Running

Sent = Callable[..., Message]


def poll() -> Polled:
    return reply.poll(Mailbox.objects.get())


def poll_until(providers: Running, **wanted: object) -> Reply:
    found: Reply = providers.wait(lambda: poll() and Reply.objects.filter(**wanted).first(), 15)
    return found


def inbound(providers: Running, row: Message, **parts: object) -> dict[str, str]:
    """A mail arrives, by default an answer to `row`; a part that is None is left out."""
    values = {
        "email": Mailbox.objects.get().address,
        "from": "Ana Berg <ana.silent@site.example>",
        "subject": "Re: Your hut table",
        "text": "Thank you, tell me more.",
        "reply_to": row.rfc_message_id,
        **parts,
    }
    arrived: dict[str, str] = providers.post(
        "inbound", **{name: value for name, value in values.items() if value is not None}
    )
    return arrived


def following() -> Message:
    found: Message = Message.objects.get(step__position=2)
    return found
