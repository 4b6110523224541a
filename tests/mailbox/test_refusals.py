"""The tables of refusals (providers.md 3.6, 5.5, 7.4): each line leads to what it says."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from mailbox.errors import Disconnected, Refused, Retry, Uncertain
from mailbox.providers import gmail_errors, graph_errors
from mailbox.providers.base import Gone, Stale, Unauthorized
from mailbox.providers.refusals import refuse
from mailbox.providers.retry_after import wait


def google(status: int, code: str, message: str = "", headers: dict[str, str] | None = None) -> Any:
    body = {"error": {"code": status, "message": message, "errors": [{"reason": code}], "status": "X"}}
    return gmail_errors.problem_of(status, headers or {}, json.dumps(body).encode()), gmail_errors.RULES


def microsoft(status: int, code: str, message: str = "", headers: dict[str, str] | None = None) -> Any:
    inner = {"request-id": "trace-1", "date": "now"}
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return graph_errors.problem_of(status, headers or {}, json.dumps(body).encode()), graph_errors.RULES


GMAIL = [
    (400, "failedPrecondition", "Mail service not enabled", Disconnected, "no_mailbox"),
    (400, "failedPrecondition", "Precondition check failed.", Retry, "account_unusable"),
    (400, "invalidArgument", "Invalid To header", Refused, "bad_message"),
    (400, "badRequest", "Recipient address required", Refused, "bad_message"),
    (401, "authError", "", Unauthorized, ""),
    (403, "insufficientPermissions", "", Disconnected, "permission_missing"),
    (403, "domainPolicy", "", Disconnected, "blocked_by_admin"),
    (403, "userRateLimitExceeded", "", Retry, "throttled"),
    (403, "rateLimitExceeded", "", Retry, "throttled"),
    (403, "dailyLimitExceeded", "", Retry, "provider_configuration"),
    (403, "accessNotConfigured", "", Retry, "provider_configuration"),
    (403, "forbidden", "Delegation denied", Disconnected, "forbidden"),
    (403, "somethingNew", "", Retry, "forbidden"),
    (413, "uploadTooLarge", "", Refused, "too_large"),
    (429, "rateLimitExceeded", "", Retry, "throttled"),
]
GRAPH = [
    (401, "InvalidAuthenticationToken", "", Unauthorized, ""),
    (403, "ErrorAccessDenied", "", Disconnected, "permission_missing"),
    (403, "Authorization_RequestDenied", "", Disconnected, "permission_missing"),
    (404, "MailboxNotEnabledForRESTAPI", "", Disconnected, "no_mailbox"),
    (403, "MailboxNotSupportedForRESTAPI", "", Disconnected, "no_mailbox"),
    (404, "ResourceNotFound", "", Disconnected, "no_mailbox"),
    (403, "ErrorSendAsDenied", "", Disconnected, "send_as_denied"),
    (403, "ErrorQuotaExceeded", "", Disconnected, "mailbox_full"),
    (403, "ErrorMessageSubmissionBlocked", "", Disconnected, "sending_blocked"),
    (429, "ErrorExceededMessageLimit", "", Retry, "daily_limit"),
    (400, "ErrorInvalidRecipients", "", Refused, "bad_recipient"),
    (400, "ErrorMimeContentInvalidBase64String", "", Refused, "bad_message"),
    (400, "InvalidInternetMessageHeader", "", Refused, "bad_message"),
    (400, "ErrorInvalidIdMalformed", "", Refused, "bad_message"),
    (429, "TooManyRequests", "", Retry, "throttled"),
    (429, "ApplicationThrottled", "", Retry, "throttled"),
]
LINES = [(google, *line) for line in GMAIL] + [(microsoft, *line) for line in GRAPH]


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize(("provider", "status", "code", "message", "ends", "reason"), LINES)
def test_it_says_what_to_do_next(
    provider: Any, status: int, code: str, message: str, ends: type[Exception], reason: str, once: bool
) -> None:
    problem, rules = provider(status, code, message)
    with pytest.raises(ends, match=reason or str(status)) as caught:
        refuse(problem, rules, once=once)
    assert type(caught.value) is ends


@pytest.mark.parametrize("provider", [google, microsoft])
@pytest.mark.parametrize("status", [302, 408, 409, 423, 500, 502, 503, 504])
def test_it_leaves_a_send_in_doubt_where_the_status_proves_nothing(provider: Any, status: int) -> None:
    problem, rules = provider(status, "backendError")
    with pytest.raises(Uncertain):
        refuse(problem, rules, once=True)
    with pytest.raises(Retry):
        refuse(problem, rules, once=False)


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429])
@pytest.mark.parametrize("door", [gmail_errors, graph_errors])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "text"}', b'{"error": {}}'])
def test_it_believes_no_refusal_that_it_cannot_read(door: Any, status: int, body: bytes) -> None:
    """A proxy between us and the provider answers too."""
    with pytest.raises(Uncertain):
        refuse(door.problem_of(status, {}, body), door.RULES, once=True)
    with pytest.raises(Retry):
        refuse(door.problem_of(status, {}, body), door.RULES, once=False)


@pytest.mark.parametrize(("provider", "code"), [(google, "notFound"), (microsoft, "ErrorItemNotFound")])
def test_it_takes_a_404_on_the_send_for_a_doubt(provider: Any, code: str) -> None:
    """faults.md 3.1 rule 8."""
    problem, rules = provider(404, code)
    with pytest.raises(Uncertain, match="draft_gone"):
        refuse(problem, rules, once=True)
    with pytest.raises(Gone):
        refuse(problem, rules, once=False)


@pytest.mark.parametrize(
    ("status", "code"),
    [(410, "SyncStateNotFound"), (410, "anything"), (400, "syncstatenotfound"), (404, "resyncRequired")],
)
def test_it_sees_a_dead_delta_token_in_any_spelling(status: int, code: str) -> None:
    problem, rules = microsoft(status, code)
    with pytest.raises(Stale):
        refuse(problem, rules, once=False)


def test_it_tells_the_operator_when_our_project_is_at_fault(caplog: pytest.LogCaptureFixture) -> None:
    problem, rules = google(403, "accessNotConfigured")
    with caplog.at_level(logging.ERROR), pytest.raises(Retry) as caught:
        refuse(problem, rules, once=False)
    assert caught.value.after == 3600
    assert "provider_configuration" in caplog.text


def test_it_keeps_the_message_out_of_the_detail_and_the_trace_in() -> None:
    problem, rules = microsoft(400, "ErrorInvalidRecipients", "ana@site.example is not valid")
    with pytest.raises(Refused) as caught:
        refuse(problem, rules, once=False)
    assert "ana@" not in str(caught.value)
    assert "trace-1" in caught.value.detail


DATE = "Wed, 25 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "message", "least", "most"),
    [
        ({"Retry-After": "30"}, "", 30, 30),
        ({"Retry-After": "0"}, "", 1, 1),
        ({"Retry-After": "Wed, 25 Nov 2026 10:00:45 GMT", "Date": DATE}, "", 45, 45),
        ({"Retry-After": "Wed, 25 Nov 2026 09:00:00 GMT", "Date": DATE}, "", 1, 1),
        ({}, "", 60, 90),
        ({"Retry-After": "soon"}, "", 60, 90),
        ({"Retry-After": "-5"}, "", 60, 90),
        ({"Retry-After": "nan"}, "", 60, 90),
        ({"Retry-After": "Wed, 99 Foo"}, "", 60, 90),
        ({"Date": DATE}, "User-rate limit exceeded.  Retry after 2026-11-25T10:10:00.000Z", 600, 600),
        ({"Date": DATE}, "Retry after 2026-11-26T09:00:00Z", 82_800, 82_800),
    ],
)
def test_it_reads_how_long_to_wait(headers: dict[str, str], message: str, least: float, most: float) -> None:
    """F6. Dates are read against the provider's clock, not ours."""
    assert least <= wait(headers, message) <= most


def test_it_calls_a_wait_of_more_than_an_hour_the_daily_limit() -> None:
    problem, rules = google(429, "rateLimitExceeded", "Retry after 2026-11-26T09:00:00Z", {"Date": DATE})
    with pytest.raises(Retry, match="daily_limit") as caught:
        refuse(problem, rules, once=True)
    assert caught.value.after == 3600
