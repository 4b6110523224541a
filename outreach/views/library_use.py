"""The library where one writes: what can be put into a step, each in the step's own form."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import example_texts, library
from outreach.example_texts import Example
from outreach.models import SavedText, TextUse
from outreach.views import merge_fields
from outreach.views.library import asked_for, line_of
from outreach.views.library_examples import example_or_404

# Who has more of them types a part of the name.
MOST_OFFERED = 50


@dataclass(frozen=True)
class Option:
    """A line of the list. `url` gives its words in the step's form."""

    name: str
    line: str
    group: str
    url: str


@member(Role.VIEWER)
@require_GET
def library_pick(request: MemberRequest) -> HttpResponse:
    """The dialog; with `?list` only its lines. `?kind=snippet` offers snippets, `?plain` their plain text."""
    asked, slug = asked_for(request), request.workspace.slug
    snippets, end = request.GET.get("kind") == "snippet", "?plain" if "plain" in request.GET else ""
    rows = list(library.found(asked, snippets=snippets)[: MOST_OFFERED + 1])
    options = [
        Option(
            row.name,
            line_of(row),
            row.folder or "No folder",
            reverse("outreach:library_words", kwargs={"slug": slug, "pk": row.pk}) + end,
        )
        for row in rows[:MOST_OFFERED]
    ]
    options += [
        Option(
            each.name,
            merge_fields.first_words(each.subject, html=False),
            f"Examples: {TextUse(each.use).label.lower()}",
            reverse("outreach:example_words", kwargs={"slug": slug, "key": each.key}) + end,
        )
        for each in ([] if snippets else example_texts.fitting(asked))
    ]
    page = {
        "options": options,
        "more": len(rows) > MOST_OFFERED,
        "q": asked,
        "snippets": snippets,
        "plain": bool(end),
    }
    name = "_library_options" if "list" in request.GET else "_library_pick"
    return render(request, f"outreach/{name}.html", page)


@member(Role.VIEWER)
@require_GET
def library_words(request: MemberRequest, pk: uuid.UUID) -> JsonResponse:
    row = own_or_404(SavedText, pk)
    return _words(request, row)


@member(Role.VIEWER)
@require_GET
def example_words(request: MemberRequest, key: str) -> JsonResponse:
    return _words(request, example_or_404(key))


def _words(request: MemberRequest, text: SavedText | Example) -> JsonResponse:
    """For the editor, which cleans them again before they stand in it."""
    words = library.words_of(text.subject, text.body, plain="plain" in request.GET)
    return JsonResponse({"name": text.name, "subject": words.subject, "body": words.body})
