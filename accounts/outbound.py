"""The door to places that strangers name: nothing of the product fetches such an address anywhere else.

One call has one purpose, and one line in the log for each hop (decisions 22). A name is asked once, every
address that it answers with must be public, and the connection goes to the address that was checked: one
that answers otherwise the next time gains nothing (threats T21). Redirects are checked like the first
address. Nothing of who asks is told: no cookie, no referrer, and no more of the program than its name.

Google and Microsoft are named by our own settings and have their own door (mailbox/providers/transport.py).
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urljoin, urlsplit

import certifi
import dns.exception
import dns.rdata
import dns.resolver
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

MAX_HOPS = 3
MAX_URL = 4000
CONNECT_SECONDS = 4.0
PORTS = {"http": 80, "https": 443}
log = logging.getLogger("outreach.outbound")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+")
_NUMBER = re.compile(r"(?:\d+|0x[0-9a-f]*)")
_URL = re.compile(r"[!#-;=?-\[\]_a-z~A-Z]+")  # printable ASCII without quotes, <, >, \, ^, `, {, | and }
# Names that no public registry has.
_INNER = (".localhost", ".local", ".internal", ".lan", ".home", ".corp", ".onion", ".arpa")
# Names for examples and tests (RFC 6761): no name server is asked for a record of them.
_RESERVED = (".example", ".test", ".invalid")
_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    )
]  # fmt: skip
# Of IPv6 only what is given out, without the ranges that carry an IPv4 address or lead nowhere.
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [
    ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]

if (settings.OUTBOUND_NAMES or settings.OUTBOUND_ALLOW) and not settings.DEBUG:
    raise ImproperlyConfigured("OUTBOUND_NAMES and OUTBOUND_ALLOW are for tests only: DEBUG is off")


class Purpose(Enum):
    """Why an address of a stranger is fetched."""

    PICTURE = "picture"  # of a mail, for a reader who asked to see it
    DOMAIN = "domain"  # of a mailbox: what its name servers say about its mail


class OutboundError(Exception):
    """Nothing was fetched."""


class Refused(OutboundError):
    """It may not be fetched, now or later."""


class Unreachable(OutboundError):
    """It did not come: another time it may."""


@dataclass(frozen=True)
class Answer:
    content_type: str
    body: bytes


@dataclass(frozen=True)
class _Place:
    """Where a connection goes: checked."""

    scheme: str
    host: str
    path: str
    address: str
    port: int


def get(url: str, *, purpose: Purpose, accept: str, limit: int, seconds: float) -> Answer:
    """What stands at `url`: at most `limit` bytes within `seconds`, redirects included.

    Raises Refused and Unreachable. No transaction may be open: a stranger decides how long this takes.
    """
    _outside_transactions()
    until = time.monotonic() + seconds
    for _ in range(MAX_HOPS + 1):
        found = _hop(url, purpose, accept, limit, until)
        if isinstance(found, Answer):
            return found
        url = urljoin(url, found)
    raise Refused("too many redirects")


def records(name: str, kind: str, *, purpose: Purpose, seconds: float) -> list[str]:
    """What name servers hold under `name`, a TXT record in one piece; nothing where there is none.

    Raises Refused and Unreachable. No transaction may be open.
    """
    _outside_transactions()
    start, outcome = time.monotonic(), "failed"
    try:
        if not is_public_name(name):
            raise Refused("no name of a public place")
        resolver = dns.resolver.get_default_resolver()
        answer = resolver.resolve(f"{name}.", kind, lifetime=seconds, raise_on_no_answer=False)
        found = [_text(data) for data in answer.rrset or ()]
        outcome = f"{len(found)} records"
        return found
    except dns.resolver.NXDOMAIN:
        outcome = "no such name"
        return []
    except Refused as refused:
        outcome = f"refused: {refused}"
        raise
    except (dns.exception.DNSException, OSError) as broken:
        outcome = f"unreachable: {type(broken).__name__}"
        raise Unreachable(type(broken).__name__) from broken
    finally:
        _write_down(purpose, name if _HOST.fullmatch(name) else "?", "-", start, outcome)


def is_public_name(name: str) -> bool:
    """Whether a public registry could know it."""
    return len(name) <= 253 and bool(_HOST.fullmatch(name)) and not name.endswith((*_INNER, *_RESERVED))


def _text(data: dns.rdata.Rdata) -> str:
    pieces = getattr(data, "strings", None)
    return b"".join(pieces).decode("utf-8", "replace") if pieces is not None else data.to_text()


def _outside_transactions() -> None:
    for connection in connections.all(initialized_only=True):
        # The block that Django's test case opens around a test does not count.
        if any(not block._from_testcase for block in getattr(connection, "atomic_blocks", [])):
            raise RuntimeError("a transaction is open: fetch before or after it")


def _hop(url: str, purpose: Purpose, accept: str, limit: int, until: float) -> Answer | str:
    """The answer, or where it has moved to; with its line in the log."""
    start = time.monotonic()
    place: _Place | None = None
    outcome = "failed"
    try:
        place = _place(url, until)
        status, found = _ask(place, accept, limit, until)
        outcome = str(status)
        return found
    except Refused as refused:
        outcome = f"refused: {refused}"
        raise
    except (OSError, http.client.HTTPException, ssl.SSLError) as broken:
        outcome = f"unreachable: {type(broken).__name__}"
        raise Unreachable(type(broken).__name__) from broken
    except Unreachable as unreachable:
        outcome = f"unreachable: {unreachable}"
        raise
    finally:
        host, address = (place.host, place.address) if place else (_host_of(url), "-")
        _write_down(purpose, host, address, start, outcome)


def _write_down(purpose: Purpose, host: str, address: str, start: float, outcome: str) -> None:
    took = round((time.monotonic() - start) * 1000)
    log.info("purpose=%s host=%s address=%s ms=%d outcome=%s", purpose.value, host, address, took, outcome)


def _host_of(url: str) -> str:
    """For the log, of an address that was refused: the host alone, as far as it is one."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return host if re.fullmatch(r"[a-z0-9._:-]{1,100}", host) else "?"


