"""What happens when a recipient acts. All of it, or nothing: a stop is never half done."""

from __future__ import annotations

import re

from django.db import transaction

from tracking import recipient, record
from tracking.page import Page
from tracking.recipient import Act
from tracking.tokens import Mark

LONGEST_NOTE = 500
_STOPS = {Act.STOP: "address", Act.STOP_COMPANY: "domain", Act.DELETE_DATA: "address"}
_HANDED_UP = (Act.REMOVED, Act.WRONG_PERSON, Act.DELETE_DATA)


class NotOffered(ValueError):
    """The page does not offer this act for this mail; nothing was done."""


def perform(page: Page, mark: Mark, act: Act, *, note: str = "") -> None:
    """Open the workspace first. Raises NotOffered. Takes effect when it returns."""
    if act not in page.offers:
        raise NotOffered(act.value)
    with transaction.atomic():
        if act in _STOPS:
            record.opt_out(mark.key, detail=_STOPS[act], address_index=mark.address_index)
        if act in _HANDED_UP:
            recipient.act(mark.key, act, one_line(note))


def one_line(note: str) -> str:
    """At most 500 printable characters in one line."""
    printable = "".join(c if c.isprintable() else " " for c in note[: 4 * LONGEST_NOTE])
    return re.sub(r"\s+", " ", printable).strip()[:LONGEST_NOTE]
