"""Examples as they are read on the library's page, and the act that makes one a text of one's own."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member
from accounts.models import Role
from outreach import example_texts, library
from outreach.example_texts import Example
from outreach.models import TextUse
from outreach.views import merge_fields
from outreach.views.previewing import as_written


@dataclass(frozen=True)
class Shown:
    """An example to be read: fields by their names."""

    key: str
    name: str
    use: str
    subject: list[tuple[str, bool]]
    written: SafeString


def shown(asked: str, *, use: str) -> list[Shown]:
    return [
        Shown(
            each.key,
            each.name,
            TextUse(each.use).label,
            merge_fields.parts_of(each.subject),
            as_written(each.body),
        )
        for each in example_texts.fitting(asked, use=use)
    ]


@member(Role.MEMBER)
@require_POST
def example_copy(request: MemberRequest, key: str) -> HttpResponse:
    each = example_or_404(key)
    row = library.save(
        None,
        name=each.name,
        folder="",
        use=each.use,
        subject=each.subject,
        body=each.body,
        actor=request.user,
    )
    messages.success(
        request, f"“{each.name}” is in the library. What stands in [brackets] is yours to write."
    )
    return redirect("outreach:library_text", slug=request.workspace.slug, pk=row.pk)


def example_or_404(key: str) -> Example:
    found = example_texts.example(key)
    if found is None:
        raise Http404
    return found
