"""The library of texts: the rules are those of its page's form."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Policy, own_or_404
from accounts.keys import Scope
from accounts.models import Role
from outreach import library
from outreach.api.operation import Operation, answer
from outreach.api.paging import page_of
from outreach.api.problems import refused_by
from outreach.api.reading import READING, rows_of
from outreach.api.repeating import repeatable
from outreach.api.schema import LISTED
from outreach.api.shapes import TextChange, TextDraft, TextShape
from outreach.forms_library import TextForm
from outreach.models import SavedText, TextUse

WRITING = Policy.member(Role.MEMBER, scope=Scope.LIBRARY_WRITE)
KINDS = {"text": False, "snippet": True}


class Texts(Operation):
    policy = READING
    policies = {"POST": WRITING}
    filters: ClassVar[list[OpenApiParameter]] = [
        OpenApiParameter("use", str, enum=TextUse.values, description="For this use only."),
        OpenApiParameter("kind", str, enum=list(KINDS), description="Whole texts, or snippets, only."),
    ]

    @extend_schema(
        operation_id="list_texts",
        tags=["texts"],
        summary="Texts of the library",
        parameters=[*LISTED, *filters],
        responses={200: rows_of("Text", TextShape)},
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        if "use" in asked and asked["use"] not in TextUse.values:
            raise ValidationError({"use": f"One of {', '.join(TextUse.values)}."})
        if "kind" in asked and asked["kind"] not in KINDS:
            raise ValidationError({"kind": f"One of {', '.join(KINDS)}."})
        snippets = KINDS[asked["kind"]] if "kind" in asked else None
        rows = library.found(use=asked.get("use", ""), snippets=snippets)
        return Response(page_of(request, rows, TextShape))

    @extend_schema(
        operation_id="add_text",
        tags=["texts"],
        summary="Keep a text",
        description="A name stands in a folder once: the second request for it is answered with 400 and "
        "changes nothing. HTML is cleaned as that of a step is.",
        request=TextDraft,
        responses={201: TextShape},
    )
    @repeatable
    def post(self, request: Request) -> Response:
        draft = TextDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        return answer(TextShape, _saved(self, None, draft.validated_data), status=201)


class TextOne(Operation):
    policy = READING
    policies = {"PATCH": WRITING, "DELETE": WRITING}

    @extend_schema(
        operation_id="get_text", tags=["texts"], summary="One text of the library", responses=TextShape
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer(TextShape, own_or_404(SavedText, pk))

    @extend_schema(
        operation_id="change_text",
        tags=["texts"],
        summary="Change a text",
        description="What is left out stays. Steps that were written from it keep their text.",
        request=TextChange,
        responses=TextShape,
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(SavedText, pk)
        change = TextChange(data=request.data)
        change.is_valid(raise_exception=True)
        kept = {name: getattr(row, name) for name in ("name", "folder", "use", "subject", "body")}
        return answer(TextShape, _saved(self, row, {**kept, **change.validated_data}))

    @extend_schema(
        operation_id="delete_text",
        tags=["texts"],
        summary="Delete a text",
        description="Steps that were written from it keep their text.",
        responses={204: OpenApiResponse(description="It is deleted.")},
    )
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        library.delete(own_or_404(SavedText, pk), actor=self.caller.person)
        return Response(status=204)


def _saved(operation: Operation, row: SavedText | None, values: dict[str, Any]) -> SavedText:
    form = TextForm({"use": TextUse.OTHER, **values}, row=row)
    if not form.is_valid():
        raise refused_by(form)
    return form.save(actor=operation.caller.person)
