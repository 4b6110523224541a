"""A mail as its sender wrote it, in a frame that can do nothing; and its pictures, for who asks."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, member, own_or_404, public
from accounts.models import Role
from mailbox.parsing.html import clean
from mailbox.parsing.marking import Source
from outreach.inbox import pictures
from outreach.models import Reply

# What may load inside the frame: our one stylesheet, and nothing else at all.
POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
PICTURE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
@xframe_options_sameorigin
def reply_frame(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The original of a reply; by POST, which no foreign page and no link can make, with its pictures."""
    reply = own_or_404(Reply, pk)
    if request.method != "POST":
        return frame(reply.html or "")
    base = f"{request.scheme}://{request.get_host()}"
    place = base + reverse("outreach:picture", kwargs={"token": "-"}).removesuffix("-/")
    return frame(reply.html or "", source=pictures.source_of(reply, base), place=place)


def frame(html: str, *, source: Source | None = None, place: str = "") -> HttpResponse:
    """The document of the frame. Cleaned when it was stored, and by today's rules once more.

    `place`: the one address below which pictures may lie.
    """
    page = {"html": clean(html, picture=source), "pictures": source is not None}
    answer = HttpResponse(render_to_string("outreach/reply_frame.html", page))
    answer["Content-Security-Policy"] = f"{POLICY}; img-src {place}" if place else POLICY
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Content-Type-Options"] = "nosniff"
    # Without it a name in a link could be asked of a name server before anybody presses the link.
    answer["X-DNS-Prefetch-Control"] = "off"
    answer["Cache-Control"] = "no-store, private"
    return answer


@public("the address is the right: signed, for one picture of one mail, for ten minutes")
@require_GET
def picture(request: HttpRequest, token: str) -> HttpResponse:
    """A picture of a mail, fetched by us. One answer for all that cannot be shown."""
    wanted = pictures.read(token)
    found = pictures.fetch(wanted) if wanted else None
    if found is None:
        raise Http404
    answer = HttpResponse(found.content, content_type=found.content_type)
    answer["Content-Security-Policy"] = PICTURE_POLICY
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = f"private, max-age={pictures.LASTS_SECONDS}"
    # The frame has no origin, so that for the browser every address is a foreign one.
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
