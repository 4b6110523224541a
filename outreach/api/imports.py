"""Imports of people: a whole list in one request, which a worker reads, checks and stores."""

from __future__ import annotations

import base64
import binascii
import itertools
import uuid
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Policy, own_or_404
from accounts.keys import Scope
from accounts.models import Role
from outreach.api.operation import Operation, answer
from outreach.api.paging import page_of
from outreach.api.problems import MEDIA_TYPE, Conflict
from outreach.api.reading import rows_of
from outreach.api.repeating import repeatable
from outreach.api.schema import LISTED
from outreach.api.shapes import Choice, Line, NothingDraft, Problem, Strict
from outreach.importing import ImportRefused
from outreach.imports import parts, steps, undoing
from outreach.imports.tasks import carry_on
from outreach.models import Basis, ContactImport, ImportState, ListShape

READING = Policy.member(Role.MEMBER, scope=Scope.READ)
WRITING = Policy.member(Role.MEMBER, scope=Scope.CONTACTS_WRITE)
# Base64 of the largest file, and room for what stands around it.
LARGEST = steps.MOST_BYTES * 4 // 3 + 64 * 1024
MOST_REJECTS = 1000
NOT_NOW = OpenApiResponse(Problem, description="It does not fit the state that the import is in.")


class Base64(Line):
    """Bytes as base64, as RFC 4648 writes them."""

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]
        try:
            return base64.b64decode(super().to_internal_value(data), validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("This is not base64.") from None


class ImportDraft(Strict):
    content = Base64(
        max_length=LARGEST, help_text="A CSV, TSV or XLSX file as base64: up to 20 MB and 100,000 rows."
    )
    filename = Line(max_length=200, required=False, allow_blank=True)
    basis = Choice(choices=Basis.choices, default=Basis.LEGITIMATE)
    source = Line(  # type: ignore[assignment]
        max_length=200, help_text="Where the addresses are from. It is kept with each person."
    )


class MappingDraft(Strict):
    mapping = serializers.DictField(
        child=Line(max_length=40, allow_blank=True),
        required=False,
        help_text="Column → address, name, first_name, last_name, company, website, country, timezone or the "
        "name of a field of your own; empty leaves it out. A column that is not named stays as it is.",
    )


class StoreDraft(MappingDraft):
    basis = Choice(choices=Basis.choices, required=False)


@extend_schema_serializer(component_name="Import")
class ImportShape(serializers.Serializer[Any]):
    """`new`, `known`, `blocked` and `rejected` are what is expected until it is stored, and facts then."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=ImportState.choices)
    filename = serializers.CharField(allow_blank=True, allow_null=True)
    problem = serializers.CharField(allow_blank=True, allow_null=True, help_text="Why it was not read.")
    rows = serializers.IntegerField(allow_null=True, help_text="Null while the file is being read.")
    done_rows = serializers.IntegerField()
    new = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Their address is in the list of contacts already.")
    blocked = serializers.IntegerField(help_text="They must not be written to; no import lifts that.")
    rejected = serializers.IntegerField()
    columns = serializers.ListField(child=serializers.CharField(), source="layout.headers")
    mapping = serializers.DictField(child=serializers.CharField(allow_blank=True))
    may_be_undone = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class RejectShape(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    reason = serializers.CharField()
    cells = serializers.ListField(child=serializers.CharField(allow_blank=True))
    text = serializers.CharField(allow_blank=True)


@extend_schema_serializer(component_name="Rejects")
class RejectsShape(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    results = RejectShape(many=True, help_text=f"The first {MOST_REJECTS:,}.")


class Imports(Operation):
    policy = READING
    policies = {"POST": WRITING}
    largest_body = LARGEST

    @extend_schema(
        operation_id="list_imports",
        tags=["imports"],
        summary="Imports of people",
        parameters=LISTED,
        responses={200: rows_of("Import", ImportShape)},
    )
    def get(self, request: Request) -> Response:
        return Response(page_of(request, ContactImport.objects.all(), ImportShape))

    @extend_schema(
        operation_id="begin_import",
        tags=["imports"],
        summary="Bring a list",
        description="The list is read and checked, a large one by a worker: ask for it again until its state "
        "is `checked`. Nobody is added before `/store`. Whom nobody stores within a day is forgotten.",
        request=ImportDraft,
        responses={201: ImportShape},
    )
    @repeatable
    def post(self, request: Request) -> Response:
        draft = ImportDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        values = dict(draft.validated_data)
        try:
            row = steps.begin(
                values["content"],
                filename=values.get("filename", ""),
                basis=values["basis"],
                source=values["source"],
                actor=self.caller.person,
            )
        except ImportRefused as refused:
            raise ValidationError({"content": str(refused)}) from refused
        carry_on(row)
        return answer(ImportShape, row, status=201)


class ImportOne(Operation):
    policy = READING

    @extend_schema(
        operation_id="get_import", tags=["imports"], summary="How far is it?", responses=ImportShape
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer(ImportShape, own_or_404(ContactImport, pk))


class ImportMatch(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="match_import",
        tags=["imports"],
        summary="Say what the columns hold",
        description="The list is checked anew.",
        request=MappingDraft,
        responses={200: ImportShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(ContactImport, pk)
        draft = MappingDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        return _told(row, steps.match(row, _mapping(row, draft.validated_data)))


class ImportStore(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="store_import",
        tags=["imports"],
        summary="Store the list",
        description="Adds whom the list names, once each. Who opted out or bounced stays blocked.",
        request=StoreDraft,
        responses={200: ImportShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(ContactImport, pk)
        draft = StoreDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        basis = draft.validated_data.get("basis", row.basis)
        return _told(row, steps.store(row, mapping=_mapping(row, draft.validated_data), basis=basis))


class ImportCancel(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="cancel_import",
        tags=["imports"],
        summary="Stop an import",
        description="Who is stored already stays; the list is forgotten.",
        request=NothingDraft,
        responses={200: ImportShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = _asked(request, pk)
        if not steps.cancel(row):
            raise Conflict("This import has ended already.", code="ended")
        return answer(ImportShape, row)


class ImportUndo(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="undo_import",
        tags=["imports"],
        summary="Undo an import",
        description="Whom it added goes, unless somebody was written to, enrolled, attached or edited since; "
        "what it filled in is blank again. Blocks stay.",
        request=NothingDraft,
        responses={200: ImportShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        return _told(row := _asked(request, pk), undoing.begin(row, actor=self.caller.person))


class ImportRejects(Operation):
    policy = READING

    @extend_schema(
        operation_id="list_import_rejects",
        tags=["imports"],
        summary="Rows that were left out, and why",
        responses=RejectsShape,
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(ContactImport, pk)
        found = parts.rejects_of(row, most=MOST_REJECTS)
        return answer(RejectsShape, {"total": row.rejected, "results": found})


def _asked(request: Request, pk: uuid.UUID) -> ContactImport:
    row = own_or_404(ContactImport, pk)
    NothingDraft(data=request.data).is_valid(raise_exception=True)
    return row


def _told(row: ContactImport, taken: bool) -> Response:
    if not taken:
        raise Conflict(f"Its state is {row.state}, so this cannot be done.", code="state")
    carry_on(row)
    row.refresh_from_db()
    return answer(ImportShape, row)


def _mapping(row: ContactImport, values: dict[str, Any]) -> dict[str, str]:
    """What there is, and what was sent over it. Raises ValidationError for a column that is not there."""
    sent = values.get("mapping", {})
    unknown = [name for name in sent if name not in row.mapping]
    if unknown and row.state == ImportState.CHECKED:
        names = ", ".join(itertools.islice((name[:60] for name in unknown), 5))
        raise ValidationError({"mapping": f"The list has no column {names}."})
    mapping = {**row.mapping, **{name: target for name, target in sent.items() if name in row.mapping}}
    missing = row.shape == ListShape.TABLE and "address" not in mapping.values()
    if row.state == ImportState.CHECKED and missing:
        raise ValidationError({"mapping": "Name the column that holds the addresses."})
    return mapping
