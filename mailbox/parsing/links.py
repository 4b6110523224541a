"""Where the links of strangers lead, and what their words say of it (threats T17).

An address is read as browsers read it (the WHATWG's rules: white space, backslashes, users, percent signs,
numbers as hosts) and written anew, so that the host that is shown is the host that is opened.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

import idna
import tldextract

MAX_ADDRESS = 2000
# The end of a host says whose it is: a longer one loses its beginning.
MAX_SHOWN_HOST = 60
# Words that name more than so many are looked at no further.
MAX_NAMED = 20

_START = re.compile(r"(https?):[\\/]*", re.IGNORECASE)
_PARTS = re.compile(r"([^\\/?#]*)(.*)", re.DOTALL)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_NUMBER = re.compile(r"(?:\d+|0x[0-9a-f]*)", re.IGNORECASE)
_DROPPED = re.compile(r"[\t\n\r]")
_UNSAFE = {code: f"%{code:02X}" for code in (*range(33), 34, 39, 60, 62, 96, 127)}
_TOKEN = re.compile(r"[\w.-]+")
# Names that no registry has: examples, tests and networks of one house.
_RESERVED = {"example", "test", "invalid", "localhost", "local", "internal", "lan", "onion"}


@dataclass(frozen=True)
class Destination:
    """An address of the web. `host` is ASCII: a foreign script stands in it as punycode."""

    href: str
    host: str

    @property
    def shown(self) -> str:
        host = self.host
        return host if len(host) <= MAX_SHOWN_HOST else "…" + host[-MAX_SHOWN_HOST:]


class Speech(Enum):
    """What the words of a link say of the host that it leads to."""

    SILENT = "nothing"
    SAYS_IT = "the host"
    SAYS_ANOTHER = "another host"


def destination(href: str) -> Destination | None:
    """Where http and https lead; None for all else, and where two readers might not agree."""
    href = _DROPPED.sub("", href[: 4 * MAX_ADDRESS].strip("".join(map(chr, range(33)))))
    start = _START.match(href)
    parts = _PARTS.match(href, start.end()) if start else None
    if start is None or parts is None or len(href) > MAX_ADDRESS:
        return None
    place = parts[1].rpartition("@")[2]
    name, port = _port(place)
    host = _host(name) if port is not None else None
    if host is None:
        return None
    path = re.match(r"[^?#]*", parts[2])[0]  # type: ignore[index]  # it matches nothing too
    rest = path.replace("\\", "/") + parts[2][len(path) :]
    rest = rest.translate(_UNSAFE)
    return Destination(f"{start[1].lower()}://{host}{port}{rest}", host)


def _port(place: str) -> tuple[str, str | None]:
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d{0,5}))?", place)
    if found is None:
        return place, None
    number = found[2] or ""
    if number and int(number) > 65_535:
        return place, None
    return found[1], f":{int(number)}" if number else ""


def _host(name: str) -> str | None:
    try:
        if name.startswith("["):
            return f"[{ipaddress.IPv6Address(name[1:-1])}]"
        name = unquote(name, errors="strict")
        if not 0 < len(name) <= 253:
            return None
        host = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
        if len(host) > 253 or not _HOST.fullmatch(host):
            return None
        if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            return _ipv4(host.rstrip("."))
    except ValueError:  # IDNA's errors are among them
        return None
    return host.rstrip(".")


def _ipv4(host: str) -> str | None:
    """Numbers as browsers read them: hexadecimal and octal too, and the last one fills what is left."""
    numbers = []
    for part in host.split("."):
        base = 16 if part.startswith("0x") else 8 if part.startswith("0") and len(part) > 1 else 10
        numbers.append(int(part.removeprefix("0x") or "0", base))
    *first, last = numbers
    if len(first) > 3 or any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return str(ipaddress.IPv4Address(int.from_bytes(bytes(first), "big") * 256 ** (4 - len(first)) + last))


def speech(words: str, host: str) -> Speech:
    """Whether these words say `host`, say another one, or none. Punycode is never said by words."""
    host = _bare(host)
    said = Speech.SILENT
    named = _named(words)
    if len(named) > MAX_NAMED:
        return Speech.SILENT
    for name in named:
        if name == host:
            odd = any(label.startswith("xn--") for label in host.split("."))
            said = Speech.SILENT if odd else Speech.SAYS_IT
        elif _house(name) != _house(host):
            return Speech.SAYS_ANOTHER
    return said


def _named(words: str) -> list[str]:
    """The hosts that words name, as ASCII."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", words) if unicodedata.category(c) != "Cf")
    found: list[str] = []
    for token in _TOKEN.findall(seen.replace("。", ".")):
        token = token.strip(".-_")
        short = token.rpartition(".")[2].isdigit() and token.count(".") != 3  # a version, a page
        if len(found) > MAX_NAMED:
            break
        if "." in token and not short and (host := _host(token)) and _is_host(host):
            found.append(_bare(host))
    return found


@functools.lru_cache(maxsize=4096)
def _is_host(host: str) -> bool:
    last = host.rpartition(".")[2]
    if last.isdigit():
        return True
    parts = _suffixes()(host)
    return last in _RESERVED or bool(parts.suffix and parts.domain)


@functools.lru_cache(maxsize=4096)
def _house(host: str) -> str:
    """The part of a host that somebody registered."""
    if host.rpartition(".")[2] in _RESERVED:
        return ".".join(host.split(".")[-2:])
    parts = _suffixes()(host)
    return f"{parts.domain}.{parts.suffix}" if parts.suffix and parts.domain else host


def _bare(host: str) -> str:
    return host.removeprefix("www.")


@functools.cache
def _suffixes() -> tldextract.TLDExtract:
    """The list that the package carries; those who sell names below their own count as registries."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
