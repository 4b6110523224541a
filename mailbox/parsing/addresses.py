"""Addresses and Message-IDs out of header values, without a parser that can be led astray."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailbox.parsing import text

MAX_ADDRESSES = 100
MAX_IDS = 100

# Each piece excludes the character that ends it, so a scan never looks at a letter twice.
_IDS = re.compile(r"<([^<>\s]{1,990})>")
ADDRESS = re.compile(
    r"""(?<![\w.+%&'*/=?^`{|}~!\#$-])                       # where an address begins
        ("[^"\s<>]{1,64}"|[\w.+%&'*/=?^`{|}~!\#$-]{1,128})  # local part
        @
        ([A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9.\u0080-\U0010ffff-]{0,250}[A-Za-z0-9\u0080-\U0010ffff])?)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Address:
    """`address` is "" where the header names nobody."""

    address: str
    name: str = ""


def first_address(value: str) -> str:
    """The first thing in `value` that looks like an address, or ""."""
    match = ADDRESS.search(value[:4096])
    return tidy(match.group()) if match else ""


def tidy(address: str) -> str:
    """Marks that a sentence leaves around an address, taken off."""
    local, _, domain = address.rpartition("@")
    local = local.lstrip("'`*=-") if not local.startswith('"') else local
    return f"{local}@{domain.rstrip('.-')}" if local else ""


def read_addresses(value: str) -> tuple[Address, ...]:
    """The mailboxes of a From, To or Cc value: at most 100, names decoded, comments dropped."""
    found: list[Address] = []
    for piece in _commas(value[:16384]):
        head, angle, rest = piece.rpartition("<")
        inside = rest.partition(">")[0] if angle else piece
        address = first_address(inside)
        if not address:
            continue
        name = text.decode_words(head.strip().strip("\"'").replace('\\"', '"'), 200) if angle else ""
        found.append(Address(address, name.strip().strip("\"'")))
        if len(found) == MAX_ADDRESSES:
            break
    return tuple(found)


def _commas(value: str) -> Iterator[str]:
    """Pieces between commas outside quotation marks, comments and angle brackets."""
    out: list[str] = []
    quoted = angle = False
    comment = 0
    escaped = False
    for letter in value:
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == '"' and not comment:
            quoted = not quoted
        elif not quoted and letter == "(":
            comment += 1
            continue
        elif not quoted and letter == ")" and comment:
            comment -= 1
            continue
        elif not quoted and not comment and letter in "<>":
            angle = letter == "<"
        elif letter in ",;" and not (quoted or angle or comment):
            yield "".join(out)
            out = []
            continue
        if not comment:
            out.append(letter)
    yield "".join(out)


def message_ids(value: str) -> tuple[str, ...]:
    """Message-IDs with their angle brackets, in order, each once: the first and the newest 99."""
    value = text.clean(value, 64 * 1024)
    found = list(dict.fromkeys(f"<{match}>" for match in _IDS.findall(value)))
    if not found and "@" in value and len(value) < 990 and len(value.split()) == 1:
        found = [f"<{value.strip().strip('<>')}>"]
    return tuple(found if len(found) <= MAX_IDS else found[:1] + found[1 - MAX_IDS :])
