"""Simulated recipients: which acts an address of a `.example` domain performs, and when.

Keywords in the local part decide, separated by anything but letters and digits; digits behind a
keyword do not matter (`ana.open2.click@site.example`). Without a keyword a hash of the address draws.
"""

from __future__ import annotations

import hashlib
import re

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.context import Sandbox

REPLIES = (
    "reply",
    "reply2",
    "replyde",
    "replyhtml",
    "stop",
    "paid",
    "removed",
    "wrong",
    "other",
    "interested",
    "question",
    "declined",
    "notnow",
    "placed",
)
KEYWORDS = ("open", "click", "ooo", "bounce", "softbounce", "optout", "silent", *REPLIES)
ORDER = ("open", "click", "ooo", *REPLIES, "optout")


def keywords(address: str) -> list[str]:
    """The keywords in the local part, each once."""
    found: list[str] = []
    for token in re.split(r"[^a-z0-9]+", address.partition("@")[0].lower()):
        word = token if token in KEYWORDS else token.rstrip("0123456789")
        if word in KEYWORDS and word not in found:
            found.append(word)
    return found


def plan(address: str, nth: int) -> list[str]:
    """The acts after the `nth` mail (from 1) of one mailbox to this address, in order."""
    words = keywords(address) or _drawn(address, nth)
    if "bounce" in words:
        return ["bounce"]
    if "softbounce" in words:
        return ["delayed", "softbounce"]
    if nth != 2:
        words = [word for word in words if word != "reply2"]
    if nth > 1:
        words = [word for word in words if word != "ooo"]
    return [act for act in ORDER if act in words]


def schedule(sandbox: Sandbox, entry: int, account: Account, address: str) -> None:
    """Plan the acts of one recipient of a mail just accepted: the first about a pace from now."""
    row = sandbox.store.row(
        "SELECT count(*) FROM ledger_recipients WHERE account = ? AND recipient = ?", account.pk, address
    )
    acts = plan(address, row[0] if row else 1)
    if acts:
        # Twenty people do not act in the same instant.
        scatter = 1 + _number(address, "scatter") % 100 / 250
        payload = {"entry": entry, "recipient": address, "acts": acts}
        sandbox.jobs.add("act", payload, after=sandbox.settings.pace * scatter)


def _drawn(address: str, nth: int) -> list[str]:
    """About 5 % bounce, 5 % out of office, 20 % reply, 25 % open, 10 % click; the rest stays silent."""
    number = _number(address, str(nth)) % 100
    if number < 5:
        # Whoever took the first mail does not bounce the second.
        return ["bounce"] if nth == 1 else []
    if number < 10:
        return ["ooo"]
    if number < 15:
        return ["open", "reply"]
    if number < 30:
        return ["reply"]
    if number < 40:
        return ["open", "click"]
    return ["open"] if number < 50 else []


def _number(address: str, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{address}:{salt}".encode()).digest()[:4], "big")
