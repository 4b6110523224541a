"""Delivery reports as the two providers write them (RFC 3464)."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.mime import Mail
from mailbox.sandbox.replies import one_line

EXCHANGE = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"
STATUS = {
    "bounce": ("failed", "5.1.1", "smtp; 550 5.1.1 <{to}>: Recipient address rejected: User unknown"),
    "delayed": ("delayed", "4.2.2", "smtp; 452 4.2.2 <{to}>: Mailbox full, will try again"),
    "softbounce": ("failed", "4.2.2", "smtp; 452 4.2.2 <{to}>: Mailbox full"),
}


def report(kind: str, account: Account, raw: bytes, mail: Mail, recipient: str, *, at: float) -> bytes:
    """A multipart/report about one recipient: `kind` is bounce (hard), delayed or softbounce."""
    action, status, diagnostic = STATUS[kind]
    google = account.provider == "google"
    message = MIMEMultipart("report", policy=SMTP)
    message.set_param("report-type", "delivery-status")
    when = format_datetime(datetime.fromtimestamp(at, UTC))
    if google:
        message["From"] = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
        message["Subject"] = f"Delivery Status Notification ({'Delay' if action == 'delayed' else 'Failure'})"
        message["X-Failed-Recipients"] = recipient
        message["Message-ID"] = f"<{secrets.token_hex(12)}.gmr@mx.google.com>"
        message.attach(MIMEText(_google_words(action, recipient, diagnostic), "plain", "utf-8"))
    else:
        tenant = account.email.rpartition("@")[2]
        message["From"] = f"Microsoft Outlook <{EXCHANGE}@{tenant}>"
        message["Subject"] = (
            f"{'Delivery delayed' if action == 'delayed' else 'Undeliverable'}: {one_line(mail.subject)}"
        )
        message["X-MS-Exchange-Message-Is-Ndr"] = ""
        message["Content-Language"] = "en-US"
        message["Message-ID"] = f"<{secrets.token_hex(16)}@SBXP001.PROD.OUTLOOK.COM>"
        message.attach(MIMEText(_microsoft_words(action, recipient, diagnostic), "html", "utf-8"))
    message["To"] = account.email
    message["Date"] = when
    message["Auto-Submitted"] = "auto-replied"
    message["Return-Path"] = "<>"
    if mail.message_id:
        message["In-Reply-To"] = mail.message_id
        message["References"] = mail.message_id
    message.attach(_delivery_status(google, recipient, action, status, diagnostic, when))
    message.attach(_returned_headers(raw))
    return message.as_bytes()


def _delivery_status(
    google: bool, recipient: str, action: str, status: str, diagnostic: str, when: str
) -> MIMEBase:
    mta = "dns; googlemail.com" if google else "dns;SBXP001.PROD.OUTLOOK.COM"
    about_mail, about_recipient = Message(policy=SMTP), Message(policy=SMTP)
    about_mail["Reporting-MTA"] = mta
    about_mail["Arrival-Date"] = when
    about_recipient["Final-Recipient"] = f"rfc822; {recipient}"
    about_recipient["Action"] = action
    about_recipient["Status"] = status
    about_recipient["Diagnostic-Code"] = diagnostic.format(to=recipient)
    about_recipient["Last-Attempt-Date"] = when
    part = MIMEBase("message", "delivery-status", policy=SMTP)
    part.attach(about_mail)
    part.attach(about_recipient)
    return part


def _returned_headers(raw: bytes) -> MIMEBase:
    part = MIMEBase("text", "rfc822-headers", policy=SMTP)
    part.set_payload(re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0].decode("utf-8", "replace") + "\r\n")
    return part


def _google_words(action: str, recipient: str, diagnostic: str) -> str:
    if action == "delayed":
        return (
            f"** Delivery incomplete **\n\nThere was a temporary problem delivering your message to "
            f"{recipient}. Gmail will retry for 47 more hours.\n\n{diagnostic.format(to=recipient)}\n"
        )
    return (
        f"** Address not found **\n\nYour message wasn't delivered to {recipient} because the "
        f"address couldn't be found or is unable to receive mail.\n\n"
        f"The response was:\n{diagnostic.format(to=recipient)}\n"
    )


def _microsoft_words(action: str, recipient: str, diagnostic: str) -> str:
    what = "has been delayed" if action == "delayed" else "couldn't be delivered"
    return (
        f"<html><body><p>Your message to <b>{escape(recipient)}</b> {what}.</p>"
        f"<p>Remote server returned '{escape(diagnostic.format(to=recipient))}'</p></body></html>"
    )
