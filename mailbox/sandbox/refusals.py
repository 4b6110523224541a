"""How each provider words a refusal, as JSON."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Refusal(Exception):
    """An answer other than what was asked for; `code` is Gmail's reason or Graph's code."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def google_answer(refusal: Refusal) -> web.Response:
    status = GOOGLE_STATUS.get(refusal.status, "UNKNOWN")
    if refusal.code == "failedPrecondition":
        status = "FAILED_PRECONDITION"
    body: dict[str, Any] = {
        "code": refusal.status,
        "message": refusal.message,
        "errors": [{"message": refusal.message, "domain": "global", "reason": refusal.code}],
        "status": status,
    }
    if refusal.status == 401:
        body["errors"][0].update({"location": "Authorization", "locationType": "header"})
        refusal.headers.setdefault(
            "WWW-Authenticate", 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
        )
    if refusal.code == "insufficientPermissions":
        body["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
            }
        ]
    if "RateLimit" in refusal.code or "rateLimit" in refusal.code:
        body["errors"][0]["domain"] = "usageLimits"
    return web.json_response({"error": body}, status=refusal.status, headers=refusal.headers)


def graph_answer(refusal: Refusal, client_request_id: str = "") -> web.Response:
    request_id = guid()
    inner = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_request_id or request_id,
    }
    if refusal.status == 401:
        refusal.headers.setdefault("WWW-Authenticate", 'Bearer realm="", error="invalid_token"')
    headers = {"request-id": request_id, "client-request-id": inner["client-request-id"], **refusal.headers}
    body = {"error": {"code": refusal.code, "message": refusal.message, "innerError": inner}}
    return web.json_response(body, status=refusal.status, headers=headers)


def guid() -> str:
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def json_object(text: str, *, code: str) -> dict[str, Any]:
    """A request body that must be a JSON object, or {} when empty. Raises Refusal."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, code, "Unable to read JSON request payload.")
    return value
