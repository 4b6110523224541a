"""From a step's Liquid text to the mail of one person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailbox.models import Mailbox
from mailbox.types import OutgoingEmail
from outreach.models import Campaign, Contact, Message, Step
from outreach.problems import Problem

# Merge fields that every person has; custom fields of a contact come on top.
FIELDS = {
    "first_name": "First name",
    "name": "Full name",
    "company": "Company",
    "site": "Site",
    "address": "Address",
    "sender_name": "Your name",
    "sender_address": "Your address",
    "links": "Their links to you",
}


@dataclass(frozen=True)
class Rendered:
    """One mail as it goes out. `blanks` are the fields that came out empty without a fallback."""

    subject: str
    text: str
    html: str | None
    blanks: list[str] = field(default_factory=list)
    headers: tuple[tuple[str, str], ...] = ()


def sanitise(html: str) -> str:
    """The editor's HTML within the allow-list; Liquid tags stay as they are."""
    raise NotImplementedError


def check_template(text: str, *, known: set[str], html: bool = True) -> list[Problem]:
    raise NotImplementedError


def render_step(
    step: Step,
    contact: Contact,
    *,
    mailbox: Mailbox,
    campaign: Campaign,
    links: Sequence[str] = (),
    first: Step | None = None,
    key: uuid.UUID | None = None,
    opens: bool = False,
    clicks: bool = False,
) -> Rendered:
    """`first` is step 1 (a follow-up's subject is its "Re: "); loaded when left out.

    With `key` (the message's id) links and opt-out are live; without, it is the preview of the same text.
    """
    raise NotImplementedError


def preview(step: Step, contact: Contact, *, links: Sequence[str] = ()) -> Rendered:
    raise NotImplementedError


def finalise(message: Message) -> OutgoingEmail:
    """The frozen row as the mail that the gateway takes, in its thread."""
    raise NotImplementedError
