"""The activity log: the list for owners and admins, its files, and mails with its head."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit, clock
from accounts.access import MemberRequest, member
from accounts.activity import chain, files, listing
from accounts.models import Membership, Role, Workspace
from accounts.people.proof import recently_proved

FILES = {
    "csv": ("CSV", "text/csv; charset=utf-8"),
    "jsonl": ("JSON Lines", "application/x-ndjson"),
}


@member(Role.ADMIN)
@require_GET
def activity(request: MemberRequest) -> HttpResponse:
    asked = listing.Asked.of(request.GET)
    before = request.GET.get("before", "")
    members = Membership.objects.filter(workspace=request.workspace).select_related("user")
    page = {
        "asked": asked,
        "page": listing.page_of(asked, before),
        "is_first": not before,
        "chain": listing.chain(),
        "people": [them.user for them in members.order_by("user__name", "user__email")[:200]],
        "others": [(kind.value, words) for kind, words in listing.OTHERS.items()],
        "kinds": list(listing.KINDS.items()),
        "nav_on": "activity",
    }
    return render(request, "accounts/activity.html", page)


@member(Role.ADMIN)
@recently_proved("Download the activity log")
@require_http_methods(["GET", "POST"])
def activity_export(request: MemberRequest) -> HttpResponseBase:
    """The page that offers the files, and a file. The filters stand in the query and hold for CSV alone."""
    asked = listing.Asked.of(request.GET)
    if request.method == "POST":
        return _file(request, asked)
    page = {"asked": asked, "chain": listing.chain(), "nav_on": "activity"}
    return render(request, "accounts/activity_export.html", page)


def _file(request: MemberRequest, asked: listing.Asked) -> HttpResponseBase:
    kind = request.POST.get("format", "")
    if kind not in FILES:
        return HttpResponseBadRequest("format is csv or jsonl", content_type="text/plain")
    words, content_type = FILES[kind]
    whole = kind == "jsonl" or not asked.query
    sentence = f"The activity log{'' if whole else ', filtered,'} was downloaded as {words}"
    audit.record("activity.exported", sentence, actor=request.user, object_id=request.workspace.pk)
    rows = files.as_json_lines() if kind == "jsonl" else files.as_spreadsheet(asked)
    answer = StreamingHttpResponse(rows, content_type=content_type)
    name = f"activity-{request.workspace.slug}-{clock.now():%Y-%m-%d}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


@member(Role.ADMIN)
@require_GET
def activity_verifier(request: MemberRequest) -> HttpResponse:
    """The verifier itself, for whoever would rather not trust ours: one file, Python alone."""
    answer = HttpResponse(Path(chain.__file__).read_bytes(), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="audit_chain.py"'
    return answer


@member(Role.OWNER)
@require_POST
def activity_mail(request: MemberRequest) -> HttpResponse:
    """Whether the owners get the log's daily head by mail."""
    wanted = request.POST.get("mails") == "on"
    changed = Workspace.objects.filter(pk=request.workspace.pk, mails_anchors=not wanted).update(
        mails_anchors=wanted
    )
    if changed:
        words = "on" if wanted else "off"
        audit.record(
            "workspace.anchors",
            f"Mails with the activity log’s daily head were turned {words}",
            actor=request.user,
            object_id=request.workspace.pk,
        )
    messages.success(
        request, "The daily head is mailed to the owners" if wanted else "No daily head is mailed any more"
    )
    return redirect("activity_export", slug=request.workspace.slug)
