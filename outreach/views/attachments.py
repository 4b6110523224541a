"""Files of an answer: hung on while it is written, taken off again, had back from the mail that was sent."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import attachments
from outreach.models import Attachment, Thread


@member(Role.MEMBER)
@require_POST
def thread_attach(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The files that were chosen; answers with all that hang on, and what was not taken and why."""
    row = own_or_404(Thread, pk)
    compose_id = _compose_id(request)
    files = request.FILES.getlist("file")
    problems = attachments.take(row, compose_id=compose_id, files=files, actor=request.user)
    if not files:
        problems = ["No file was chosen."]
    return _files(request, row, compose_id, problems)


@member(Role.MEMBER)
@require_POST
def attachment_remove(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Only who hung a file on takes it off, and only before the answer is sent."""
    row = own_or_404(Attachment.objects.select_related("thread").defer("content"), pk)
    mine = row.uploaded_by_id == request.user.pk
    gone = mine and Attachment.objects.filter(pk=row.pk, message=None).delete()[0]
    why = "The answer was sent meanwhile, with this file." if mine else "Only who attached it takes it off."
    problems = [] if gone else [why]
    return _files(request, row.thread, row.compose_id, problems)


@member(Role.VIEWER)
@require_GET
def attachment(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The file, to be stored and never shown here: no browser may take it for a page of ours (T18)."""
    row = own_or_404(Attachment, pk)
    if row.message_id is None and row.uploaded_by_id != request.user.pk:
        raise Http404
    answer = HttpResponse(row.content, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, str(row.name)) or "attachment"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store, private"
    return answer


def _compose_id(request: MemberRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("compose_id", ""))
    except ValueError:
        raise Http404 from None


def _files(request: MemberRequest, row: Thread, compose_id: uuid.UUID, problems: list[str]) -> HttpResponse:
    if not request.htmx:
        return redirect("outreach:thread", slug=request.workspace.slug, pk=row.pk)
    page = {
        "thread": row,
        "compose_id": compose_id,
        "files": attachments.waiting(compose_id, actor=request.user),
        "file_problems": problems,
    }
    return render(request, "outreach/_answer_files.html", page, status=422 if problems else 200)
