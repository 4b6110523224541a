"""What Gmail's refusals mean (providers.md 5.5), as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mailbox.models import Provider
from mailbox.providers.refusals import Act, Problem, Rule

RULES = (
    Rule(400, Act.STOP, "no_mailbox", ("failedPrecondition",), "Mail service not enabled"),
    Rule(400, Act.WAIT, "account_unusable", ("failedPrecondition",), after=900),
    Rule(400, Act.REFUSE, "bad_message"),
    Rule(401, Act.AUTH, "unauthorized"),
    Rule(403, Act.STOP, "permission_missing", ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT")),
    Rule(403, Act.STOP, "blocked_by_admin", ("domainPolicy",)),
    Rule(403, Act.WAIT, "throttled", ("userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded")),
    Rule(403, Act.OURS, "provider_configuration", ("dailyLimitExceeded", "accessNotConfigured"), after=3600),
    Rule(403, Act.STOP, "forbidden", ("forbidden",)),
    Rule(403, Act.WAIT, "forbidden", after=900),
    Rule(404, Act.GONE, "gone"),
    Rule(413, Act.REFUSE, "too_large"),
    Rule(429, Act.WAIT, "throttled"),
)


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """Gmail's `{"error": {...}}` read; without codes where it cannot be."""
    try:
        error: Any = json.loads(body)["error"]
        listed = [one.get("reason", "") for one in (*error.get("errors", []), *error.get("details", []))]
        codes = tuple(str(code) for code in (*listed, error.get("status", "")) if code)
        message = str(error.get("message", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Problem(Provider.GOOGLE, status, headers)
    return Problem(Provider.GOOGLE, status, headers, codes, message)
