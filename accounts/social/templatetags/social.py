"""The buttons of the providers, where this installation has a client there."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.social import houses

register = template.Library()


@register.inclusion_tag("socialaccount/_buttons.html", takes_context=True)
def sign_in_with(context: dict[str, Any], process: str = "login") -> dict[str, Any]:
    """{% sign_in_with %} on sign-in and sign-up, {% sign_in_with "connect" %} on the account page."""
    return {
        "houses": houses.open_ones(),
        "process": process,
        "redirect_field": context.get("redirect_field", ""),
        "csrf_token": context.get("csrf_token", ""),
    }
