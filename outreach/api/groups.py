"""Tags and lists, and the people in them: the same acts as on their pages."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Policy, own_or_404
from accounts.keys import Scope
from accounts.models import Role
from outreach import groups as book
from outreach.api.campaign_shapes import Name
from outreach.api.operation import Operation, answer
from outreach.api.paging import page_of
from outreach.api.reading import READING, rows_of
from outreach.api.repeating import repeatable
from outreach.api.schema import LISTED
from outreach.api.shapes import Choice, Line, Strict
from outreach.models import Contact, Group, GroupKind
from outreach.models.groups import LONGEST_NAME

WRITING = Policy.member(Role.MEMBER, scope=Scope.CONTACTS_WRITE)
MOST_IDS = 1000


@extend_schema_serializer(component_name="Group")
class GroupShape(serializers.Serializer[Any]):
    """A tag or a list."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=GroupKind.choices)
    name = serializers.CharField()
    created_at = serializers.DateTimeField()


class GroupChange(Strict):
    name = Line(max_length=LONGEST_NAME)


class GroupDraft(GroupChange):
    kind = Choice(choices=GroupKind.choices)


class GroupPeopleDraft(Strict):
    """Contacts by their ids; what is not there is left out."""

    contacts = serializers.ListField(
        child=Name(max_length=36), min_length=1, max_length=MOST_IDS, help_text="Their ids."
    )


@extend_schema_serializer(component_name="Changed")
class ChangedShape(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="How many people this put in or took out.")


class Groups(Operation):
    policy = READING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="list_groups",
        tags=["groups"],
        summary="Tags and lists",
        parameters=[
            *LISTED,
            OpenApiParameter("kind", str, enum=GroupKind.values, description="Tags, or lists, only."),
        ],
        responses={200: rows_of("Group", GroupShape)},
    )
    def get(self, request: Request) -> Response:
        kind = request.query_params.get("kind")
        if kind is not None and kind not in GroupKind.values:
            raise ValidationError({"kind": f"One of {', '.join(GroupKind.values)}."})
        rows = Group.objects.filter(kind=kind) if kind else Group.objects.all()
        return Response(page_of(request, rows, GroupShape))

    @extend_schema(
        operation_id="add_group",
        tags=["groups"],
        summary="Make a tag or a list",
        description="A name stands once among tags and once among lists, whatever its case: the second "
        "request for it is answered with 400 and changes nothing.",
        request=GroupDraft,
        responses={201: GroupShape},
    )
    @repeatable
    def post(self, request: Request) -> Response:
        draft = GroupDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        given = draft.validated_data
        try:
            row = book.make(given["kind"], given["name"], actor=self.caller.person)
        except book.BadName as bad:
            raise ValidationError({"name": [str(bad)]}) from bad
        row.refresh_from_db()
        return answer(GroupShape, row, status=201)


class GroupOne(Operation):
    policy = READING
    policies = {"PATCH": WRITING, "DELETE": WRITING}

    @extend_schema(operation_id="get_group", tags=["groups"], summary="One tag or list", responses=GroupShape)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer(GroupShape, own_or_404(Group, pk))

    @extend_schema(
        operation_id="rename_group",
        tags=["groups"],
        summary="Rename a tag or a list",
        request=GroupChange,
        responses=GroupShape,
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(Group, pk)
        change = GroupChange(data=request.data)
        change.is_valid(raise_exception=True)
        try:
            book.rename(row, change.validated_data["name"], actor=self.caller.person)
        except book.BadName as bad:
            raise ValidationError({"name": [str(bad)]}) from bad
        return answer(GroupShape, row)

    @extend_schema(
        operation_id="delete_group",
        tags=["groups"],
        summary="Delete a tag or a list",
        description="Its people stay.",
        responses={204: OpenApiResponse(description="It is deleted.")},
    )
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        book.delete(own_or_404(Group, pk), actor=self.caller.person)
        return Response(status=204)


class GroupPeople(Operation):
    """Who is in it is listed by `GET /contacts?tag=` and `?list=`."""

    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="put_into_group",
        tags=["groups"],
        summary="Put contacts into a tag or a list",
        description="Who is in it already stays, so that the request can be repeated. Ids that name nobody "
        "are left out.",
        request=GroupPeopleDraft,
        responses=ChangedShape,
    )
    @repeatable
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        return _changed(self, request, pk, book.put)


class GroupPeopleOut(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="take_out_of_group",
        tags=["groups"],
        summary="Take contacts out of a tag or a list",
        description="Ids that name nobody are left out.",
        request=GroupPeopleDraft,
        responses=ChangedShape,
    )
    @repeatable
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        return _changed(self, request, pk, book.take)


def _changed(
    operation: Operation, request: Request, pk: uuid.UUID, act: Callable[..., book.Change]
) -> Response:
    draft = GroupPeopleDraft(data=request.data)
    draft.is_valid(raise_exception=True)
    row = own_or_404(Group, pk)
    people = Contact.objects.filter(pk__in=draft.validated_data["contacts"])
    change = act(row, people, actor=operation.caller.person)
    return answer(ChangedShape, {"changed": change.count})
