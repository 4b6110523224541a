"""Opens the workspace named in the address for the whole request, the page's rendering included."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

from accounts.models import Membership
from accounts.people.factors import lacks_factor_for, lead_to_factors
from accounts.tenancy import workspace
from accounts.viewpoint import looking_as

# The session's own note of where "/" leads.
LAST = "last_workspace"
_INSIDE = re.compile(r"/w/([-a-zA-Z0-9_]+)/")


class WorkspaceMiddleware:
    """For /w/<slug>/…: strangers get 404; `request.workspace` and `request.membership` are set.

    No proxy keeps such a page, and a browser asks before it shows one again.
    The slug is taken out of the view's arguments: a view never needs it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        slug = _slug_of(request.path_info)
        if slug is None or not request.user.is_authenticated:
            return self.get_response(request)
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise Http404  # No text of ours holds a NUL, and PostgreSQL refuses to compare with one.
        membership = (
            Membership.objects.select_related("workspace", "user")
            .filter(user=request.user, workspace__slug=slug)
            .first()
        )
        if membership is None:
            raise Http404
        if lacks_factor_for(membership.user, membership.workspace):
            return lead_to_factors(request, membership.workspace)
        request.membership = membership  # type: ignore[attr-defined]
        request.workspace = membership.workspace  # type: ignore[attr-defined]
        if request.session.get(LAST) != slug:
            request.session[LAST] = slug
        with workspace(membership.workspace), looking_as(membership):
            answer = self.get_response(request)
        if not answer.has_header("Cache-Control"):
            patch_cache_control(answer, private=True, no_cache=True)
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if _slug_of(request.path_info) is not None:
            kwargs.pop("slug", None)


def _slug_of(path: str) -> str | None:
    """The slug in the path; None where none of its form stands there, and so no address of ours."""
    found = _INSIDE.match(path)
    return found[1] if found else None
