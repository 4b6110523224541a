"""Headers of every answer that Django makes: what a page may use, who may embed it, how much is taken in.

The policy of scripts and frames is django-csp's (settings); HSTS, sniffing, referrer and opener are Django's.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tracking.tokens import Purpose

# Passkeys are made and asked for by our own pages; nothing else of a device is.
PERMISSIONS = ", ".join(
    [
        *(
            f"{name}=()"
            for name in (
                "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture",
                "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection",
                "local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
                "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
            )
        ),
        *(
            f"{name}=(self)"
            for name in ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
        ),
    ]
)  # fmt: skip
_PIXEL = f"/{Purpose.OPEN.value}/"


class HeadersMiddleware:
    """A view that sets one of these headers keeps its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = _too_large(request) or self.get_response(request)
        answer.setdefault("Permissions-Policy", PERMISSIONS)
        # The pixel stands in mails, which are shown at other addresses; nothing else of ours is embedded.
        place = "cross-origin" if request.path_info.startswith(_PIXEL) else "same-origin"
        answer.setdefault("Cross-Origin-Resource-Policy", place)
        return answer


def _too_large(request: HttpRequest) -> HttpResponse | None:
    """413 for a body that no form takes, before it is read. Up to there the form says what is too large."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length <= settings.REQUEST_MAX_BYTES:
        return None
    return render(request, "413.html", {"most": settings.REQUEST_MAX_BYTES // 1_048_576}, status=413)
