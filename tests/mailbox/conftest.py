"""Connected mailboxes, made directly from a grant of the sandbox, as a finished consent makes them."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Callable

import pytest

from accounts import clock
from accounts.encryption import blind_index, platform_index
from accounts.models import Workspace
from mailbox.limits import is_consumer
from mailbox.models import Credential, Mailbox, MailboxIdentity
from mailbox.types import OutgoingEmail
from tests.mailbox.sandbox.conftest import Running

ADDRESSES = {"google": "maya@studio.example", "microsoft": "max@firm.example"}


def connect(
    here: Workspace, providers: Running, provider: str, email: str = "", *, private_mails: int = 0
) -> Mailbox:
    """A mailbox of the open workspace `here` with a living grant."""
    email = email or ADDRESSES[provider]
    providers.post("accounts", provider=provider, email=email, private_mails=private_mails)
    given = providers.post("grant", provider=provider, email=email)
    google = provider == "google"
    subject = given["sub"] if google else f"{given['tid']}.{given['oid']}"
    identity = platform_index("mailbox", f"{provider}:{subject}")
    MailboxIdentity.objects.get_or_create(
        pk=identity, defaults={"consumer": is_consumer(provider, subject=subject, address=email)}
    )
    now = clock.now()
    row = Mailbox.objects.create(
        owner=here.memberships.get(role="owner").user,
        provider=provider,
        identity=identity,
        subject=subject,
        address=email,
        address_index=blind_index(here.pk, "address", email),
        display_name="Maya",
        connected_at=now,
        daily_cap=400,
    )
    Credential.objects.create(
        mailbox=row,
        generation=row.generation,
        secret=given["refresh_token"] if google else given["msal_cache"],
        access_token=given["access_token"],
        access_expires_at=now + dt.timedelta(seconds=given["expires_in"]),
    )
    return row


@pytest.fixture
def connected(in_ws: Workspace, providers: Running) -> Callable[..., Mailbox]:
    """`connected("google")`: a mailbox of the open workspace with a living grant."""
    return functools.partial(connect, in_ws, providers)


@pytest.fixture
def write() -> Callable[..., OutgoingEmail]:
    """`write(mailbox, to=…)`: a mail from this mailbox, ready to leave."""

    def make(mailbox: Mailbox, **parts: object) -> OutgoingEmail:
        values: dict[str, object] = {
            "key": str(uuid.uuid4()),
            "sender_address": str(mailbox.address),
            "sender_name": "Maya",
            "to_address": "ana.silent@site.example",
            "to_name": "Ana",
            "subject": "A broken link on your page",
            "text": "Hello Ana,\nyour page links to a page of ours that is gone.",
            "html": "<p>Hello Ana,</p><p>your page links to a page of ours that is gone.</p>",
            "headers": (("List-Unsubscribe", "<https://localhost/u/token>"),),
        }
        return OutgoingEmail(**{**values, **parts})  # type: ignore[arg-type]

    return make
