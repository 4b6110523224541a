"""A person's sign-ins: each one recorded, new browsers told by mail, sessions listed and ended."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.context import request_context
from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts import clock
from accounts.devices import device_of, kind_of
from accounts.geo import country_of
from accounts.models import SignIn, User
from accounts.origin import client_address
from accounts.people import known_browsers

log = logging.getLogger(__name__)
KEPT = dt.timedelta(days=365)
# A link that confirms a new account works for 3 days: the sign-in behind it is the sign-up itself.
SIGN_UP = dt.timedelta(days=4)
SEEN_EVERY = 300
_SEEN = "seen_at"


@dataclass(frozen=True)
class OpenSession:
    """One browser that is signed in now. `country` is two letters, or empty where it is not known."""

    pk: int
    device: str
    ip: str
    country: str
    since: dt.datetime
    seen: dt.datetime
    here: bool


def record(request: HttpRequest, user: User) -> SignIn:
    """Write the sign-in down; a browser that is new for this person is told by mail."""
    new = not known_browsers.is_known(request, user)
    first = user.date_joined > clock.now() - SIGN_UP and not SignIn.objects.filter(user=user).exists()
    address = client_address(request)
    row = SignIn.objects.create(
        user=user,
        device=device_of(request),
        ip=address or None,
        country=country_of(address),
        method=method_of(request, user),
        new_browser=new,
    )
    known_browsers.remember(request, user)
    if new and not first:
        transaction.on_commit(lambda: _tell(request, user, row))
    return row


def method_of(request: HttpRequest, user: User) -> str:
    """How this session was opened: "password", "passkey", "google", "password+totp"."""
    steps: list[str] = []
    for entry in get_authentication_records(request, user):
        if entry.get("passwordless"):
            name = "passkey"
        elif entry.get("method") == "mfa":
            name = str(entry.get("type", "mfa"))
        elif entry.get("method") == "socialaccount":
            name = str(entry.get("provider", "socialaccount"))
        else:
            name = str(entry.get("method", ""))
        if name and name not in steps:
            steps.append(name)
    return "+".join(steps)[:40]


def open_sessions(request: HttpRequest, user: User) -> list[OpenSession]:
    """This browser first, then the one seen last. Sessions that have ended are dropped on the way."""
    rows = UserSession.objects.purge_and_list(user)
    found = [
        OpenSession(
            pk=row.pk,
            device=kind_of(row.user_agent),
            ip=str(row.ip),
            country=country_of(str(row.ip)),
            since=row.created_at,
            seen=row.last_seen_at,
            here=row.session_key == request.session.session_key,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.here, one.seen), reverse=True)


def end_session(user: User, pk: int) -> bool:
    """End one session of this person; False where they have none by that number."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        return False
    row.end()
    return True


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """Sign out everywhere but here: also sessions without a row, because what all of them hang on changes."""
    here = request.session.session_key
    User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
    user.refresh_from_db(fields=["session_round"])
    for row in UserSession.objects.filter(user=user).exclude(session_key=here):
        row.end()
    update_session_auth_hash(request, user)
    UserSession.objects.filter(session_key=here).update(session_key=request.session.session_key)
    known_browsers.remember(request, user)


def end_all_sessions(user: User) -> None:
    """Sign out everywhere, here as well."""
    User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
    for row in UserSession.objects.filter(user=user):
        row.end()


def renew_session(request: HttpRequest) -> None:
    """A new key for the same session: what was seen of the old one opens nothing (threats T30)."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def forget_old() -> None:
    """Sign-ins older than 12 months, and the rows of sessions that are over."""
    SignIn.objects.filter(at__lt=clock.now() - KEPT).delete()
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(alive)).delete()


def _tell(request: HttpRequest, user: User, row: SignIn) -> None:
    """The mail must not stand between a person and their work: without a mail server they still get in."""
    context = {
        "user": user,
        "sign_in": row,
        "at": clock.now(),
        "sessions_url": request.build_absolute_uri(reverse("sign_ins")),
        "password_url": request.build_absolute_uri(reverse("account_reset_password")),
    }
    try:
        with request_context(request):
            get_adapter(request).send_mail("account/email/new_sign_in", user.email, context)
    except OSError as error:
        log.warning("the mail about a new sign-in did not leave: %s", type(error).__name__)


class LastSeenMiddleware:
    """Keeps when and from where a session was last seen, at most every SEEN_EVERY seconds."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and request.session.session_key:
            now = time.time()
            if now - float(request.session.get(_SEEN, 0)) >= SEEN_EVERY:
                request.session[_SEEN] = now
                seen: dict[str, object] = {"last_seen_at": clock.now()}
                address = client_address(request)
                if address:
                    seen["ip"] = address
                UserSession.objects.filter(session_key=request.session.session_key).update(**seen)
        return self.get_response(request)
