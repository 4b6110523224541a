"""Writes a small MMDB file (MaxMind DB format 2.0): networks to countries, for the tests."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

_MARK = b"\xab\xcd\xefMaxMind.com"


def write(path: Path, countries: dict[str, dict[str, Any]]) -> Path:
    """`countries`: network in CIDR form → the record that stands there. IPv4 lies at ::/96."""
    nodes: list[list[int | str | None]] = [[None, None]]
    for network in countries:
        bits = _bits(network)
        here = 0
        for bit in bits[:-1]:
            after = nodes[here][bit]
            if not isinstance(after, int):
                nodes.append([None, None])
                after = nodes[here][bit] = len(nodes) - 1
            here = after
        nodes[here][bits[-1]] = network
    data, places = b"", {}
    for network, record in countries.items():
        places[network] = len(data)
        data += _value(record)
    count = len(nodes)

    def pointer(side: int | str | None) -> bytes:
        number = count if side is None else side if isinstance(side, int) else count + 16 + places[side]
        return number.to_bytes(3, "big")

    tree = b"".join(pointer(side) for node in nodes for side in node)
    about = {
        "binary_format_major_version": (5, 2),
        "binary_format_minor_version": (5, 0),
        "build_epoch": (9, 1),
        "database_type": "Test-Country",
        "description": {"en": "Test"},
        "ip_version": (5, 6),
        "languages": [],
        "node_count": (6, count),
        "record_size": (5, 24),
    }
    path.write_bytes(tree + bytes(16) + data + _MARK + _value(about))
    return path


def _bits(network: str) -> list[int]:
    found = ipaddress.ip_network(network)
    number, width = int(found.network_address), found.prefixlen + (96 if found.version == 4 else 0)
    return [number >> (127 - place) & 1 for place in range(width)]


def _value(value: Any) -> bytes:
    """Maps (type 7), text (2), numbers (5, 6, 9: two, four, eight bytes), empty lists (11), all below 29."""
    if isinstance(value, list):
        return bytes([len(value), 11 - 7])
    if isinstance(value, dict):
        inner = b"".join(_value(key) + _value(one) for key, one in value.items())
        return bytes([7 << 5 | len(value)]) + inner
    if isinstance(value, str):
        raw = value.encode()
        return bytes([2 << 5 | len(raw)]) + raw
    kind, number = value
    raw = int(number).to_bytes(8, "big").lstrip(b"\0")
    head = bytes([kind << 5 | len(raw)]) if kind < 8 else bytes([len(raw), kind - 7])
    return head + raw
