"""What a log line says of an address: the page, never the token, the code or the search words in it (T13).

The address of an opt-out acts for whoever holds it, a password's reset key opens an account, a query holds
search words and the provider's code. Of recipients' visits neither IP nor browser is kept (threats 3).
"""

from __future__ import annotations

import logging
import re
from typing import Any

from gunicorn.glogging import Logger

_PUBLIC = re.compile(r"/[ocu]/")
_TOKEN = re.compile(
    r"^(/[ocu]/|/stop/|/accounts/password/reset/key/|/accounts/confirm-email/)[^/?].*", re.DOTALL
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def plain(address: str) -> str:
    """A path or URL without its query, without the tokens of ours, in one line."""
    path = _CONTROL.sub("?", re.split(r"[?#]", address, maxsplit=1)[0])
    return _TOKEN.sub(r"\1…", path)


# What no line may hold, wherever it came from: an exception's words, an argument, a library's own line.
# Bounded, so that a long argument costs no more than its length (threats T28).
_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s{1,4}[\w.~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"\bya29\.[\w.-]+|\b1//[\w-]{10,}|\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}"), "…"),
    (
        re.compile(
            r"(?i)(?<![\w-])([\w-]{0,40}?(?:token|secret|password|cookie|session|authorization|api[_-]?key|csrf)"
            r"[\w-]{0,40}[\"']?\s{0,4}[=:]\s{0,4}[\"']?)[^\s\"'&,;}]{4,}"
        ),
        r"\1…",
    ),
    (
        re.compile(r"(?i)\b((?:code|state|nonce|assertion|verifier)[\"']?\s?[=:]\s?[\"']?)[^\s\"'&,;}]{4,}"),
        r"\1…",
    ),
    (re.compile(r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "…@…"),
)
LONGEST = 32_000
# PostgreSQL repeats values and statements in these lines of a message.
_VALUES = re.compile(
    r"^([ \t]{0,20})(DETAIL|HINT|CONTEXT|QUERY|STATEMENT|LINE \d+):.*(?:\n[ \t]*\^[ \t]*$)?", re.MULTILINE
)


def without_secrets(words: str) -> str:
    """Text for a log, without tokens, keys, cookies, addresses of people and values of the database."""
    if len(words) > LONGEST:
        words = f"{words[: LONGEST // 2]} … {words[-LONGEST // 2 :]}"
    words = _VALUES.sub(r"\1\2: …", words)
    for pattern, rest in _SECRETS:
        words = pattern.sub(rest, words)
    return words


class PlainLines(logging.Formatter):
    """Every line of ours ends here: message, exception and stack, redacted after they are put together (T13).

    Tracebacks name files and lines, never local variables.
    """

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class PlainAddresses(logging.Filter):
    """For Django's own lines ("Not Found: /u/…"), which name the path as their argument."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                plain(a) if isinstance(a, str) and a.startswith("/") else a for a in record.args
            )
        return True


class AccessLog(Logger):  # type: ignore[misc]
    """gunicorn's access log with plain addresses."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = plain(str(environ.get("RAW_URI", "")))
        kept = {name: value for name, value in atoms.items() if not name.startswith("{")}
        kept |= {
            "r": f"{environ['REQUEST_METHOD']} {path} {environ['SERVER_PROTOCOL']}",
            "U": path,
            "q": "",
            "f": "-",
        }
        if _PUBLIC.match(path):
            kept |= {"h": "-", "a": "-"}
        return kept
