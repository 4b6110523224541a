"""What the palette asks for while one types."""

from __future__ import annotations

from django.http import JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, member
from accounts.models import Role
from outreach import finding

ICONS = {
    "person": "user",
    "campaign": "send",
    "project": "folder",
    "site": "world",
    "text": "template",
    "mailbox": "mail",
}


@member(Role.VIEWER)
@require_GET
def find(request: MemberRequest) -> JsonResponse:
    """`?q=`: {"found": [{"label", "detail", "icon", "url"}]}."""
    found = [
        {
            "label": hit.label,
            "detail": hit.detail,
            "icon": ICONS[hit.kind],
            "url": reverse(f"outreach:{hit.place}", kwargs={"slug": request.workspace.slug, "pk": hit.pk}),
        }
        for hit in finding.find(request.GET.get("q", ""))
    ]
    return JsonResponse({"found": found})
