"""Deny by default: every route declares whom it answers, or nothing starts (threats T3).

A view of ours carries its policy (`@member`, `@signed_in`, `@public`; for the API the class attribute
`policy`). Routes of libraries, whose code is not ours to decorate, are listed here by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.access import Audience, Policy
from accounts.models import Role

_WAY_IN = Policy.public("the way in: allauth asks for what it needs")
_FROM_MAIL = Policy.public("opened from a mail: the signed address is the right")
_OWN = Policy.signed_in("the person's own account")

# Names of libraries' routes. One that is not here stops the start, so that an upgrade adds none in silence.
LIBRARIES: dict[str, Policy] = {
    **dict.fromkeys(
        [
            "account_signup",
            "account_login",
            "account_logout",
            "account_inactive",
            "account_reset_password",
            "account_reset_password_done",
            "account_email_verification_sent",
            "account_confirm_login_code",
            "account_request_login_code",
            "account_signup_by_passkey",
            "account_verify_phone",
            "account_confirm_password_reset_code",
            "account_complete_password_reset",
            "account_password_reset_completed",
            "mfa_authenticate",
            "mfa_login_webauthn",
            "mfa_signup_webauthn",
            "mfa_trust",
            "socialaccount_login_cancelled",
            "socialaccount_login_error",
            "socialaccount_signup",
            "google_login",
            "google_callback",
            "google_login_by_token",
            "microsoft_login",
            "microsoft_callback",
            "openid_connect_login",
            "openid_connect_callback",
        ],
        _WAY_IN,
    ),
    **dict.fromkeys(
        [
            "account_confirm_email",
            "account_reset_password_from_key",
            "account_reset_password_from_key_done",
        ],
        _FROM_MAIL,
    ),
    **dict.fromkeys(
        [
            "account_reauthenticate",
            "account_change_password",
            "account_set_password",
            "account_email",
            "account_change_phone",
            "mfa_index",
            "mfa_activate_totp",
            "mfa_deactivate_totp",
            "mfa_reauthenticate",
            "mfa_reauthenticate_webauthn",
            "mfa_list_webauthn",
            "mfa_add_webauthn",
            "mfa_edit_webauthn",
            "mfa_remove_webauthn",
            "mfa_view_recovery_codes",
            "mfa_download_recovery_codes",
            "mfa_generate_recovery_codes",
            "usersessions_list",
            "socialaccount_connections",
        ],
        _OWN,
    ),
}


@dataclass(frozen=True)
class Route:
    """One URL pattern: its full name with namespaces, its path, what answers."""

    name: str
    path: str
    view: Any


def routes(patterns: Iterable[Any] | None = None) -> Iterator[Route]:
    """Every route of the installation, or of these patterns."""
    yield from _walk(get_resolver().url_patterns if patterns is None else patterns, "", "")


def _walk(patterns: Iterable[Any], before: str, namespace: str) -> Iterator[Route]:
    for found in patterns:
        path = before + str(found.pattern)
        if isinstance(found, URLResolver):
            inner = f"{namespace}{found.namespace}:" if found.namespace else namespace
            yield from _walk(found.url_patterns, path, inner)
        elif isinstance(found, URLPattern):
            yield Route(f"{namespace}{found.name or ''}", path, found.callback)


def declared(route: Route) -> list[Policy]:
    """The policies of a route; none where nothing is declared.

    An API view has one for reading in `policy` and one for each method that writes in `policies`.
    """
    view = route.view
    for holder in (view, getattr(view, "cls", None), getattr(view, "view_class", None)):
        policy = getattr(holder, "policy", None)
        if isinstance(policy, Policy):
            return [policy, *getattr(holder, "policies", {}).values()]
    return [LIBRARIES[route.name]] if route.name in LIBRARIES else []


def undeclared(patterns: Iterable[Any] | None = None) -> list[str]:
    """A sentence for each route that is open by accident; none when all is well."""
    found = []
    for route in routes(patterns):
        where = f"{route.name or route.path} ({route.path})"
        policies = declared(route)
        if not policies:
            found.append(f"{where} declares no policy")
            continue
        for policy in policies:
            inside = route.path.startswith("w/")
            if inside and policy.audience is not Audience.MEMBER:
                found.append(f"{where} lies inside a workspace and does not ask for a role")
            if policy.audience is Audience.MEMBER and not isinstance(policy.least, Role):
                found.append(f"{where} asks for no least role")
            if policy.audience is Audience.PUBLIC and not policy.reason:
                found.append(f"{where} does not say why everybody may come")
    return found


def insist() -> None:
    """For the web's start, which runs no system checks. Raises ImproperlyConfigured."""
    found = undeclared()
    if found:
        raise ImproperlyConfigured("the start is refused: " + "; ".join(found))


@register()
def route_policies(**_: Any) -> list[CheckMessage]:
    return [Error(sentence, id="outreach.E020") for sentence in undeclared()]
