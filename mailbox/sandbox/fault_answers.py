"""What a provider answers where a fault struck before anything was done."""

from __future__ import annotations

from email.utils import formatdate

from mailbox.sandbox.refusals import Refusal
from mailbox.sandbox.weather import Fault

# Status, code and message at Google's API and at Graph. The wording for a full mailbox at Google is a guess
# (providers.md 11: to be probed).
ACCOUNTS = {
    "mailbox_full": (
        (400, "failedPrecondition", "Precondition check failed."),
        (403, "ErrorQuotaExceeded", "The mailbox has exceeded its quota."),
    ),
    "suspended": (
        (400, "failedPrecondition", "Precondition check failed."),
        (403, "ErrorMessageSubmissionBlocked", "Cannot send mail. Sign in to the mailbox to verify it."),
    ),
    "licence_removed": (
        (400, "failedPrecondition", "Mail service not enabled"),
        (
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        ),
    ),
    "blocked_by_admin": (
        (403, "domainPolicy", "The domain administrators have disabled Gmail apps."),
        (403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    ),
}
# The same at the two token endpoints; where nothing stands the token comes as ever.
TOKENS = {
    "suspended": (
        "invalid_grant",
        "Account has been disabled.",
        "AADSTS50057: The user account is disabled.",
    ),
    "blocked_by_admin": (
        "invalid_grant",
        "Access blocked by the organisation's admin.",
        "AADSTS65001: The user or administrator has not consented to use the application.",
    ),
}
BEFORE = frozenset({"error_not_accepted", "throttle", "refuse_permanent", "auth_lost", *ACCOUNTS})


def applies(fault: Fault, op: str) -> bool:
    """Whether a kind of fault says anything to a kind of call."""
    return op != "token" or fault.kind not in ACCOUNTS or fault.kind in TOKENS


def refusal(fault: Fault, provider: str, op: str, *, now: float) -> Refusal:
    """One of the kinds in BEFORE, in the provider's words."""
    google = provider == "google"
    options = fault.options
    if fault.kind in ACCOUNTS:
        if op == "token":
            code, at_google, at_microsoft = TOKENS[fault.kind]
            return Refusal(400, code, at_google if google else at_microsoft)
        return Refusal(*ACCOUNTS[fault.kind][0 if google else 1])
    if fault.kind == "throttle":
        code = "rateLimitExceeded" if google else "ApplicationThrottled"
        message = (
            "User-rate limit exceeded." if google else "Application is over its MailboxConcurrency limit."
        )
        return _worded(429, fault, code, message, _retry_after(options.get("retry_after"), now))
    if fault.kind == "auth_lost":
        if op == "token":
            lost = "Token has been expired or revoked."
            text = lost if google else "AADSTS50173: The provided grant has expired due to it being revoked."
            return Refusal(400, "invalid_grant", text)
        return Refusal(401, "authError" if google else "InvalidAuthenticationToken", "Invalid Credentials")
    if fault.kind == "refuse_permanent":
        code = "invalidArgument" if google else "ErrorInvalidRecipients"
        message = "Invalid To header" if google else "At least one recipient is not valid."
        return _worded(int(options.get("status", 400)), fault, code, message)
    code = "backendError" if google else "ServiceUnavailable"
    return _worded(int(options.get("status", 503)), fault, code, "The service is currently unavailable.")


def _worded(
    status: int, fault: Fault, code: str, message: str, headers: dict[str, str] | None = None
) -> Refusal:
    options = fault.options
    return Refusal(status, str(options.get("code", code)), str(options.get("message", message)), headers)


def _retry_after(wish: object, now: float) -> dict[str, str]:
    """'date' and 'date:seconds' become a date, everything else stands as it is."""
    if wish is None:
        return {}
    name, _, seconds = str(wish).partition(":")
    if name == "date":
        return {"Retry-After": formatdate(now + float(seconds or 0), usegmt=True)}
    return {"Retry-After": str(wish)}
