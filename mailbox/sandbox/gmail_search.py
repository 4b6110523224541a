"""The part of Gmail's search language that the product and its tests use, as SQL conditions."""

from __future__ import annotations

import re
import time
from calendar import timegm
from typing import Any

from mailbox.sandbox.mailstore import DRAFTS, INBOX, JUNK, SENT

_TERM = re.compile(r'(-?)(?:([A-Za-z0-9_]+):)?(?:\(([^)]*)\)|"([^"]*)"|(\S+))')
PLACES = {"sent": SENT, "inbox": INBOX, "drafts": DRAFTS, "draft": DRAFTS, "spam": JUNK}
SPANS = {"d": 86_400, "h": 3_600, "m": 2_592_000, "y": 31_536_000}


def condition(query: str, *, now: float, spam_too: bool) -> tuple[str, list[Any]]:
    """A WHERE condition over the table of mails and its values."""
    parts: list[str] = []
    values: list[Any] = []
    anywhere = spam_too
    for minus, name, group, quoted, word in _TERM.findall(query):
        text = (group or quoted or word).strip().lower()
        name = name.lower()
        if name == "in" and text in ("anywhere", "spam"):
            anywhere = True
        clause, more = _clause(name, text, now)
        if not clause:
            continue
        parts.append(f"NOT ({clause})" if minus else f"({clause})")
        values.extend(more)
    if not anywhere:
        parts.append("folder NOT IN (?, 'deleteditems')")
        values.append(JUNK)
    parts.append("visible_at <= ?")
    values.append(now)
    return " AND ".join(parts), values


def _clause(name: str, text: str, now: float) -> tuple[str, list[Any]]:
    if name in ("in", "label", "is"):
        if text in PLACES:
            return "folder = ?", [PLACES[text]]
        return ("0", []) if text == "chats" else ("", [])
    if name in ("from", "to", "cc", "bcc"):
        column = "sender" if name == "from" else "recipients"
        return f"{column} LIKE ? ESCAPE '\\'", [_like(text)]
    if name == "subject":
        words = text.split()
        return " AND ".join("lower(subject) LIKE ? ESCAPE '\\'" for _ in words) or "1", [
            _like(w) for w in words
        ]
    if name == "rfc822msgid":
        return "message_id = ? COLLATE NOCASE", ["<" + text.strip("<>") + ">"]
    if name in ("after", "newer", "before", "older"):
        sign = ">=" if name in ("after", "newer") else "<"
        return f"at {sign} ?", [_moment(text)]
    if name in ("newer_than", "older_than"):
        found = re.fullmatch(r"(\d+)([dhmy])", text)
        span = int(found.group(1)) * SPANS[found.group(2)] if found else 0
        return ("at >= ?" if name == "newer_than" else "at < ?"), [now - span]
    if name == "has":
        return "", []
    whole = f"{name}:{text}" if name else text
    return "words LIKE ? ESCAPE '\\'", [_like(whole)]


def _moment(text: str) -> float:
    """Unix seconds or a date; Gmail reads dates as midnight, here in UTC."""
    if text.isdigit():
        return float(text)
    for pattern in ("%Y/%m/%d", "%Y-%m-%d", "%m/%d/%Y"):
        try:
            return float(timegm(time.strptime(text, pattern)))
        except ValueError:
            continue
    return 0.0


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
