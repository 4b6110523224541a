"""A fresh proof of who is at the keys, asked for before a sensitive act.

`@recently_proved` stands below `@member(…)` or `@signed_in` on a view:

    @member(Role.OWNER)
    @recently_proved("Transfer the workspace")
    @require_POST
    def transfer(request, …): …

A proof is a sign-in, a password, a code or a key within the last REAUTHENTICATION_SECONDS. Without one the
person is led to the proof; what they had posted waits in their session, encrypted, for KEPT_SECONDS, and a
page offers it again afterwards: it is sent by a press of theirs, through the front door, and never by us.
Never before the bin, nor before anything else that stops: stopping is not slower than starting.
"""

from __future__ import annotations

import base64
import functools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from accounts import encryption
from accounts.keyring.keystore import INSTALLATION
from accounts.models import User

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)
KEPT = "kept_form"
KEPT_SECONDS = 600
KEPT_BYTES = 64 * 1024
SAFE = {"GET", "HEAD", "OPTIONS"}

# Pages of allauth that are sensitive: True where looking at them is as well.
SENSITIVE = {
    "mfa_activate_totp": True,
    "mfa_add_webauthn": True,
    "mfa_view_recovery_codes": True,
    "mfa_download_recovery_codes": True,
    "mfa_generate_recovery_codes": False,
    "mfa_deactivate_totp": False,
    "mfa_remove_webauthn": False,
    "account_email": False,
    "account_set_password": False,
    "socialaccount_connections": False,
}


@dataclass(frozen=True)
class KeptForm:
    """A form that waits for the proof: where it goes, what the act is called, where the person came from."""

    path: str
    act: str
    back: str
    fields: list[tuple[str, str]]


def is_recent(request: HttpRequest) -> bool:
    """Whether the person in this session has proved who they are a moment ago."""
    if not request.user.is_authenticated:
        return False
    now = time.time()
    return any(
        0 <= now - float(record.get("at", 0)) < settings.REAUTHENTICATION_SECONDS
        for record in get_authentication_records(request, request.user)
    )


def recently_proved(
    act: str = "", *, reading: bool = False
) -> Callable[[Callable[Concatenate[R, P], HttpResponseBase]], Callable[Concatenate[R, P], HttpResponseBase]]:
    """Guards a view's forms; with `reading` its pages too. `act` names the act on the way."""

    def decorate(
        view: Callable[Concatenate[R, P], HttpResponseBase],
    ) -> Callable[Concatenate[R, P], HttpResponseBase]:
        @functools.wraps(view)
        def guarded(request: R, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            led = lead_to_proof(request, act=act, reading=reading)
            return led if led is not None else view(request, *args, **kwargs)

        guarded.needs_proof = True  # type: ignore[attr-defined]
        return cast("Callable[Concatenate[R, P], HttpResponseBase]", guarded)

    return decorate


def lead_to_proof(request: HttpRequest, *, act: str = "", reading: bool = False) -> HttpResponseBase | None:
    """Where a person without a fresh proof goes; None for whoever may go on."""
    if request.method in SAFE and not reading:
        return None
    if is_recent(request):
        if request.method not in SAFE and KEPT in request.session:
            del request.session[KEPT]
        return None
    back = request.get_full_path() if request.method in SAFE else _page_before(request)
    onward = reverse("go_on") if request.method not in SAFE and _keep(request, act, back) else back
    return lead_to(request, onward)


def lead_to(request: HttpRequest, onward: str) -> HttpResponseBase:
    """The page of the proof, which leads to `onward` afterwards."""
    url = f"{_way_to_prove(request)}?{urlencode({'next': onward})}"
    return HttpResponseClientRedirect(url) if request.headers.get("HX-Request") else redirect(url)


def kept_form(request: HttpRequest) -> KeptForm | None:
    """What this person had posted before the proof; None once it is older than KEPT_SECONDS."""
    stored = request.session.get(KEPT)
    if not isinstance(stored, str) or not request.user.is_authenticated:
        return None
    try:
        text = encryption.decrypt(INSTALLATION, _place(request), base64.b64decode(stored))
        found = json.loads(text)
    except (encryption.Unreadable, ValueError):
        return None
    if not 0 <= time.time() - found["at"] < KEPT_SECONDS:
        return None
    fields = [(str(name), str(value)) for name, value in found["fields"]]
    return KeptForm(path=found["path"], act=found["act"], back=found["back"], fields=fields)


def forget_form(request: HttpRequest) -> None:
    request.session.pop(KEPT, None)


def _keep(request: HttpRequest, act: str, back: str) -> bool:
    """Put the posted fields aside. Files and long forms are not kept: the person is led back to the page."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    text = json.dumps(
        {"path": request.get_full_path(), "act": act, "back": back, "fields": fields, "at": time.time()}
    )
    if request.FILES or len(text) > KEPT_BYTES:
        return False
    # People belong to no workspace: what is theirs is sealed under the installation's own key.
    sealed = encryption.encrypt(INSTALLATION, _place(request), text.encode())
    request.session[KEPT] = base64.b64encode(sealed).decode()
    return True


def _place(request: HttpRequest) -> str:
    return f"django_session|{KEPT}|{cast('User', request.user).sid}"


def _page_before(request: HttpRequest) -> str:
    """The page of ours that the form stood on; the referrer policy sends it within the site only."""
    from_page = urlsplit(request.headers.get("HX-Current-URL", "") or request.headers.get("Referer", ""))
    page = urlunsplit(("", "", from_page.path, from_page.query, ""))
    ours = from_page.netloc == request.get_host() and url_has_allowed_host_and_scheme(
        page, allowed_hosts=None
    )
    return page if ours else "/"


def _way_to_prove(request: HttpRequest) -> str:
    """The person's first way to prove it; whoever has neither a password nor a factor signs in again."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    return str(methods[0]["url"]) if methods else reverse("sign_in_again")


class ProofMiddleware:
    """Asks for the proof before the sensitive pages of allauth, which know no decorator of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name not in SENSITIVE or not request.user.is_authenticated:
            return None
        return lead_to_proof(request, reading=SENSITIVE[name])
