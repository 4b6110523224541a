"""Private mails that fill a mailbox: nobody but their owner has any business with them."""

from __future__ import annotations

import random
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.mailstore import INBOX, SENT, MailStore

SUBJECTS = (
    "Dinner on Friday",
    "Your appointment",
    "Photos from the lake",
    "Invoice",
    "School trip",
    "Rent",
    "Lab results",
)
PEOPLE = ("mum", "dr.weiss", "landlord", "coach", "school", "anna.private", "bank")
WORDS = [
    "the",
    "meeting",
    "key",
    "garden",
    "doctor",
    "result",
    "train",
    "ticket",
    "birthday",
    "cake",
    "school",
    "letter",
    "bank",
    "account",
    "holiday",
    "sea",
]
DAY = 86_400.0


def fill(mail: MailStore, account: Account, count: int, *, now: float) -> list[str]:
    """Put `count` private mails of the last 30 days, a fifth of them sent ones, and return their ids."""
    draw = random.Random(f"{account.email}:{count}")
    ids = []
    for number in range(count):
        at = now - draw.uniform(60, 30 * DAY)
        other = f"{draw.choice(PEOPLE)}{number}@private.test"
        sent = number % 5 == 4
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = (account.email, other) if sent else (other, account.email)
        message["Subject"] = f"{draw.choice(SUBJECTS)} {draw.randrange(1000)}"
        message["Date"] = formatdate(at)
        message["Message-ID"] = f"<private.{draw.getrandbits(64):x}@private.test>"
        message.set_content(" ".join(draw.choices(WORDS, k=40)) + f"\nPRIVATE-{draw.getrandbits(48):012x}\n")
        ids.append(
            mail.add(account, message.as_bytes(), folder=SENT if sent else INBOX, at=at, decoy=True).id
        )
    return ids
