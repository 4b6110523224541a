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
