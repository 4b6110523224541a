"""Pages that anybody may read: legal pages, stored service mail, health, a form without its token."""

from __future__ import annotations

from django.conf import settings
from django.db import connections
from django.db.utils import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts import notice_cookie
from accounts.access import public
from accounts.models import ServiceMail
from accounts.people import known_browsers

# Every cookie that is ever set; a test compares this with what the pages send.
COOKIES = [
    {
        "name": settings.SESSION_COOKIE_NAME,
        "purpose": "Knows that you are signed in",
        "until": "3 days without a visit, 2 weeks at the most, or sign-out",
    },
    {
        "name": settings.CSRF_COOKIE_NAME,
        "purpose": "Proves that a form came from our page",
        "until": "1 year",
    },
    {
        "name": known_browsers.COOKIE,
        "purpose": "Knows a browser that you have signed in from, so that only a new one is told by mail",
        "until": "1 year, a new password, or sign-out everywhere",
    },
    {"name": notice_cookie.COOKIE, "purpose": "Carries one line to the next page", "until": "that page"},
]


@public("the demo's own mail, and only in the demo")
@require_GET
def service_mail(request: HttpRequest) -> HttpResponse:
    """Service mail kept by StoredMailBackend; exists only in the demo."""
    if not settings.DEMO:
        raise Http404
    return render(request, "accounts/service_mail.html", {"mails": ServiceMail.objects.all()[:50]})


@public("a legal notice")
@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/privacy.html")


@public("a legal notice")
@require_GET
def cookies(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/cookies.html", {"cookies": COOKIES})


@public("a monitor has no account")
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@public("a monitor has no account")
@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when both databases answer, 503 with the name of the one that does not."""
    for name in ("default", "keystore"):
        try:
            with connections[name].cursor() as cursor:
                cursor.execute("SELECT 1")
        except OperationalError:
            return JsonResponse({"ready": False, "missing": name}, status=503)
    return JsonResponse({"ready": True})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
