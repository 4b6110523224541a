"""Who calls the API: a key of a workspace, or a person's browser session that names one.

`Authorization: Bearer <secret>`, or Basic with a SID as user name and the secret as password: the workspace's
own SID (WS…), or that of the person who made the key (US…). Every credential that does not work gets the same
answer. A session counts only with a CSRF token on whatever changes something, and names its workspace in a
header that no other site can send (threats T32).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from accounts import keys
from accounts.access import Policy
from accounts.clock import now
from accounts.models import ApiKey, KeyKind, Membership, User, Workspace
from accounts.origin import client_address
from accounts.people.factors import lacks_factor_for
from accounts.tenancy import workspace

HEADER = "X-Workspace"
NEUTRAL = "This credential does not work here."


@dataclass(frozen=True)
class Caller:
    """Whoever was let in: `key`, or `membership` of a session. `address` is the visitor's whole one."""

    workspace: Workspace
    address: str
    key: ApiKey | None = None
    membership: Membership | None = None

    @property
    def credential(self) -> str:
        return self.key.prefix if self.key else "session"

    @property
    def person(self) -> User | None:
        """Who acts; nobody for a key, whose acts the activity log shows under its prefix."""
        return self.membership.user if self.membership else None

    @property
    def name(self) -> str:
        """What the limits count by."""
        return (
            f"key {self.key.pk}" if self.key else f"session {self.membership.pk if self.membership else ''}"
        )

    def may(self, policy: Policy) -> bool:
        if self.key is not None:
            return not policy.scope or policy.scope in self.key.scopes
        return self.membership is not None and policy.least is not None and self.membership.may(policy.least)


class BadCredential(exceptions.AuthenticationFailed):
    """`key` is set where the secret is one of ours that works no more, so that its owners can see the use."""

    def __init__(self, key: ApiKey | None = None) -> None:
        super().__init__(NEUTRAL)
        self.key = key


class KeyAuthentication(BaseAuthentication):
    """Bearer and Basic, for API keys and the workspace token alike."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller] | None:
        given = _given(request)
        if given is None:
            return None
        sid, secret = given
        place = keys.place_of(secret)
        if place is None:
            raise BadCredential
        address = client_address(request._request)
        with workspace(place):
            key = keys.find(secret)
            if key is None:
                raise BadCredential
            at = now()
            if not _is_whose(sid, key) or keys.refusal(key, address=address, at=at):
                raise BadCredential(key)
            keys.note_use(key, address=address, at=at)
        return AnonymousUser(), Caller(key.workspace, address, key=key)

    def authenticate_header(self, request: Request) -> str:
        # Not Basic: a browser would ask for a password in a window of its own.
        return 'Bearer realm="Outreach"'


class WorkspaceSession(SessionAuthentication):
    """A signed-in browser, with a CSRF token on unsafe methods and the workspace's SID in X-Workspace."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        person: User = found[0]
        sid = request.headers.get(HEADER, "")
        if not sid:
            raise exceptions.ParseError(f"Name the workspace by its SID in the header {HEADER}.")
        place = Membership.objects.select_related("workspace", "user").filter(user=person, workspace__sid=sid)
        membership = place.first() if "\x00" not in sid else None
        if membership is None:
            raise Http404
        if lacks_factor_for(person, membership.workspace):
            raise exceptions.PermissionDenied("This workspace asks for two factors: set one up first.")
        address = client_address(request._request)
        return person, Caller(membership.workspace, address, membership=membership)


def _given(request: Request) -> tuple[str, str] | None:
    """(SID, secret) of the Authorization header; the SID is "" with Bearer. None without the header."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if not header:
        return None
    kind, _, value = header.partition(" ")
    value = value.strip()
    if kind.lower() == "bearer":
        return "", value
    if kind.lower() != "basic":
        raise BadCredential
    try:
        sid, colon, secret = base64.b64decode(value, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError) as error:
        raise BadCredential from error
    if not sid or not colon:
        raise BadCredential
    return sid, secret


def _is_whose(sid: str, key: ApiKey) -> bool:
    """Whether the user name of Basic belongs to this key: its workspace's SID, or its maker's."""
    if not sid:
        return True
    maker = key.created_by.sid if key.created_by and key.kind == KeyKind.KEY else ""
    here = hmac.compare_digest(sid.encode(), key.workspace.sid.encode())
    return here or (bool(maker) and hmac.compare_digest(sid.encode(), maker.encode()))
