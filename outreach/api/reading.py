"""What a key with `read` or a viewer may look at: lists by cursor, single rows by id."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Policy, own_or_404
from accounts.keys import Scope
from accounts.models import Role, Workspace
from mailbox.models import Mailbox
from outreach.api.operation import Operation, answer
from outreach.api.paging import page_of
from outreach.api.schema import LISTED
from outreach.api.shapes import (
    ContactShape,
    MailboxShape,
    MeShape,
    ProjectShape,
    WorkspaceShape,
)
from outreach.models import Contact, Project
from outreach.models.contacts import address_index
from outreach.people_filter import NAMES, PeopleFilter

READING = Policy.member(Role.VIEWER, scope=Scope.READ)


def rows_of(name: str, shape: Any) -> Any:
    """The shape of a list's answer."""
    fields = {
        "next": serializers.UUIDField(allow_null=True, help_text="The next cursor; null at the end."),
        "results": shape(many=True),
    }
    return OpenApiResponse(inline_serializer(f"{name}List", fields), description="Newest first.")


class Me(Operation):
    policy = Policy.member(Role.VIEWER)

    @extend_schema(operation_id="me", tags=["me"], summary="Who am I?", responses=MeShape)
    def get(self, request: Request) -> Response:
        key, membership = self.caller.key, self.caller.membership
        return answer(
            MeShape,
            {
                "credential": key.kind if key else "session",
                "name": key.name if key else None,
                "prefix": key.prefix if key else None,
                "scopes": key.scopes if key else [],
                "expires_at": key.expires_at if key else None,
                "role": membership.role if membership else None,
                "person": membership.user if membership else None,
                "workspace": self.caller.workspace,
            },
        )


class Workspaces(Operation):
    """A key knows its own workspace; a person all of theirs."""

    policy = READING

    @extend_schema(
        operation_id="list_workspaces",
        tags=["workspaces"],
        summary="Workspaces that this credential reaches",
        parameters=LISTED,
        responses={200: rows_of("Workspace", WorkspaceShape)},
    )
    def get(self, request: Request) -> Response:
        return Response(page_of(request, _workspaces(self), WorkspaceShape))


class WorkspaceOne(Operation):
    policy = READING

    @extend_schema(
        operation_id="get_workspace",
        tags=["workspaces"],
        summary="One workspace",
        parameters=[
            OpenApiParameter("sid", {"type": "string", "pattern": "^WS[0-9a-f]{32}$"}, OpenApiParameter.PATH)
        ],
        responses=WorkspaceShape,
    )
    def get(self, request: Request, sid: str) -> Response:
        row = _workspaces(self).filter(sid=sid).first()
        if row is None:
            raise Http404
        return answer(WorkspaceShape, row)


def _workspaces(operation: Operation) -> QuerySet[Workspace]:
    person, here = operation.caller.person, operation.caller.workspace
    if person is None:
        return Workspace.objects.filter(pk=here.pk)
    return Workspace.objects.filter(memberships__user=person)


class Projects(Operation):
    policy = READING

    @extend_schema(
        operation_id="list_projects",
        tags=["projects"],
        summary="Projects",
        parameters=LISTED,
        responses={200: rows_of("Project", ProjectShape)},
    )
    def get(self, request: Request) -> Response:
        return Response(page_of(request, Project.objects.all(), ProjectShape))


class ProjectOne(Operation):
    policy = READING

    @extend_schema(
        operation_id="get_project", tags=["projects"], summary="One project", responses=ProjectShape
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer(ProjectShape, own_or_404(Project, pk))


def contacts_page(request: Request) -> Response:
    """By the filters of the page, under the same names; what is no value of one is refused here."""
    given = {name: text for name in NAMES if (text := request.query_params.get(name)) is not None}
    wanted = PeopleFilter.of(given)
    wrong = [name for name in given if not getattr(wanted, name)]
    if wrong:
        raise ValidationError(dict.fromkeys(wrong, "This is no value of it, or its other half is missing."))
    rows = wanted.rows().select_related("site")
    address = request.query_params.get("address")
    if address is not None:
        rows = rows.filter(address_index=address_index(address))
    return Response(page_of(request, rows, ContactShape))


class ContactOne(Operation):
    policy = READING

    @extend_schema(
        operation_id="get_contact", tags=["contacts"], summary="One contact", responses=ContactShape
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer(ContactShape, own_or_404(Contact.objects.select_related("site"), pk))


class Mailboxes(Operation):
    policy = READING

    @extend_schema(
        operation_id="list_mailboxes",
        tags=["mailboxes"],
        summary="Connected mailboxes",
        parameters=LISTED,
        responses={200: rows_of("Mailbox", MailboxShape)},
    )
    def get(self, request: Request) -> Response:
        return Response(page_of(request, Mailbox.objects.live(), MailboxShape))


class MailboxOne(Operation):
    policy = READING

    @extend_schema(
        operation_id="get_mailbox", tags=["mailboxes"], summary="One mailbox", responses=MailboxShape
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer(MailboxShape, own_or_404(Mailbox.objects.live(), pk))
