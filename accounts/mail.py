"""Service mail: the backend that keeps it for reading on a page, for the demo and the tests."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from accounts.models import ServiceMail


class StoredMailBackend(BaseEmailBackend):
    """Stores each mail as a row, shown at /mail/ (only while OUTREACH_DEMO is on)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            for address in message.recipients():
                ServiceMail.objects.create(to=address, subject=str(message.subject), text=str(message.body))
        return len(email_messages)
