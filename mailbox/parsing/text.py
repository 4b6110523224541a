"""Bytes to clean text: character sets, header words, control characters.

What leaves this module can be stored in PostgreSQL and shown: no NUL, no lone surrogate, `\\n` as
the only line end.
"""

from __future__ import annotations

import binascii
import codecs
import re

# Codecs that Python counts as text but whose decoding is slow or is no character set at all.
_NOT_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}

# What senders write, and the wider set that they mean by it.
_WIDER = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso8859-9": "cp1254",
}

_CONTROLS = {code: None for code in range(32) if code not in (9, 10)} | dict.fromkeys(range(127, 160))
_CONTROLS |= {0xFEFF: None} | dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]{0,4000})\?=")
_BETWEEN_WORDS = re.compile(r"\?=[ \t\n]{1,20}=\?")


def clean(value: str, limit: int) -> str:
    """At most `limit` characters of `value`, without control characters, with `\\n` line ends."""
    value = value[: limit * 2]
    return value.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)[:limit]


def one_line(value: str, limit: int) -> str:
    """As `clean`, with every run of white space made one space."""
    return " ".join(clean(value, limit).split())


def decode(raw: bytes, charset: str = "") -> str:
    """`raw` as text. An unknown or wrong character set never raises: what cannot be read becomes U+FFFD."""
    codec = _codec(charset)
    if codec and codec != "utf-8":
        return raw.decode(codec, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8" if codec else "cp1252", errors="replace")


def _codec(charset: str) -> str:
    try:
        name = codecs.lookup(charset.strip().strip("\"'")[:60]).name
    except (LookupError, ValueError):
        return ""
    if name in _NOT_CHARSETS:
        return ""
    name = _WIDER.get(name, name)
    try:
        b"a".decode(name, errors="replace")
    except LookupError:  # zlib, base64 and their like turn bytes into bytes
        return ""
    return name


def decode_words(value: str, limit: int) -> str:
    """A header's value with its RFC 2047 words decoded, on one line of at most `limit` characters."""
    value = value[: limit * 12]
    if "=?" in value:
        value = _WORD.sub(_decoded_word, _BETWEEN_WORDS.sub("?==?", value))
    return one_line(value, limit)


def _decoded_word(match: re.Match[str]) -> str:
    charset, encoding, data = match.groups()
    raw = data.encode("utf-8", errors="replace")
    raw = from_base64(raw) if encoding in "bB" else binascii.a2b_qp(raw, header=True)
    return decode(raw, charset.partition("*")[0])


def from_base64(raw: bytes) -> bytes:
    """Base64 as mail carries it: foreign characters skipped, missing padding forgiven."""
    kept = raw.translate(None, _NOT_BASE64)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


_NOT_BASE64 = bytes(
    code for code in range(256) if not (chr(code).isascii() and (chr(code).isalnum() or chr(code) in "+/"))
)
