"""How a mail shows that it answers or unsubscribes: its subject and its extra headers."""

from __future__ import annotations

import json
import re

from outreach.models import Message

_RE = re.compile(r"^\s*(?:(?:re|aw|sv|antw|odp|ref|rif|res)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


def answering(subject: str) -> str:
    """ "Re: " once, whatever stood before the subject."""
    return f"Re: {_RE.sub('', subject).strip()}"


def pretends_to_answer(subject: str) -> bool:
    """Whether a first mail's subject looks like an answer to something (faults G3)."""
    return _RE.match(subject) is not None


def pack_headers(headers: tuple[tuple[str, str], ...]) -> str:
    return json.dumps([list(pair) for pair in headers])


def headers_of(message: Message) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(message.headers or "[]"))
