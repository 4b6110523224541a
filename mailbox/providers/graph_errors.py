"""What Graph's refusals mean (providers.md 7.4), as a table."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from mailbox.models import Provider
from mailbox.providers.refusals import Act, Problem, Rule

_STALE = ("syncStateNotFound", "resyncRequired", "syncStateInvalid")
_NO_MAILBOX = ("MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ResourceNotFound")
_STOPPED = {
    "ErrorSendAsDenied": "send_as_denied",
    "ErrorQuotaExceeded": "mailbox_full",
    "ErrorMessageSubmissionBlocked": "sending_blocked",
}
# Both alphabets of base64 are taken.
_CLAIMS = re.compile(r'\bclaims="([^"]{1,8000})"', re.IGNORECASE)
_URL_LETTERS = str.maketrans("-_", "+/")
_ANY_4XX = (400, 403, 404, 413, 429)

RULES = (
    *(Rule(status, Act.STALE, "stale", _STALE) for status in (400, 404, 409, 410)),
    Rule(410, Act.STALE, "stale"),
    *(Rule(status, Act.STOP, reason, (code,)) for code, reason in _STOPPED.items() for status in _ANY_4XX),
    *(
        Rule(status, Act.WAIT, "daily_limit", ("ErrorExceededMessageLimit",), after=3600)
        for status in _ANY_4XX
    ),
    *(Rule(status, Act.STOP, "no_mailbox", _NO_MAILBOX) for status in (403, 404)),
    Rule(401, Act.AUTH, "unauthorized"),
    Rule(403, Act.STOP, "permission_missing", ("ErrorAccessDenied", "Authorization_RequestDenied")),
    Rule(403, Act.WAIT, "forbidden", after=900),
    Rule(400, Act.REFUSE, "bad_recipient", ("ErrorInvalidRecipients",)),
    Rule(400, Act.REFUSE, "bad_message"),
    Rule(404, Act.GONE, "gone"),
    Rule(413, Act.REFUSE, "too_large"),
    Rule(429, Act.WAIT, "throttled"),
)


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """Graph's `{"error": {...}}` read; without codes where it cannot be."""
    try:
        error: Any = json.loads(body)["error"]
        inner = error.get("innerError") or {}
        codes = tuple(str(code) for code in (error.get("code"), inner.get("code")) if code)
        trace = str(inner.get("request-id", ""))[:64]
        message = str(error.get("message", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Problem(Provider.MICROSOFT, status, headers, claims=_claims(headers))
    return Problem(Provider.MICROSOFT, status, headers, codes, message, trace, _claims(headers))


def _claims(headers: Mapping[str, str]) -> str:
    """The claims of a challenge as MSAL wants them: the JSON inside, "" where there is none to be read."""
    challenge = next((text for name, text in headers.items() if name.lower() == "www-authenticate"), "")
    found = _CLAIMS.search(challenge)
    if found is None:
        return ""
    spelled = found.group(1).translate(_URL_LETTERS).rstrip("=")
    try:
        text = base64.b64decode(spelled + "=" * (-len(spelled) % 4), validate=True).decode()
        return text if isinstance(json.loads(text), dict) else ""
    except ValueError:
        return ""
