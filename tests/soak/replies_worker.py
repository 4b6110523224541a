"""`python -m tests.soak.replies_worker <what celery takes>`: a worker that does something wrong on purpose.

SOAK_PLANTED names what: `loss` drops the matches of some looks and moves the cursor all the same, `foreign`
reads a mail in full that is not ours. A soak with one of them has to end red.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Sequence

PLANTED = "SOAK_PLANTED"
WRONGS = ("loss", "foreign")
SHARE = 0.3
_DICE = random.SystemRandom()


def plant(wrong: str) -> None:
    """Behind the loading of the apps, in this process alone. Raises KeyError for what cannot be planted."""
    from mailbox import gateway
    from mailbox.limited_use import Purpose
    from mailbox.models import Mailbox
    from mailbox.types import InboundHeader
    from outreach import intake

    look = intake.look

    def forgetful(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> intake.Found:
        found = look(mailbox, headers)
        return intake.Found([], found.by_hand) if _DICE.random() < SHARE else found

    def curious(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> intake.Found:
        found = look(mailbox, headers)
        ours = {match.header.provider_id for match in found.matches}
        for header in headers:
            if header.provider_id not in ours and not header.own and _DICE.random() < SHARE:
                gateway.fetch(mailbox, header.provider_id, purpose=Purpose.REPLY_IN_OUR_THREAD)
        return found

    intake.look = {"loss": forgetful, "foreign": curious}[wrong]


def main() -> None:
    from celery.__main__ import main as celery
    from celery.signals import worker_init

    wrong = os.environ.get(PLANTED, "")
    if wrong:
        worker_init.connect(lambda **_: plant(wrong), weak=False)
    celery()


if __name__ == "__main__":
    sys.argv[0] = "celery"
    main()