def _place(url: str, until: float) -> _Place:
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        raise Refused("no address of the web")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as wrong:
        raise Refused("no address of the web") from wrong
    if parts.scheme not in PORTS or "@" in parts.netloc or not host:
        raise Refused("no address of the web")
    if port is not None and port != PORTS[parts.scheme]:
        raise Refused("not the port of its scheme")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    address, number = _address(host, PORTS[parts.scheme], until)
    return _Place(parts.scheme, host, path, address, number)


def _address(host: str, port: int, until: float) -> tuple[str, int]:
    """The resolver: one address of `host`, of which every one may be reached."""
    if named := settings.OUTBOUND_NAMES.get(host):
        address, _, other = named.partition(":")
        found, port = [address], int(other or port)
    elif _is_literal(host):
        found = [host]
    elif not _HOST.fullmatch(host) or host.endswith(_INNER) or _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise Refused("no name of a public place")
    else:
        found = _ask_dns(host, min(CONNECT_SECONDS, _left(until)))
    if not found:
        raise Unreachable("the name has no address")
    if not all(address in settings.OUTBOUND_ALLOW or public_address(address) for address in found):
        raise Refused("not a public address")
    return found[0], port


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def public_address(address: str) -> bool:
    """Whether the world can reach it, and it is not the world's way to reach us from within."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in net for net in _NOT_PUBLIC_4)
    return found.scope_id is None and found in _PUBLIC_6 and not any(found in net for net in _NOT_PUBLIC_6)


def _ask_dns(host: str, seconds: float) -> list[str]:
    """All addresses, IPv4 first. The machine's own hosts file and search list are not asked."""
    try:
        answers = dns.resolver.get_default_resolver().resolve_name(f"{host}.", lifetime=seconds)
    except (dns.exception.DNSException, OSError) as broken:
        raise Unreachable(type(broken).__name__) from broken
    return sorted(answers.addresses(), key=lambda address: ":" in address)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise Unreachable("too slow")
    return left


def _ask(place: _Place, accept: str, limit: int, until: float) -> tuple[int, Answer | str]:
    with _connected(place, until) as sock:
        connection = http.client.HTTPConnection(place.host, PORTS[place.scheme])
        connection.sock = sock
        connection.putrequest("GET", place.path, skip_host=True, skip_accept_encoding=True)
        shown = f"[{place.host}]" if ":" in place.host else place.host
        for name, value in (
            ("Host", shown), ("Accept", accept), ("Accept-Encoding", "identity"),
            ("User-Agent", "Mozilla/5.0 (compatible; Outreach)"), ("Connection", "close"),
        ):  # fmt: skip
            connection.putheader(name, value)
        connection.endheaders()
        with closing(connection.getresponse()) as response:
            if response.status in (301, 302, 303, 307, 308):
                return response.status, response.getheader("Location") or ""
            if response.status != 200:
                raise Unreachable(f"status {response.status}")
            if response.getheader("Content-Encoding", "identity") != "identity":
                raise Refused("packed")
            if (response.length or 0) > limit:
                raise Refused("too large")
            body = response.read(limit + 1)
            if len(body) > limit:
                raise Refused("too large")
            _left(until)
            return 200, Answer(response.getheader("Content-Type") or "", body)


@contextmanager
def _connected(place: _Place, until: float) -> Iterator[socket.socket]:
    """A socket to the checked address that is cut at `until`, whatever drips from it."""
    sock = socket.create_connection((place.address, place.port), min(CONNECT_SECONDS, _left(until)))
    holder = [sock]
    timer = threading.Timer(_left(until), _cut, [holder])
    timer.daemon = True
    timer.start()
    try:
        if place.scheme == "https":
            secure = _context().wrap_socket(sock, server_hostname=place.host, do_handshake_on_connect=False)
            holder[0] = secure
            secure.settimeout(_left(until))
            secure.do_handshake()
        holder[0].settimeout(_left(until))
        yield holder[0]
    finally:
        timer.cancel()
        holder[0].close()


def _cut(holder: list[socket.socket]) -> None:
    try:
        holder[0].shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # It has ended by itself.


def _context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
