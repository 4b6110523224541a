"""The OpenAPI description: every answer of every operation, the ways to sign in, the shape of problems."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts.apikeys.callers import HEADER
from outreach.api.paging import MOST, USUAL
from outreach.api.problems import MEDIA_TYPE
from outreach.api.repeating import PARAMETER

PROBLEMS = {
    400: "A parameter, a field or the JSON itself does not fit, or a session names no workspace.",
    401: "There is no credential, or it does not work. Why is not said.",
    403: "The key lacks the scope, the person the role, or the session its CSRF token.",
    404: "There is nothing of this name in this workspace.",
    405: "This address does not take this method.",
    413: "The body is larger than {largest} KiB.",
    415: "The body is not application/json.",
    422: "The Idempotency-Key named another request.",
    429: "Too many requests in this minute. Retry-After says when it goes on.",
}
LISTED = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        description="Rows at most.",
    ),
    OpenApiParameter(
        "cursor", {"type": "string", "format": "uuid"}, description="The `next` of the answer before."
    ),
]


class OutreachSchema(AutoSchema):
    """Adds to every operation the answers that none of them has to name, and the key of repeatable ones."""

    def get_override_parameters(self) -> list[Any]:
        return [PARAMETER] if self._is_repeatable() else []

    def _words(self, number: int) -> str:
        largest = getattr(self.view, "largest_body", 0) // 1024
        return PROBLEMS[number].format(largest=f"{largest:,}")

    def _is_repeatable(self) -> bool:
        return getattr(getattr(self.view, self.method.lower()), "is_repeatable", False)

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        from outreach.api.shapes import Problem

        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        numbers = [400, 401, 403, 404, 429]
        numbers += [413, 415] if self.method in ("POST", "PUT", "PATCH") else []
        numbers += [422] if self._is_repeatable() else []
        for number in numbers:
            shape = OpenApiResponse(Problem, description=self._words(number))
            found = self._get_response_for_code(  # type: ignore[no-untyped-call]
                shape, str(number), (MEDIA_TYPE,), direction
            )
            if number == 429:
                found["headers"] = {
                    "Retry-After": {
                        "schema": {"type": "integer"},
                        "description": "Seconds.",
                        "required": True,
                    }
                }
            bodies.setdefault(str(number), found)
        return bodies


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.apikeys.callers.KeyAuthentication"
    name = ["bearer", "basic"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key or the workspace token."},
            {
                "type": "http",
                "scheme": "basic",
                "description": "The workspace's SID (WS…) as user name and the token or a key as password; "
                "with a key also the SID (US…) of the person who made it.",
            },
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        # Either of the two.
        return [{"bearer": []}, {"basic": []}]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Three parts that go together: the cookie alone opens nothing."""

    target_class = "accounts.apikeys.callers.WorkspaceSession"
    name = ["session", "workspace", "csrf"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        return [
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.SESSION_COOKIE_NAME,
                "description": "A signed-in browser.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": HEADER,
                "description": "The SID of the workspace, for a session.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRFToken",
                "description": "The token of a page of ours, for a session that changes something.",
            },
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        unsafe = auto_schema.method not in ("GET", "HEAD")
        return {name: [] for name in self.name if name != "csrf" or unsafe}


def tighten(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What is not named is not there: no object has further properties, given or taken."""
    for shape in result["components"]["schemas"].values():
        if shape.get("type") == "object":
            shape.setdefault("additionalProperties", False)
    return result
