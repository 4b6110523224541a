"""`Idempotency-Key`: a request that is sent twice is done once, and answered the same both times.

As draft-ietf-httpapi-idempotency-key-header describes it. The answer is written in the transaction of what
was done: either both are there or neither, and a second request that comes meanwhile waits for the first. An
answer that says no has done nothing and is not kept, so the request may be mended and sent again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiAnswer
from outreach.api.problems import KeyReused

if TYPE_CHECKING:
    from outreach.api.operation import Operation

Op = TypeVar("Op", bound="Operation")
P = ParamSpec("P")
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 200
# Visible ASCII; a quoted string (RFC 9651) means what stands in it.
_KEY = re.compile(rf'([!#-~]{{1,{LONGEST}}})|"([!#-~]{{1,{LONGEST}}})"')
PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": LONGEST + 2, "pattern": f"^({_KEY.pattern})$"},
    OpenApiParameter.HEADER,
    description="A name for this request that you make up, such as a UUID. Sent again within 24 hours by the "
    f"same credential, it is not done again: the first answer comes once more, with `{REPLAYED}: true`.",
)


def repeatable(
    handler: Callable[Concatenate[Op, Request, P], Response],
) -> Callable[Concatenate[Op, Request, P], Response]:
    """For the method of an operation that makes something."""

    @wraps(handler)
    def once(self: Op, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = _key_of(request)
        if not key:
            return handler(self, request, *args, **kwargs)
        with transaction.atomic():
            ours = ApiAnswer(
                key_digest=_digest(self.caller.name, key),
                request_digest=_digest(key, request.method, request.path, request.data),
            )
            ApiAnswer.objects.bulk_create([ours], ignore_conflicts=True)
            found = ApiAnswer.objects.get(key_digest=ours.key_digest)
            if found.pk != ours.pk:
                return _again(found, ours)
            answer = handler(self, request, *args, **kwargs)
            found.status, found.body = answer.status_code, JSONRenderer().render(answer.data).decode()
            found.save(update_fields=["status", "body"])
            return answer

    once.is_repeatable = True  # type: ignore[attr-defined]
    return once


def _again(found: ApiAnswer, asked: ApiAnswer) -> Response:
    if bytes(found.request_digest) != asked.request_digest:
        raise KeyReused
    return Response(json.loads(str(found.body)), status=found.status, headers={REPLAYED: "true"})


def _key_of(request: Request) -> str:
    """ "" where none was sent. Raises ValidationError for what is no key."""
    given = request.headers.get(HEADER)
    if given is None:
        return ""
    found = _KEY.fullmatch(given.strip())
    if found is None:
        raise ValidationError({HEADER: f"1 to {LONGEST} visible characters without quotation marks."})
    return found[1] or found[2]


def _digest(*parts: Any) -> bytes:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()
