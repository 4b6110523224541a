"""Text, HTML and attachments out of mails good and bad."""

from __future__ import annotations

import base64
import time
import tracemalloc

from mailbox.parsing.content import MAX_TEXT, Attachment, read_content

MIXED = b"From: Ann <ann@far.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"


def part(headers: bytes, body: bytes) -> bytes:
    return b"--b\r\n" + headers + b"\r\n\r\n" + body + b"\r\n"


def test_it_prefers_the_plain_part_and_keeps_the_html() -> None:
    raw = (
        MIXED + part(b"Content-Type: text/html", b"<p>rich</p>") + part(b"Content-Type: text/plain", b"plain")
    )
    content = read_content(raw + b"--b--")
    assert (content.text, content.html.strip(), content.truncated) == ("plain", "<p>rich</p>", False)
    assert content.headers.get("from") == "Ann <ann@far.example>"


def test_it_makes_text_from_html_alone() -> None:
    raw = b"Content-Type: text/html\n\n<style>p{}</style><p>Hello <b>you</b></p><p>there</p>"
    assert read_content(raw).text == "Hello you\n\nthere"


def test_it_passes_over_an_empty_plain_part() -> None:
    raw = MIXED + part(b"Content-Type: text/plain", b"  ") + part(b"Content-Type: text/html", b"<p>rich</p>")
    assert read_content(raw).text == "rich"


def test_it_names_attachments_without_their_folders() -> None:
    body = base64.b64encode(b"x" * 300)
    headers = b'Content-Type: application/pdf; name="../a/b.pdf"\r\nContent-Transfer-Encoding: base64'
    content = read_content(MIXED + part(b"Content-Type: text/plain", b"see") + part(headers, body) + b"--b--")
    assert content.attachments == (Attachment(".._a_b.pdf", "application/pdf", 300),)
    assert content.text == "see"


def test_it_decodes_names_in_pieces_and_other_alphabets() -> None:
    pieces = b"filename*0*=UTF-8''%C3%9Cber; filename*1*=sicht.txt"
    headers = b"Content-Type: text/plain\r\nContent-Disposition: attachment; " + pieces
    assert read_content(MIXED + part(headers, b"x")).attachments[0].name == "Übersicht.txt"


def test_it_reads_an_unknown_charset_and_broken_base64() -> None:
    raw = b"Content-Type: text/plain; charset=x-nobody\nContent-Transfer-Encoding: base64\n\nSGFsbG8g!!w7xi"
    assert read_content(raw).text.startswith("Hallo ü")


def test_it_takes_no_charset_that_is_none() -> None:
    for name in (b"zlib", b"unicode_escape", b"idna", b"\xff", b"x" * 5000):
        assert read_content(b"Content-Type: text/plain; charset=" + name + b"\n\nhello").text == "hello"


def test_it_holds_no_nul_and_no_lone_surrogate() -> None:
    text = read_content(b"Subject: a\x00b\n\n\xed\xa0\x80 one\x00two\r\nthree").text
    assert "\x00" not in text
    assert text.encode("utf-8")
    assert text.endswith("onetwo\nthree")


def test_it_keeps_an_injected_line_inside_its_header() -> None:
    headers = read_content(b"Subject: =?utf-8?q?a=0D=0ABcc:_x@y.example?=\nX: a\n b: c\n\nhi").headers
    assert [name for name, _ in headers.pairs] == ["subject", "x"]
    assert headers.get("bcc") == ""


def test_it_says_when_it_left_something_out() -> None:
    content = read_content(b"Content-Type: text/plain\n\n" + b"a" * (MAX_TEXT + 1))
    assert len(content.text) == MAX_TEXT
    assert content.truncated


def test_it_stands_ten_thousand_nested_parts() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(10_000))
    assert read_content(b"From: a@b.example\n" + raw + b"\n\nhi").truncated


def test_it_stands_two_hundred_attachments_and_more() -> None:
    raw = MIXED + b"".join(part(b"Content-Type: image/png; name=x%d.png" % i, b"x") for i in range(500))
    content = read_content(raw)
    assert content.truncated
    assert len(content.attachments) == 100


def test_it_reads_a_mail_of_25_megabytes_at_once_and_in_little_memory() -> None:
    attached = part(
        b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64", b"QUJD" * 6_500_000
    )
    raw = MIXED + part(b"Content-Type: text/plain", b"see attached") + attached + b"--b--\r\n"
    assert len(raw) > 25_000_000
    begun = time.process_time()
    content = read_content(raw)
    assert time.process_time() - begun < 0.2
    assert (content.text, content.attachments[0].size > 18_000_000) == ("see attached", True)
    tracemalloc.start()
    read_content(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_it_is_not_slowed_by_lines_that_look_like_boundaries() -> None:
    head = b"Content-Type: multipart/mixed; boundary=-\n\n"
    for body in (
        b"-" * 10_000_000,
        b"---x\n" * 2_000_000,
        b"---\n" * 2_000_000,
        (b"---\n" + b"a:b\n" * 30_000) * 80,
    ):
        begun = time.process_time()
        read_content(head + body)
        assert time.process_time() - begun < 1


def test_it_reads_25_megabytes_of_crowded_html_soon() -> None:
    raw = b"Content-Type: text/html\n\n" + b"<p>hello " * 2_900_000
    begun = time.process_time()
    content = read_content(raw)
    assert time.process_time() - begun < 0.4
    assert content.text.startswith("hello\n\nhello")
    assert content.truncated
