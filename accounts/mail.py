"""Service mail (decisions 23): how it is sent, and the backend that keeps it for reading on a page."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from accounts.models import ServiceMail

log = logging.getLogger(__name__)


def tell(addresses: Iterable[str], subject: str, text: str) -> None:
    """One mail to each address, behind the commit. A mail that cannot leave undoes nothing."""
    people = list(addresses)

    def send() -> None:
        for address in people:
            try:
                EmailMessage(subject, text, to=[address]).send()
            except OSError as problem:  # smtplib's own are OSErrors too
                log.warning("a notice could not be mailed: %s", type(problem).__name__)

    transaction.on_commit(send, robust=True)


class StoredMailBackend(BaseEmailBackend):
    """Stores each mail as a row, shown at /mail/ (only while OUTREACH_DEMO is on)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            for address in message.recipients():
                ServiceMail.objects.create(to=address, subject=str(message.subject), text=str(message.body))
        return len(email_messages)
