"""G3, G4, G5, G10, G11, G15: what the mail says, who it says it is from, and how to stop it.

The text is there from the queue stage on; before, these gates have nothing to look at and let pass.
"""

from __future__ import annotations

import re

from django.conf import settings

from outreach import attachments, content, conversation
from outreach.gates.facts import Asked
from outreach.gates.verdict import GO, Verdict, cancelled, waits
from outreach.models import Message, MessageKind
from outreach.problems import Problem

_ONE_ADDRESS = re.compile(r"[^@\s<>,;\x00-\x1f\x7f]+@[^@\s<>,;\x00-\x1f\x7f]+\.[^@\s<>,;\x00-\x1f\x7f]+")


def _of(problem: Problem | None) -> Verdict:
    return GO if problem is None else cancelled(problem.code, problem.sentence)


def identity(message: Message, asked: Asked) -> Verdict:
    """The sender is the connected mailbox, and can be named."""
    sender = message.mailbox.address if message.mailbox else ""
    if not _ONE_ADDRESS.fullmatch(sender):
        return cancelled("identity", "The mailbox has no address that a mail could come from.")
    return GO


def no_false_answer(message: Message, asked: Asked) -> Verdict:
    begins = message.kind == MessageKind.FIRST or (message.step is not None and message.step.new_thread)
    return _of(content.pretends(message.subject)) if begins else GO


def size(message: Message, asked: Asked) -> Verdict:
    """At most 25 MB, and exactly one recipient."""
    to = message.to_address
    if to and not _ONE_ADDRESS.fullmatch(to):
        return cancelled("one_recipient", "The mail does not name exactly one recipient.")
    return _of(content.too_big(message.text, message.html, attached=attachments.bytes_of(message)))


def placeholders(message: Message, asked: Asked) -> Verdict:
    return _of(content.leftover(message.subject, message.text))


def links(message: Message, asked: Asked) -> Verdict:
    return _of(content.hidden_host(message.text, message.html))


def opt_out(message: Message, asked: Asked) -> Verdict:
    """The link to stop stands in the text, in the HTML and in the header."""
    if not message.text:
        return GO
    link = f"{settings.TRACKING_BASE_URL}/u/"
    named = any(
        name == "List-Unsubscribe" and link in value for name, value in conversation.headers_of(message)
    )
    if not named or link not in message.text or (message.html is not None and link not in message.html):
        return cancelled("no_opt_out", "The link to stop these mails is missing.")
    return GO


def postal_address(message: Message, asked: Asked) -> Verdict:
    if not message.workspace.postal_address.strip():
        return waits("no_postal_address", "The workspace has no postal address. Every mail needs one.")
    return GO
