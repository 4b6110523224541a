"""How a mail shows that it answers or unsubscribes: its subject and its extra headers."""

from __future__ import annotations

import json
import re

from outreach.models import Message

_RE = re.compile(r"^\s*(?:(?:re|aw|sv|antw|odp|ref|rif|res)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)

_MARK = re.compile(
    r"^\s{0,3}(?:re|aw|antw|antwort|sv|vs|vl|odp|ref|rif|res|resp|fw|fwd|wg|tr|rv|enc|pd|doorst|i)"
    r"\s{0,2}(?:\[\d{1,3}\]|\(\d{1,3}\)|\d{1,2})?\s{0,2}[:：]\s{0,3}",
    re.IGNORECASE,
)
MOST_MARKS = 12


def answering(subject: str) -> str:
    """ "Re: " once, whatever stood before the subject."""
    return f"Re: {_RE.sub('', subject).strip()}"


def bare_subject(subject: str) -> str:
    """What two subjects are compared by: without marks of answers and forwards, case and spaces."""
    words = " ".join(subject.split())
    for _ in range(MOST_MARKS):
        shorter = _MARK.sub("", words)
        if shorter == words:
            break
        words = shorter
    return words.casefold().strip()


def pretends_to_answer(subject: str) -> bool:
    """Whether a first mail's subject looks like an answer to something (faults G3)."""
    return _RE.match(subject) is not None


def pack_headers(headers: tuple[tuple[str, str], ...]) -> str:
    return json.dumps([list(pair) for pair in headers])


def headers_of(message: Message) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(message.headers or "[]"))
