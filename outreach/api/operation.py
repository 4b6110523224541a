"""One address of the API: who may, in which workspace, how often, and a line in the record of requests.

The workspace stays open until the answer is rendered. A class without a declared policy, or with an unsafe
method that has none of its own, cannot be defined: the start is refused (threats T3).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar, cast

from django.conf import settings
from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import origin
from accounts.access import Policy
from accounts.apikeys import log
from accounts.apikeys.callers import BadCredential, Caller, KeyAuthentication, WorkspaceSession
from accounts.apikeys.limits import wait_for
from accounts.models import ApiKey
from accounts.origin import client_address
from accounts.tenancy import workspace
from accounts.viewpoint import looking_as
from outreach.api.problems import TooLarge
from outreach.api.schema import OutreachSchema

LARGEST_BODY = 256 * 1024
_UNSAFE = {"post", "put", "patch", "delete"}


class BoundedJSON(JSONParser):
    """An object, nested within reason and of characters that can be stored."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("The body is nested too deeply.") from error


class AlwaysJSON(BaseContentNegotiation):
    """The API answers in JSON, whatever a client says it prefers."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class Operation(APIView):
    """`policy` holds for reading; `policies` names one for each method that changes something."""

    policy: ClassVar[Policy]
    policies: ClassVar[Mapping[str, Policy]] = {}
    schema = OutreachSchema()
    authentication_classes = [KeyAuthentication, WorkspaceSession]
    permission_classes = []
    throttle_classes = []
    parser_classes = [BoundedJSON]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysJSON
    metadata_class = None
    largest_body: ClassVar[int] = LARGEST_BODY
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    caller: Caller

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not isinstance(getattr(cls, "policy", None), Policy):
            raise TypeError(f"{cls.__name__} declares no policy")
        for method in _UNSAFE & set(dir(cls)):
            if method.upper() not in cls.policies:
                raise TypeError(f"{cls.__name__} declares no policy for {method.upper()}")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        with ExitStack() as self.stack:
            answer = cast(Response, super().dispatch(request, *args, **kwargs))
            answer.render()
            if hasattr(self, "caller") and answer.status_code != 429:
                who = self.caller
                log.note(
                    request,
                    status=answer.status_code,
                    credential=who.credential,
                    address=who.address,
                    key=who.key,
                    user=who.person,
                )
        answer["Cache-Control"] = "no-store"
        answer["Vary"] = "Authorization, Cookie, X-Workspace"
        return answer

    def perform_authentication(self, request: Request) -> None:
        """Let somebody in and open their workspace. Wrong credentials count against the address."""
        try:
            _ = request.user
        except BadCredential as bad:
            self._refuse(request, bad.key)
        if not isinstance(request.auth, Caller):
            raise exceptions.NotAuthenticated
        self.caller = request.auth
        self.stack.enter_context(workspace(self.caller.workspace))
        self.stack.enter_context(looking_as(self.caller.membership))
        if self.caller.key is not None:
            self.stack.enter_context(origin.under(credential=self.caller.key.prefix))

    def check_permissions(self, request: Request) -> None:
        method = request.method or "GET"
        policy = self.policy if method in ("GET", "HEAD") else self.policies.get(method)
        if policy is None:
            raise exceptions.MethodNotAllowed(method)
        if not self.caller.may(policy):
            raise exceptions.PermissionDenied

    def check_throttles(self, request: Request) -> None:
        wait = wait_for("calls", self.caller.name, most=settings.API_REQUESTS_PER_MINUTE)
        if wait:
            raise exceptions.Throttled(wait)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > self.largest_body:
            raise TooLarge

    def _refuse(self, request: Request, key: ApiKey | None) -> None:
        address = client_address(request._request)
        wait = wait_for("guesses", address, most=settings.API_GUESSES_PER_MINUTE)
        if wait:
            raise exceptions.Throttled(wait)
        if key is not None:
            with workspace(key.workspace_id):
                log.note(request._request, status=401, credential=key.prefix, address=address, key=key)
        raise BadCredential


def answer(shape: Any, row: Any, *, status: int = 200) -> Response:
    """One row in its declared shape."""
    return Response(shape(row).data, status=status)
