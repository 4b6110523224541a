"""Every answer that is not a success, in one shape: RFC 9457, application/problem+json."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.forms import BaseForm
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

MEDIA_TYPE = "application/problem+json"
_SENTENCES = {
    401: "A key or a signed-in browser is needed.",
    403: "This credential may not do that.",
    404: "There is nothing of this name in this workspace.",
    405: "This address does not take this method.",
    415: "The body has to be application/json.",
}
log = logging.getLogger(__name__)


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The body is too large."


class Conflict(exceptions.APIException):
    """What was asked does not fit what is there; `errors` are (field, sentence)."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, sentence: str, *, code: str = "conflict", errors: list[tuple[str, str]] | None = None):
        super().__init__(sentence, code)
        self.code = code
        self.errors = errors or []


class KeyReused(exceptions.APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "key_reused"
    default_detail = "This Idempotency-Key named another request. Make up a new one for each."


def refused_by(form: BaseForm) -> exceptions.ValidationError:
    """What a page's form found wrong, field by field, to be raised."""
    return exceptions.ValidationError(
        {name: [str(line) for line in lines] for name, lines in form.errors.items()}
    )


def handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler. What nobody expected is logged and told to nobody."""
    set_rollback()
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        log.error("the API could not answer", exc_info=error)
        request = context["request"]._request
        got_request_exception.send(sender=handler, request=request)
        return problem(500, "Something went wrong on our side.", code="server_error")
    headers = {}
    if isinstance(error, exceptions.Throttled):
        wait = int(getattr(error, "wait", None) or 60)
        headers["Retry-After"] = str(wait)
        words = f"Too many requests. Try again in {wait} seconds."
        return problem(429, words, "throttled", headers=headers)
    if getattr(error, "auth_header", ""):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    if isinstance(error, Conflict):
        return problem(409, str(error.detail), error.code, errors=error.errors)
    if isinstance(error, exceptions.ValidationError):
        return problem(400, "The request does not fit.", "invalid", errors=list(_lines(error.detail)))
    number = error.status_code
    plain = isinstance(error, exceptions.ParseError | exceptions.AuthenticationFailed | TooLarge | KeyReused)
    sentence = str(error.detail) if plain or number not in _SENTENCES else _SENTENCES[number]
    return problem(number, sentence, str(error.default_code), headers=headers)


def problem(
    number: int,
    sentence: str,
    code: str,
    *,
    errors: list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(number).phrase,
        "status": number,
        "detail": sentence,
        "code": code,
    }
    if errors:
        body["errors"] = [{"field": field, "detail": line} for field, line in errors]
    return Response(body, status=number, headers=headers, content_type=MEDIA_TYPE)


def _lines(detail: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """(field, sentence) of DRF's nested lists and dictionaries."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            plain = "" if name == "non_field_errors" else str(name)
            yield from _lines(inner, ".".join(filter(None, [field, plain])))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _lines(inner, field)
    else:
        yield field, str(detail)
