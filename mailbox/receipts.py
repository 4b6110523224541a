"""The lines of a receipt: added in place, corrected in place, each with its code, state and sentence."""

from __future__ import annotations

from django.conf import settings

from accounts import clock
from accounts.encryption import seal
from mailbox.limits import CONSUMER_TENANT
from mailbox.models import Mailbox, Provider, Receipt, ReceiptStep, StepState

# code → where the line stands. Lines that outreach adds for a project start with "kept:".
POSITIONS = {"stopped": 10, "token": 20, "watch": 30, "queue": 40, "unclear": 50, "kept": 60, "mail": 70}
LAST = 90


def line(
    receipt: Receipt, code: str, state: str, sentence: str, *, link: str = "", position: int | None = None
) -> ReceiptStep:
    """Write the line `code`, or correct it where it stands."""
    place = POSITIONS.get(code.partition(":")[0], LAST) if position is None else position
    step = ReceiptStep.objects.filter(receipt=receipt, code=code).first()
    if step is None:
        return ReceiptStep.objects.create(
            receipt=receipt, code=code, position=place, state=state, sentence=sentence, link=link
        )
    ReceiptStep.objects.filter(pk=step.pk).update(
        state=state, link=link, at=clock.now(), **seal(step, sentence=sentence)
    )
    step.refresh_from_db()
    return step


def number(receipt: Receipt) -> str:
    """What a person reads out: RR-7F3K-20A9. Made of the id, so nothing more is stored."""
    tail = receipt.pk.hex[-8:].upper()
    return f"RR-{tail[:4]}-{tail[4:]}"


def is_complete(steps: list[ReceiptStep]) -> bool:
    """Nothing is being done any more; what is left is a person's turn."""
    return bool(steps) and all(step.state != StepState.DOING for step in steps)


def grants_page(mailbox: Mailbox) -> str:
    """The provider's page where the account's owner ends our grant."""
    if mailbox.provider == Provider.GOOGLE:
        return str(settings.GOOGLE_GRANTS_URL)
    personal = str(mailbox.subject).lower().startswith(CONSUMER_TENANT)
    return str(settings.MS_CONSUMER_GRANTS_URL if personal else settings.MS_GRANTS_URL)
