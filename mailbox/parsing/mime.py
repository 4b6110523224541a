"""The structure of a mail, found by looking for its boundaries and nothing more.

Python's own parser builds a tree by recursion and copies each body; a mail of ten thousand nested
parts stops it. This one slices the bytes it was given: linear in their length, bounded in depth and
in the number of parts (faults.md F33, F34).
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from mailbox.parsing import text

MAX_RAW = 64 * 1024 * 1024  # bytes of one mail looked at
MAX_PARTS = 200
MAX_DEPTH = 20
MAX_HEADER_BYTES = 256 * 1024
MAX_HEADERS = 500
MAX_PART_HEADER_BYTES = 32 * 1024
MAX_PART_HEADERS = 100
MAX_FALSE_BOUNDARIES = 20_000  # lines of one mail that begin like a boundary and are none
MAX_VALUE = 16 * 1024


@dataclass(frozen=True)
class Headers:
    """Header fields in order: names in lower case, values unfolded, words not yet decoded."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first value of `name`, or ""."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.pairs if key == name)


@dataclass(frozen=True)
class Part:
    """A leaf: its headers and where its still encoded body lies in the mail."""

    headers: Headers
    start: int
    end: int
    content_type: str
    charset: str
    filename: str
    attached: bool

    @property
    def encoding(self) -> str:
        return self.headers.get("content-transfer-encoding").strip().lower()

    @property
    def size(self) -> int:
        """Bytes of the decoded body, roughly: nothing is decoded to find out."""
        encoded = max(0, self.end - self.start)
        return encoded * 3 // 4 if self.encoding == "base64" else encoded


@dataclass(frozen=True)
class Mail:
    """A mail's headers and leaves. `truncated`: a limit was met and something was left out."""

    headers: Headers
    content_type: str
    parameters: dict[str, str]
    parts: tuple[Part, ...]
    truncated: bool
    raw: bytes = field(repr=False)

    def body(self, part: Part, limit: int) -> bytes:
        """At most `limit` decoded bytes of one leaf."""
        encoding = part.encoding
        widest = {"base64": 2, "quoted-printable": 3}.get(encoding, 1)
        encoded = self.raw[part.start : min(part.end, part.start + limit * widest)]
        if encoding == "base64":
            encoded = text.from_base64(encoded)
        elif encoding == "quoted-printable":
            encoded = binascii.a2b_qp(encoded)
        return encoded[:limit]

    def text(self, part: Part, limit: int) -> str:
        """At most `limit` characters of a text leaf."""
        return text.clean(text.decode(self.body(part, limit * 4), part.charset), limit)


def read(raw: bytes) -> Mail:
    """Never raises; rubbish is a mail without headers and with one text leaf."""
    truncated = len(raw) > MAX_RAW
    raw = raw[:MAX_RAW]
    if b"\n" not in raw[:MAX_HEADER_BYTES]:
        raw = raw.replace(b"\r", b"\n")
    headers, body = read_headers(raw, 0, len(raw))
    kind, parameters = content_type(headers)
    walk = _Walk(raw)
    walk.visit(headers, body, len(raw))
    return Mail(headers, kind, parameters, tuple(walk.parts), truncated or walk.truncated, raw)


