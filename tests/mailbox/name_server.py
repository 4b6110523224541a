"""A name server on this machine that knows what a test tells it, and counts who asked for what."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

# What the server answers nothing to.
SILENT = "silent"


@dataclass
class NameServer:
    """`records`: by (name, kind), values as a zone file has them. Any other name does not exist."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def txt(self, name: str, *values: str) -> None:
        pieces = [[value[at : at + 255] for at in range(0, len(value), 255)] for value in values]
        self.records[name, "TXT"] = [" ".join(f'"{piece}"' for piece in whole) for whole in pieces]

    def answer(self, packet: bytes) -> bytes | None:
        query = dns.message.from_wire(packet)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        self.asked.append((name, kind))
        found = self.records.get((name, kind), [])
        if found == [SILENT]:
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if found:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()


@contextmanager
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The product's resolver asks this one as long as the block lasts, and nobody else."""
    here = NameServer()
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                packet, who = door.recvfrom(4096)
            except OSError:
                return
            if not packet:
                return
            answer = here.answer(packet)
            if answer is not None:
                door.sendto(answer, who)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], door.getsockname()[1]
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    try:
        yield here
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", door.getsockname())
        thread.join(2)
        door.close()
