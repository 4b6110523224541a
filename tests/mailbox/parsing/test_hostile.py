"""Whatever comes in: nothing raises, nothing takes long, and what goes out can be stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbox.parsing import autoreplies, bounces, content, html, quoting
from tests.mailbox.parsing import corpus

SAMPLES = [path.read_bytes() for path in sorted(corpus.HERE.glob("*.eml"))]
PIECES = [
    b"\n", b"\r\n", b"\r", b"\x00", b"--b", b"--b--", b"Content-Type: multipart/mixed; boundary=b\n", b"\n\n",
    b"Content-Type: text/html; charset=utf-7\n", b"Content-Transfer-Encoding: base64\n", b"=?utf-8?b?/w==?=",
    b"Final-Recipient: rfc822;", b"Action: failed\n", b"Status: 5.1.1\n", b"<p>", b"> ", b"wrote:\n",
    b"From: ",
    b"Content-Type: message/delivery-status\n", b"a@b.example", b"\xed\xa0\x80", b"filename*0*=x''%",
    b"=\n", b":",
]  # fmt: skip
slow = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def texts(value: Any) -> Iterator[str]:
    """Every string that a result holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from texts(inner)
    elif is_dataclass(value) and not isinstance(value, Enum):
        for field in fields(value):
            yield from texts(getattr(value, field.name))


def check(work: Callable[[], Any]) -> None:
    begun = time.process_time()
    result = work()
    assert time.process_time() - begun < 2
    for one in texts(result):
        assert "\x00" not in one
        one.encode("utf-8")


def mutated() -> st.SearchStrategy[bytes]:
    """A real mail with pieces put in, doubled or cut out."""

    def build(sample: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, piece in edits:
            at %= len(sample) + 1
            sample = sample[:at] + piece + sample[at + length :]
        return sample

    piece = st.sampled_from(PIECES) | st.binary(max_size=20)
    edits = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 200), piece), max_size=12)
    return st.builds(build, st.sampled_from(SAMPLES), edits)


made = st.lists(st.sampled_from(PIECES) | st.binary(max_size=30), max_size=60).map(b"".join)


@slow
@given(raw=mutated() | made | st.binary(max_size=2000))
def test_it_reads_any_bytes(raw: bytes) -> None:
    check(lambda: content.read_content(raw))
    check(lambda: bounces.parse(raw))


tags = st.sampled_from(
    ["<p>", "</p>", "<blockquote type=cite>", "<div class=gmail_quote>", "</div>", "<hr>", "<table>",
    "<td>", "<!--",
     "<svg>", "<style>", "</", "&#0;", "&#xD800;", "<div id=divRplyFwdMsg>", "<a href='javascript:x'>",
     "<br>", "From: x To: y"]
)  # fmt: skip


@slow
@given(markup=st.lists(tags | st.text(max_size=20), max_size=80).map("".join))
def test_it_reads_any_html(markup: str) -> None:
    check(lambda: html.clean(markup))
    check(lambda: html.to_text(markup))
    check(lambda: quoting.split(markup, html=True))
    split = quoting.split(markup, html=True)
    assert "javascript:" not in html.clean(split.new) + html.clean(split.quoted)


lines = st.sampled_from(
    ["> a", "On x wrote:", "From: a", "To: b", "Am 3. schrieb x:", "-----", "_" * 32, "until 31.02.", ""]
)


@slow
@given(text=st.lists(lines | st.text(max_size=30), max_size=60).map("\n".join), name=st.text(max_size=30))
def test_it_reads_any_text(text: str, name: str) -> None:
    check(lambda: quoting.split(text))
    check(lambda: autoreplies.detect(((name, text), ("Date", text), ("Precedence", "bulk")), text, text))


SIZE = 256 * 1024


@pytest.mark.parametrize(
    "piece",
    ["On ", "On x\n", "On " * 45 + "wrote:\n", "Am schrieb " * 13 + ":\n", "a@", "From: x\n",
    "Le a écrit " * 12 + ":\n",
     "2024年1月1日(月) 1:11 <" * 8 + "\n年:\n", "\n", " ", "> ", "until 3. ", "from x to ", "_" * 32 + "\n",
     "vom 3 au "],
)  # fmt: skip
def test_it_takes_no_more_time_for_repeated_text(piece: str) -> None:
    text = piece * (SIZE // len(piece))
    raw = b"From: mailer-daemon@x.example\nSubject: failure notice\n\n" + text.encode()
    check(lambda: quoting.split(text))
    check(lambda: autoreplies.detect((("Precedence", "bulk"),), text, text))
    check(lambda: bounces.parse(raw))


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<b><p>", "<a href=x>", "<table><tr><td>", "<li>x", "<blockquote type=cite>x",
    "<hr><div>From:x To:y",
     "<p>On 1 a@b.c wrote:</p><blockquote>y</blockquote>", "&amp;", "<", "<!--", "<svg><math><style>",
     "a=b "],
)  # fmt: skip
def test_it_takes_no_more_time_for_repeated_html(piece: str) -> None:
    markup = "<p " + piece * (2 * SIZE // len(piece))
    for start in ("", "<p "):
        text = start + markup[3:]
        check(partial(html.clean, text))
        check(partial(html.to_text, text))
        check(partial(quoting.split, text, html=True))
