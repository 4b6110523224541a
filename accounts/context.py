"""What every page's template knows about the person and the workspace."""

from __future__ import annotations

import functools
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.demo import SIGN_INS, SignIn
from accounts.models import Membership, User, Workspace


def nonce(request: HttpRequest) -> dict[str, str]:
    """`csp_nonce`: every script element carries it, or the browser does not run it."""
    return {"csp_nonce": str(getattr(request, "csp_nonce", ""))}


def workspace(request: HttpRequest) -> dict[str, Any]:
    """`workspaces` and `demo_sign_ins` ask the database only where a template uses them."""
    page: dict[str, Any] = {"demo": settings.DEMO}
    if settings.DEMO:
        page["demo_sign_ins"] = _demo_sign_ins
    here = getattr(request, "workspace", None)
    if here is None:
        return page
    return {
        **page,
        "workspace": here,
        "role": request.membership.role,  # type: ignore[attr-defined]
        "workspaces": functools.cache(functools.partial(_workspaces_of, request.membership.user_id)),  # type: ignore[attr-defined]
    }


def _workspaces_of(user_id: int) -> list[Workspace]:
    places = Membership.objects.filter(user_id=user_id).select_related("workspace").order_by("created_at")
    return [place.workspace for place in places]


def _demo_sign_ins() -> list[SignIn]:
    there = set(
        User.objects.filter(email__in=[who.email for who in SIGN_INS]).values_list("email", flat=True)
    )
    return [who for who in SIGN_INS if who.email in there]
