"""Leaving for a provider and coming back: the state belongs to one browser, one person, one purpose (T5).

Leaving is a page with a Refresh header, never a redirect of the form's POST: browsers hold each hop of such a
redirect against `form-action`.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.internal import statekit
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import public
from accounts.people import spent_states
from accounts.people.proof import lead_to_proof
from accounts.social import houses, oidc

log = logging.getLogger(__name__)
DECLINED = {"access_denied", "interaction_required", "login_required", "consent_required"}


@public("the way in: who somebody is, is asked at the provider")
@require_POST
@never_cache
def start(request: HttpRequest, provider: str) -> HttpResponseBase:
    house = _house(provider)
    connects = request.POST.get("process") == "connect"
    if connects != request.user.is_authenticated:
        # Connecting needs somebody who is signed in; whoever is in already has nothing to sign in for.
        return redirect("account_login" if connects else "landing")
    if connects:
        led = lead_to_proof(request, act=f"Sign in with {house.name} from now on")
        if led is not None:
            return led
    state = secrets.token_urlsafe(32)
    kept = {
        "process": "connect" if connects else "login",
        "user": request.user.pk,
        "next": get_next_redirect_url(request),
    }
    try:
        url = oidc.depart(house, state=state)
    except oidc.OutOfReach:
        return _problem(request, "unreachable", house.name, status=503)
    statekit.stash_state(request, provider_id=house.id, state=kept, state_id=state)
    answer = render(request, "socialaccount/leaving.html", {"url": url, "name": house.name})
    answer["Refresh"] = f"0; url={url}"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@public("the provider leads a browser here: the state in its session decides")
@require_GET
@never_cache
def callback(request: HttpRequest, provider: str) -> HttpResponseBase:
    house = _house(provider)
    state = request.GET.get("state", "")
    kept = statekit.unstash_state(request, provider_id=house.id, state_id=state)
    if kept is None or kept["user"] != request.user.pk or spent_states.is_spent(state):
        spent_states.spend(state)
        return _problem(request, "stale", house.name)
    if request.GET.get("error"):
        declined = request.GET["error"] in DECLINED
        return _problem(request, "declined" if declined else "stale", house.name, status=200)
    try:
        claims = oidc.arrive(house, request.GET.dict(), state=state)
        login = (
            get_adapter(request).get_provider(request, house.id).sociallogin_from_response(request, claims)
        )
        login.state = {"process": kept["process"]} | ({"next": kept["next"]} if kept["next"] else {})
        answer: HttpResponseBase = complete_social_login(request, login)
    except oidc.OutOfReach:
        return _problem(request, "unreachable", house.name, status=503)
    except (oidc.Refused, KeyError, ValueError) as refused:
        log.info("a sign-in with %s was refused: %s", house.id, type(refused).__name__)
        return _problem(request, "stale", house.name)
    except IntegrityError:
        # Two browsers made the same person at the same time; one of them has.
        return _problem(request, "stale", house.name)
    return answer


def _house(provider: str) -> houses.House:
    found = houses.find(provider)
    if found is None:
        raise Http404
    return found


def _problem(request: HttpRequest, code: str, name: str, *, status: int = 400) -> HttpResponse:
    page: dict[str, Any] = {"code": code, "name": name}
    return render(request, "socialaccount/problem.html", page, status=status)
