"""A browser's own description of itself, reduced to a kind a person recognises: "Chrome on Windows"."""

from __future__ import annotations

import functools
import re

import ua_parser
from django.http import HttpRequest

LONGEST = 60
UNKNOWN = "Unknown device"
# The parser walks some hundred patterns: what it is given is bounded, and real browsers stay far below.
_READ = 400
_ODD = re.compile(r"[^\w .+/-]")


def device_of(request: HttpRequest) -> str:
    """The kind of device that sent this request, at most LONGEST characters."""
    return kind_of(request.headers.get("User-Agent", "")[:_READ])


@functools.lru_cache(maxsize=2048)
def kind_of(agent: str) -> str:
    """Program and system of a User-Agent header; UNKNOWN where it names neither."""
    found = ua_parser.parse(agent[:_READ])
    program = _plain(found.user_agent.family) if found.user_agent else ""
    system = _plain(found.os.family) if found.os else ""
    if program and system:
        return f"{program} on {system}"
    return program or system or UNKNOWN


def _plain(family: str) -> str:
    """A family may hold what the header says: only letters, digits and a few signs of it are kept."""
    kept = _ODD.sub("", family).strip()[:28].strip()
    return "" if kept == "Other" else kept
