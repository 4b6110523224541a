"""Who may do what: the decorator on every workspace view, and the only way to fetch a row by id."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Membership, Role, User, Workspace
from accounts.tenancy import WorkspaceModel

P = ParamSpec("P")
Row = TypeVar("Row", bound=WorkspaceModel)


class MemberRequest(HttpRequest):
    """A request inside a workspace: what the middleware has put on it."""

    user: User
    workspace: Workspace
    membership: Membership
    htmx: Any


View = Callable[Concatenate[MemberRequest, P], HttpResponseBase]


def member(least: Role) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Strangers get 404 (the middleware), members below `least` 403, the signed-out the sign-in page."""

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            membership = getattr(request, "membership", None)
            if membership is None:
                raise Http404
            if not membership.may(least):
                raise PermissionDenied(f"Your role here is {membership.role}; this needs {least.value}.")
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        guarded.least_role = least  # type: ignore[attr-defined]
        return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", guarded)

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """The sign-in page; for a part of a page, the whole page goes there and comes back."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = redirect_to_login(urlunsplit(("", "", page.path or "/", page.query, "")))
    return HttpResponseClientRedirect(back.url)


def own_or_404(rows: type[Row] | models.QuerySet[Row], pk: uuid.UUID | str) -> Row:
    """The row with this id in the open workspace, or 404: a foreign row does not exist, nor does a bad id."""
    found = rows.objects.all() if isinstance(rows, type) else rows
    try:
        row: Row = found.get(pk=pk)
    except (models.ObjectDoesNotExist, ValidationError, ValueError) as error:
        raise Http404 from error
    return row
