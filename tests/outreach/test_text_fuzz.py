"""Made-up texts, names and values on their whole way into a mail: what two parsers read is what was meant.

No address, header or part more than meant (T19), whatever stands in a template, a contact or a file's name
(T20). `make fuzz-text` runs 200,000.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from mailbox.errors import Refused
from mailbox.providers.outgoing import as_mime
from mailbox.types import OutgoingEmail, OutgoingFile
from outreach import rendering, templating
from tests.outreach.two_parsers import by_aiohttp, by_email, meant

COUNT = int(os.environ.get("FUZZ_TEXTS") or "300")
KEY = "11111111-1111-1111-1111-111111111111"
LINE = f"\r\n--=_{KEY}".encode()
HEADERS = (
    ("List-Unsubscribe", "<https://t.example/u/abc>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
)
# What a header, an address or a part could begin with, and what the languages in between give a meaning to.
PIECES = [
    "\r\nBcc: all@ridge.example", "\nTo: b@ridge.example", "\r\n\r\n", "\r", "\n", "\x00", "\x85",
    "\u2028", "\u2029", "=?utf-8?q?=0d=0aBcc=3a_b=40ridge.example?=", "=?utf-8?b?QmNjOiBh?=", "=?", "?=",
    "<b@ridge.example>", ", b@ridge.example", '"', "\\", "(", ")", ";", ":", "@", ",", "<", ">", "[", "]",
    f"--=_{KEY}", f"\r\n--=_{KEY}\r\nContent-Type: text/html\r\n\r\n", f"--=_files_{KEY}--", "=_",
    "=3D", "=", ".\r\n", "From ", "{{ first_name }}", "{{ company | upcase }}", '{{ topic | default: "x" }}',
    "{% if topic %}", "{% endif %}", "{{", "}}", "{%", "<script>", "</a>", '<a href="https://x.example">',
    "<p>", "&amp;", "&#13;&#10;", "%0d%0a", "\u202e", "\ufeff", "é", "名", "🎒", "x" * 90, " " * 5,
]  # fmt: skip
WORDS = st.lists(
    st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=6
).map("".join)
LOCAL = st.from_regex(r"[a-z0-9_+-]{1,20}(\.[a-z0-9_+-]{1,10}){0,2}", fullmatch=True)
# `email` takes brackets and quotes around a whole name away, and the end of a very long one; aiohttp gives up
# at some semicolons in one.
NAMES = WORDS.map(lambda words: f"a {rendering.one_line(words).replace(';', '')[:40].strip()}.pdf")
FILES = st.lists(
    st.builds(OutgoingFile, NAMES, st.just("application/pdf"), st.binary(max_size=90)), max_size=1
)
seen: dict[str, int] = {"read": 0, "refused": 0, "no template": 0}


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    here = asyncio.new_event_loop()
    yield here
    here.close()


def read_twice(mail: OutgoingEmail, raw: bytes, loop: asyncio.AbstractEventLoop) -> None:
    expected = meant(mail)
    assert by_email(raw) == expected
    assert by_aiohttp(raw, loop) == expected


@given(
    subject=WORDS, body=WORDS, sender=WORDS, name=WORDS, values=st.tuples(WORDS, WORDS, WORDS),
    local=LOCAL, rich=st.booleans(), files=FILES, bare=st.booleans(),
)  # fmt: skip
@settings_of(
    # The short run is the same each time: what it lets through is looked for by `make fuzz-text`.
    max_examples=COUNT, deadline=None, database=None, derandomize="FUZZ_TEXTS" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
def write_and_read(
    loop: asyncio.AbstractEventLoop, subject: str, body: str, sender: str, name: str,
    values: tuple[str, str, str], local: str, rich: bool, files: list[OutgoingFile], bare: bool,
) -> None:  # fmt: skip
    """`bare`: a name or subject that did not come through `one_line` is refused, or is harmless."""
    known = dict(zip(("first_name", "company", "topic"), values, strict=True))
    try:
        filled, _ = templating.fill(subject, known, html=False)
        written, _ = templating.fill(rendering.sanitise(body) if rich else body, known, html=rich)
    except templating.BadTemplate:
        seen["no template"] += 1
        return
    html = rendering.sanitise(written) if rich else None
    line = (lambda text: text) if bare else rendering.one_line
    mail = OutgoingEmail(
        key=KEY, sender_address="mira@fernhill.example", sender_name=line(sender),
        to_address=f"{local}@ridge.example", to_name=line(name), subject=line(filled),
        text=rendering.text_of(html) if html is not None else written, html=html, headers=HEADERS,
        files=tuple(files),
    )  # fmt: skip
    try:
        raw = as_mime(mail)
    except Refused:
        seen["refused"] += 1
        assert bare, "what outreach writes is never refused"
        return
    seen["read"] += 1
    read_twice(mail, raw, loop)


WORD = "=?utf-8?q?=0d=0aBcc=3a_b=40ridge.example?="


@pytest.mark.parametrize(
    "text", [WORD, "=?utf-8?b?QmNjOiBh?==?utf-8?b?QmNjOiBh?=", f"A map {WORD}", "é =? 名" * 5]
)
@pytest.mark.parametrize("where", ["subject", "to_name", "sender_name", "file"])
def test_no_encoded_word_that_somebody_wrote_is_read_as_what_it_says(
    loop: asyncio.AbstractEventLoop, text: str, where: str
) -> None:
    """One in a subject came out as a Bcc header, one in a name as another recipient."""
    mail = OutgoingEmail(
        key=KEY, sender_address="mira@fernhill.example", sender_name="Mira", to_address="a@ridge.example",
        to_name="Anselm", subject="A map", text="Hello", html=None, headers=HEADERS,
    )  # fmt: skip
    if where == "file":
        mail = replace(mail, files=(OutgoingFile(text, "application/pdf", b"%PDF"),))
    else:
        values: dict[str, Any] = {where: text}
        mail = replace(mail, **values)
    read_twice(mail, as_mime(mail), loop)


@pytest.mark.parametrize(
    "subject",
    [
        "a" * 62 + " \u202e " + "b" * 24 + " bbbbbbbbbb 0000 é \u202e",
        "a" * 60 + " é 名 ¡¡名\u202e é ¡¡ ¡¡",
        "a" * 65 + " \u202e \u202e \u202e ¡¡ é",
        "é" * 120,
        "名 " * 60 + "名",
    ],
)
def test_a_long_subject_of_any_letters_is_read_as_it_was_written(
    loop: asyncio.AbstractEventLoop, subject: str
) -> None:
    """`email` folded some lines in the middle of an encoded word, which readers then showed as it stood."""
    mail = OutgoingEmail(
        key=KEY, sender_address="mira@fernhill.example", sender_name="Mira", to_address="a@ridge.example",
        to_name="Anselm", subject=subject, text="Hello", html=None, headers=HEADERS,
    )  # fmt: skip
    raw = as_mime(mail)
    read_twice(mail, raw, loop)
    head, _, _ = raw.partition(b"\r\n\r\n")
    # RFC 2047, section 2: a line that holds an encoded word has at most 76 characters.
    assert [line for line in head.split(b"\r\n") if b"=?" in line and len(line) > 76] == []


def test_two_parsers_read_what_was_meant(loop: asyncio.AbstractEventLoop) -> None:
    write_and_read(loop)
    # Most of what was made up became a mail, or the rest of this proves little.
    print(f"\nfuzz-text: {seen}")  # noqa: T201
    assert seen["read"] > sum(seen.values()) * 0.3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: ", b"Bcc: b@ridge.example\r\nSubject: "),
        (b"To: ", b"To: b@ridge.example, "),
        (b"Subject: A", b"Subject: \r\n\tB"),
        (LINE + b"--", LINE + b"\r\n\r\nmore" + LINE + b"--"),
        (b"Hello", b"Hallo"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("parser", ["email", "aiohttp"])
def test_each_parser_notices_what_was_not_meant(
    loop: asyncio.AbstractEventLoop, old: bytes, new: bytes, parser: str
) -> None:
    mail = OutgoingEmail(
        key=KEY, sender_address="mira@fernhill.example", sender_name="Mira", to_address="a@ridge.example",
        to_name="Anselm", subject="A map", text="Hello", html="<p>Hello</p>", headers=HEADERS,
    )  # fmt: skip
    raw = as_mime(mail)
    read_twice(mail, raw, loop)
    planted = raw.replace(old, new, 1)
    assert planted != raw
    found = by_email(planted) if parser == "email" else by_aiohttp(planted, loop)
    assert found != meant(mail)
