"""Who is an operator here: staff, with a fresh proof, and with the second factor that they have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import Policy, person_of, signed_in
from accounts.people import proof
from accounts.people.factors import has_second_factor

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
POLICY = Policy.signed_in("operators; whoever is none is told that nothing is there")


def operator(view: View[P]) -> View[P]:
    """Outside every workspace. 404 for whoever is no operator, so that the place says nothing."""

    @functools.wraps(view)
    def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not person_of(request).is_staff:
            raise Http404
        # A part that is fetched again by itself leads nobody away: the page says that it rests.
        led = None if request.headers.get("HX-Request") else lead(request)
        return led if led is not None else view(request, *args, **kwargs)

    guarded = signed_in(cast("View[P]", asked))
    guarded.policy = POLICY  # type: ignore[attr-defined]
    guarded.needs_proof = True  # type: ignore[attr-defined]
    return guarded


def lead(request: HttpRequest) -> HttpResponseBase | None:
    """Where an operator goes first; None for whoever may go on."""
    if not may_look(request):
        if _lacks_factor(request):
            onward = urlencode({"next": request.get_full_path()})
            return redirect(f"{reverse('mfa_reauthenticate')}?{onward}")
        return proof.lead_to_proof(request, reading=True)
    return None


def may_look(request: HttpRequest) -> bool:
    return proof.is_recent(request) and not _lacks_factor(request)


def _lacks_factor(request: HttpRequest) -> bool:
    """A password alone is no proof of somebody who has a second factor."""
    user = person_of(request)
    used = any(one.get("method") == "mfa" for one in get_authentication_records(request, user))
    return not used and has_second_factor(user)
