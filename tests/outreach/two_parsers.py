"""A mail as bytes, read by two parsers that share no code, beside what it was meant to say (T19, T20).

The one is `email` with its modern policy. The other is aiohttp's reader of headers and of MIME parts, with
the older functions of `email` for encoded words and addresses.
"""

from __future__ import annotations

import asyncio
import binascii
import email.header
import email.utils
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import cast

import aiohttp
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HeadersParser
from multidict import CIMultiDictProxy

from mailbox.providers.outgoing import KEY_HEADER
from mailbox.types import OutgoingEmail

_LINES = ("Content-Type", "Content-Transfer-Encoding", "MIME-Version")
# Where a browser test has run before, its loop runs on the tests' own thread.
_ELSEWHERE = ThreadPoolExecutor(1)
People = list[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """A file's content is whole; of a text the lines alone count."""

    kind: str
    name: str
    content: tuple[bytes, ...]


@dataclass(frozen=True)
class Said:
    """What a mail says: the headers but those of MIME, who sends and who gets it, the parts in order."""

    names: tuple[str, ...]
    sender: tuple[tuple[str, str], ...]
    to: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]


def meant(mail: OutgoingEmail) -> Said:
    headers = (("Subject", mail.subject), (KEY_HEADER, mail.key), *mail.headers)
    parts = [Part("text/plain", "", _lines(mail.text.encode()))]
    if mail.html is not None:
        parts.append(Part("text/html", "", _lines(mail.html.encode())))
    parts += [Part(file.content_type, file.name.replace("=?", "=_"), (file.content,)) for file in mail.files]
    return Said(
        ("From", "To", *(name for name, _ in headers)),
        ((_closed(mail.sender_name), mail.sender_address),),
        ((_closed(mail.to_name), mail.to_address),),
        tuple((name, _closed(value)) for name, value in headers),
        tuple(parts),
    )


def _closed(name: str) -> str:
    """Without spaces: where a header is folded, writer and readers add or drop one beside an encoded word."""
    return "".join(name.split())


def by_email(raw: bytes) -> Said:
    message = message_from_bytes(raw, policy=policy.default)
    parts = []
    for part in message.walk():
        if not part.is_multipart():
            payload = cast(bytes, part.get_payload(decode=True))
            parts.append(_part(part.get_content_type(), part.get_filename() or "", payload))
    return Said(
        tuple(name for name in message if name not in _LINES),
        tuple((_closed(one.display_name), one.addr_spec) for one in message["From"].addresses),
        tuple((_closed(one.display_name), one.addr_spec) for one in message["To"].addresses),
        _others((name, str(value)) for name, value in message.items()),
        tuple(parts),
    )


def by_aiohttp(raw: bytes, loop: asyncio.AbstractEventLoop) -> Said:
    head, _, body = raw.partition(b"\r\n\r\n")
    found, lines = HeadersParser(lax=True).parse_headers([*head.split(b"\r\n"), b""])
    names = [name.decode() for name, _ in lines]
    kind = found["Content-Type"].partition(";")[0]
    if kind.startswith("multipart/"):
        parts = _ELSEWHERE.submit(loop.run_until_complete, _parts(found, body, loop)).result()
    else:
        parts = [_part(kind, "", binascii.a2b_qp(body))]
    return Said(
        tuple(name for name in names if name not in _LINES),
        tuple(_people(found.getall("From"))),
        tuple(_people(found.getall("To"))),
        _others(
            (name, _decoded(value.decode())) for name, value in zip(names, (v for _, v in lines), strict=True)
        ),
        tuple(parts),
    )


async def _parts(headers: object, body: bytes, loop: asyncio.AbstractEventLoop) -> list[Part]:
    stream = aiohttp.StreamReader(BaseProtocol(loop), 2**20, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    return await _read(_MailReader(headers, stream))  # type: ignore[arg-type]


class _MailReader(aiohttp.MultipartReader):
    """Headers of a mail may be folded, which HTTP has given up."""

    async def _read_headers(self) -> CIMultiDictProxy[str]:
        lines = [b"more"]
        while lines[-1]:
            lines.append((await self._content.readline()).rstrip(b"\r\n"))
        return HeadersParser(lax=True).parse_headers(lines[1:])[0]


async def _read(reader: aiohttp.MultipartReader) -> list[Part]:
    found: list[Part] = []
    while (part := await reader.next()) is not None:
        if isinstance(part, aiohttp.MultipartReader):
            found += await _read(part)
        else:
            kind = part.headers.get("Content-Type", "none").partition(";")[0]
            found.append(_part(kind, part.filename or "", bytes(await part.read(decode=True))))
    return found


def _part(kind: str, name: str, content: bytes) -> Part:
    return Part(kind, name, (content,) if name else _lines(content))


def _lines(content: bytes) -> tuple[bytes, ...]:
    """An empty text is written as one empty line."""
    return tuple(content.splitlines()) or (b"",)


def _people(values: list[str]) -> Iterator[tuple[str, str]]:
    for display, address in email.utils.getaddresses(values):
        yield _closed(_decoded(display)), address


def _others(pairs: Iterator[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _closed(value)) for name, value in pairs if name not in (*_LINES, "From", "To"))


def _decoded(value: str) -> str:
    return str(email.header.make_header(email.header.decode_header(value)))
