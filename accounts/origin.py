"""From where an act comes: network, country, device and credential, for the activity log and its like.

The middleware opens an `Origin` for every request; an API key's authentication refines it with `under`.
Outside a request there is none: the act is the product's own. An address is cut before it is kept.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.devices import device_of
from accounts.geo import country_of


class ActorKind(models.TextChoices):
    PERSON = "person", "A person"
    KEY = "key", "An API key"
    PRODUCT = "product", "Outreach itself"
    OPERATOR = "operator", "The operator"


@dataclass(frozen=True)
class Origin:
    """`place` is a network (/24 or /48), `country` two letters, `credential` a key's prefix."""

    place: str = ""
    country: str = ""
    device: str = ""
    credential: str = ""
    actor_kind: ActorKind = ActorKind.PRODUCT


NOWHERE = Origin()
# A function, so that a request that records nothing parses nothing.
_open: ContextVar[Callable[[], Origin] | None] = ContextVar("open_origin", default=None)


def current() -> Origin:
    """The origin of what runs now; NOWHERE outside a request."""
    found = _open.get()
    return found() if found else NOWHERE


@contextmanager
def origin(which: Origin | Callable[[], Origin]) -> Iterator[None]:
    """Everything in the block comes from there."""
    token = _open.set(which if callable(which) else lambda: which)
    try:
        yield
    finally:
        _open.reset(token)


@contextmanager
def under(*, credential: str, actor_kind: ActorKind = ActorKind.KEY) -> Iterator[None]:
    """The block acts under this credential, from where the request comes."""
    outer = _open.get() or (lambda: NOWHERE)
    with origin(functools.cache(lambda: replace(outer(), credential=credential[:20], actor_kind=actor_kind))):
        yield


def of_request(request: HttpRequest) -> Origin:
    """A person's browser, or whoever else sent this; proxies count as TRUSTED_PROXY_COUNT says."""
    address = client_address(request)
    return Origin(
        place=network_of(address),
        country=country_of(address),
        device=device_of(request),
        actor_kind=ActorKind.PERSON,
    )


def client_address(request: HttpRequest) -> str:
    """The visitor's whole address; empty where the request does not say. Cut it before it is kept."""
    from allauth.account.adapter import get_adapter

    try:
        return str(ipaddress.ip_address(str(get_adapter().get_client_ip(request))))
    except (PermissionDenied, ValueError):
        return ""


def network_of(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one; empty for anything else."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    width = 24 if found.version == 4 else 48
    # IPv6 may carry a scope behind a percent sign, which is the machine's own business.
    return str(ipaddress.ip_network(f"{str(found).partition('%')[0]}/{width}", strict=False))


class OriginMiddleware:
    """Opens the request's origin for the view and for whatever it calls."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with origin(functools.cache(functools.partial(of_request, request))):
            return self.get_response(request)