class _Walk:
    """The regions still to look at, in order; a stack in place of recursion."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.parts: list[Part] = []
        self.truncated = False
        self.false_boundaries = 0

    def visit(self, headers: Headers, start: int, end: int) -> None:
        regions = [(headers, start, end, 0)]
        seen = 0
        while regions:
            headers, start, end, depth = regions.pop()
            kind, parameters = content_type(headers)
            boundary = parameters.get("boundary", "")
            inner: list[tuple[int, int]] = []
            if kind.startswith("multipart/") and boundary:
                if depth >= MAX_DEPTH:
                    self.truncated = True
                    continue
                inner = list(self._between(boundary, start, end, MAX_PARTS - seen + 1))
            if not inner:
                self._leaf(headers, kind, parameters, start, end)
                continue
            if len(inner) > MAX_PARTS - seen:
                self.truncated = True
                inner = inner[: MAX_PARTS - seen]
            seen += len(inner)
            for first, last in reversed(inner):
                part_headers, body = read_headers(
                    self.raw, first, last, most=MAX_PART_HEADERS, most_bytes=MAX_PART_HEADER_BYTES
                )
                regions.append((part_headers, body, last, depth + 1))

    def _between(self, boundary: str, start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
        """The regions between boundary lines, at most `most`; the last may lack its closing line."""
        line = b"--" + boundary.encode("utf-8", "replace")
        opened = -1
        at = start
        while most > 0 and self.false_boundaries < MAX_FALSE_BOUNDARIES:
            at = self.raw.find(line, at, end)
            if at < 0:
                break
            # A boundary line holds nothing else, so its end is near or it is none.
            stop = self.raw.find(b"\n", at, min(end, at + len(line) + 80))
            stop = end if stop < 0 else stop
            rest = self.raw[at + len(line) : min(stop, at + len(line) + 81)].strip()
            if (at > start and self.raw[at - 1] != 10) or rest not in (b"", b"--"):
                at += len(line)
                self.false_boundaries += 1
                continue
            if opened >= 0:
                line_end = 2 if self.raw[at - 2 : at] == b"\r\n" else 1
                yield opened, max(opened, at - line_end)
                most -= 1
            if rest == b"--":
                return
            opened = at = min(stop + 1, end)
        if self.false_boundaries >= MAX_FALSE_BOUNDARIES:
            self.truncated = True
        if 0 <= opened < end and most > 0:
            yield opened, end

    def _leaf(self, headers: Headers, kind: str, parameters: dict[str, str], start: int, end: int) -> None:
        disposition, more = parse_parameters(headers.get("content-disposition"))
        filename = more.get("filename") or parameters.get("name") or ""
        kind = "text/plain" if kind.startswith("multipart/") else kind
        attached = disposition == "attachment" or bool(filename) or not kind.startswith("text/")
        self.parts.append(
            Part(
                headers=headers,
                start=start,
                end=end,
                content_type=kind,
                charset=parameters.get("charset", ""),
                filename=text.decode_words(filename, 255),
                attached=attached,
            )
        )


def read_headers(
    raw: bytes, start: int, end: int, *, most: int = MAX_HEADERS, most_bytes: int = MAX_HEADER_BYTES
) -> tuple[Headers, int]:
    """The header fields that begin at `start`, and where the body after them begins.

    Of more than `most` fields or `most_bytes` bytes the rest is skipped.
    """
    end = min(end, len(raw))
    ceiling = min(end, start + most_bytes)
    pairs: list[tuple[str, list[str]]] = []
    at = start
    lines = 0
    while at < ceiling:
        stop = raw.find(b"\n", at, ceiling)
        stop = ceiling if stop < 0 else stop
        line = raw[at : min(stop, at + MAX_VALUE)].rstrip(b"\r")
        if not line.strip():
            return _headers(pairs), min(stop + 1, end)
        lines += 1
        if lines > most * 2:
            return _headers(pairs), _after_blank_line(raw, at, end)
        if line[:1] in (b" ", b"\t"):
            if pairs:
                pairs[-1][1].append(text.decode(line.strip()))
        else:
            name, colon, value = line.partition(b":")
            name = name.strip()
            if not colon or not name or b" " in name:
                if pairs or not line.startswith((b"From ", b">From ")):
                    # No header line: the body begins without its blank line.
                    return _headers(pairs), at
            elif len(pairs) < most:
                pairs.append(
                    (text.one_line(text.decode(name[:200]), 200).lower(), [text.decode(value.strip())])
                )
        at = stop + 1
    return _headers(pairs), _after_blank_line(raw, at, end) if at < end else end


def _after_blank_line(raw: bytes, at: int, end: int) -> int:
    found = [place + len(gap) for gap in (b"\n\n", b"\n\r\n") if (place := raw.find(gap, at, end)) >= 0]
    return min(found, default=end)


def _headers(pairs: list[tuple[str, list[str]]]) -> Headers:
    return Headers(tuple((name, text.clean(" ".join(lines), MAX_VALUE).strip()) for name, lines in pairs))


def content_type(headers: Headers) -> tuple[str, dict[str, str]]:
    """Type and parameters of a part, `text/plain` where none is said or it makes no sense."""
    kind, parameters = parse_parameters(headers.get("content-type"))
    return (kind if kind.count("/") == 1 else "text/plain"), parameters


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """`a/b; x=y; z*0="…"` → ("a/b", {"x": "y", "z": "…"}), with RFC 2231 pieces put together."""
    pieces = list(_semicolons(value[:8192]))
    found: dict[str, str] = {}
    split: dict[str, list[tuple[int, bool, str]]] = {}
    for piece in pieces[1:200]:
        name, equals, content = piece.partition("=")
        name = name.strip().lower()
        if not equals or not name:
            continue
        content = _unquoted(content.strip())
        base, star, rest = name.partition("*")
        if not star:
            found.setdefault(name, content)
            continue
        number, _, coded = rest.partition("*")
        order = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
        split.setdefault(base, []).append(
            (order, (coded == "" and rest.endswith("*")) or rest == "", content)
        )
    for base, chunks in split.items():
        found.setdefault(base, _joined(sorted(chunks)))
    return pieces[0].strip().lower() if pieces else "", found


def _semicolons(value: str) -> Iterator[str]:
    """Pieces between semicolons that stand outside quotation marks."""
    quoted = escaped = False
    begin = 0
    for index, letter in enumerate(value):
        if escaped:
            escaped = False
        elif letter == "\\" and quoted:
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif letter == ";" and not quoted:
            yield value[begin:index]
            begin = index + 1
    yield value[begin:]


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    value = value[1:]
    out: list[str] = []
    escaped = False
    for letter in value:
        if escaped:
            out.append(letter)
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            break
        else:
            out.append(letter)
    return "".join(out)


def _joined(chunks: list[tuple[int, bool, str]]) -> str:
    charset = ""
    out = b""
    for position, (_, coded, content) in enumerate(chunks):
        if coded and position == 0 and content.count("'") >= 2:
            charset, _, content = content.split("'", 2)
        piece = content.encode("utf-8", "replace")
        out += unquote_to_bytes(piece) if coded else piece
    return text.decode(out, charset)
