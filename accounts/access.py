"""Who may do what: the decorator on every workspace view, and the only way to fetch a row by id."""

from __future__ import annotations

import enum
import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
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
Row = TypeVar("Row", bound=models.Model)


class Audience(enum.StrEnum):
    """Whom a route answers at all."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    MEMBER = "member"


@dataclass(frozen=True)
class Policy:
    """What a route declares, or the start is refused (accounts/policies.py).

    Inside a workspace: the `least` role of a person and, for the API, the `scope` that a key needs ("" where
    any valid key will do). Outside: a `reason` why nobody's role is asked.
    """

    audience: Audience
    least: Role | None = None
    scope: str = ""
    reason: str = ""

    @classmethod
    def member(cls, least: Role, *, scope: str = "") -> Policy:
        return cls(Audience.MEMBER, least=least, scope=scope)

    @classmethod
    def public(cls, reason: str) -> Policy:
        if not reason:
            raise ValueError("say why everybody may come here")
        return cls(Audience.PUBLIC, reason=reason)

    @classmethod
    def signed_in(cls, reason: str = "the person's own") -> Policy:
        return cls(Audience.SIGNED_IN, reason=reason)


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
        guarded.policy = Policy.member(least)  # type: ignore[attr-defined]
        return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", guarded)

    return decorate


AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])


def signed_in(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A page of the person, in no workspace: the signed-out are led to the sign-in page and back."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        return view(request, *args, **kwargs)

    guarded.policy = Policy.signed_in()  # type: ignore[attr-defined]
    return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", guarded)


def public(reason: str) -> Callable[[AnyView], AnyView]:
    """Everybody may come here, and why."""
    policy = Policy.public(reason)

    def decorate(view: AnyView) -> AnyView:
        view.policy = policy  # type: ignore[attr-defined]
        return view

    return decorate


def person_of(request: HttpRequest) -> User:
    """The person of a request that a decorator has let in."""
    return cast("User", request.user)


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """The sign-in page; for a part of a page, the whole page goes there and comes back."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = redirect_to_login(urlunsplit(("", "", page.path or "/", page.query, "")))
    return HttpResponseClientRedirect(back.url)


def own_or_404(rows: type[Row] | models.QuerySet[Row], pk: uuid.UUID | str) -> Row:
    """The row with this id in the open workspace, or 404: a foreign row does not exist, nor does a bad id.

    A table without a manager that narrows (members) must come as a query that does.
    """
    if isinstance(rows, type) and not issubclass(rows, WorkspaceModel):
        raise TypeError(f"{rows.__name__} has no wall of its own: pass the workspace's rows")
    found: models.QuerySet[Any] = rows._default_manager.all() if isinstance(rows, type) else rows
    try:
        row: Row = found.get(pk=pk)
    except (models.ObjectDoesNotExist, ValidationError, ValueError) as error:
        raise Http404 from error
    return row
