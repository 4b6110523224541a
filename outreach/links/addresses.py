"""A page's address as a list gives it: read strictly, kept as it came, with the site it belongs to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from outreach.contacts import registrable

LONGEST = 2048
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:(?!\d+(?:/|$))", re.IGNORECASE)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class BadAddress(ValueError):
    """This is no address of a public web page; the message is the sentence beside the row."""


@dataclass(frozen=True)
class Page:
    """`url` with scheme and host in lower case and the host in ASCII; `domain` is the site it belongs to."""

    url: str
    host: str
    domain: str


def read_page(text: str) -> Page:
    """Ports and international names are fine; user names, other schemes and bare numbers are not.

    Raises BadAddress.
    """
    given = text.strip()
    if not given:
        raise BadAddress("The address is empty.")
    if len(given) > LONGEST:
        raise BadAddress(f"The address has {len(given):,} characters; {LONGEST:,} is the most.")
    if _CONTROL.search(given):
        raise BadAddress("The address holds a space or a control character.")
    scheme = _SCHEME.match(given)
    if scheme and scheme.group().lower() not in ("http:", "https:"):
        raise BadAddress(f"“{scheme.group()}” is no address of a web page. http and https are.")
    full = given if scheme else f"http://{given.lstrip('/')}"
    try:
        parts = urlsplit(full)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as wrong:
        raise BadAddress("The address cannot be read.") from wrong
    if "@" in parts.netloc:
        raise BadAddress("The address holds a user name before an “@”. It may lead elsewhere than it seems.")
    ascii_host = _ascii(host)
    domain = _site_of(ascii_host)
    if not domain:
        raise BadAddress(f"“{host[:80]}” is not the name of a site.")
    place = ascii_host if port is None else f"{ascii_host}:{port}"
    rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Page(f"{parts.scheme.lower()}://{place}{rest}", ascii_host, domain)


@lru_cache(maxsize=4096)
def _site_of(host: str) -> str:
    """A long list names the same hosts again and again."""
    return registrable(host)


def _ascii(host: str) -> str:
    """The host in IDNA, or BadAddress."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    else:
        raise BadAddress("The address is a bare number; it belongs to no site.")
    try:
        found = host.lower().encode("idna").decode() if not host.isascii() else host.lower()
    except UnicodeError as wrong:
        raise BadAddress(f"“{host[:80]}” is not the name of a site.") from wrong
    labels = found.split(".")
    if len(labels) < 2 or len(found) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadAddress(f"“{host[:80]}” is not the name of a site.")
    return found
