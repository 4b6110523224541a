"""The page before an act that cannot be undone: a dialog for htmx, else the same words as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import MemberRequest


def ask(
    request: MemberRequest,
    *,
    title: str,
    button: str,
    back: str,
    text: str = "",
    effects: Sequence[str] = (),
    symbol: str = "",
    tone: str = "btn-stop",
    fields: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Names the object in `title`, what happens at once in `effects`, verb and number on the button.

    The same address is posted to for the act itself. `back` is where Cancel leads on the plain page.
    """
    page = {
        "id": "ask",
        "open": True,
        "title": title,
        "text": text,
        "effects": list(effects),
        "button": button,
        "symbol": symbol,
        "tone": tone,
        "fields": dict(fields or {}),
        "action": request.get_full_path(),
        "back": back,
    }
    template = "parts/_confirm.html" if request.htmx else "parts/ask.html"
    return render(request, template, page)
