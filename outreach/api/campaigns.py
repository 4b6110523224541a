"""Campaigns: found, made, changed, paused and ended by the rules of their pages."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Policy, own_or_404
from accounts.keys import Scope
from accounts.models import Role
from mailbox.models import Mailbox
from outreach import campaigns as journeys
from outreach.api.campaign_shapes import (
    CampaignChange,
    CampaignDraft,
    CampaignShape,
    ReadinessShape,
    StoppedShape,
)
from outreach.api.operation import Operation, answer
from outreach.api.paging import page_of, uuid_of
from outreach.api.problems import MEDIA_TYPE, Conflict, refused_by
from outreach.api.reading import READING, rows_of
from outreach.api.repeating import repeatable
from outreach.api.schema import LISTED
from outreach.api.shapes import NothingDraft, Problem
from outreach.forms_campaigns import FLAG_WORDS, SettingsForm
from outreach.models import Campaign, CampaignKind, CampaignState, Project
from outreach.pipeline import compose

WRITING = Policy.member(Role.MEMBER, scope=Scope.CAMPAIGNS_WRITE)
MOST_NAMED = 100
NOT_NOW = OpenApiResponse(Problem, description="It does not fit the state that the campaign is in.")


def campaigns() -> QuerySet[Campaign]:
    """Those of people; a project's removal requests have pages of their own."""
    return Campaign.objects.filter(kind=CampaignKind.OUTREACH)


def not_ready(no: compose.NotReady) -> Conflict:
    """What stops a campaign, as its page says it, to be raised."""
    lines = [(problem.code, problem.sentence) for problem in no.problems]
    return Conflict("The campaign is not ready.", code="not_ready", errors=lines)


class Campaigns(Operation):
    policy = READING
    policies = {"POST": WRITING}
    filters: ClassVar[list[OpenApiParameter]] = [
        OpenApiParameter(
            "project", {"type": "string", "format": "uuid"}, description="Of this project only."
        ),
        OpenApiParameter("state", str, enum=CampaignState.values, description="In this state only."),
    ]

    @extend_schema(
        operation_id="list_campaigns",
        tags=["campaigns"],
        summary="Campaigns",
        parameters=[*LISTED, *filters],
        responses={200: rows_of("Campaign", CampaignShape)},
    )
    def get(self, request: Request) -> Response:
        rows, asked = campaigns(), request.query_params
        if "project" in asked:
            rows = rows.filter(project=uuid_of("project", asked["project"]))
        if "state" in asked:
            if asked["state"] not in CampaignState.values:
                raise ValidationError({"state": f"One of {', '.join(CampaignState.values)}."})
            rows = rows.filter(state=asked["state"])
        return Response(page_of(request, rows, CampaignShape))

    @extend_schema(
        operation_id="add_campaign",
        tags=["campaigns"],
        summary="Make a campaign",
        description="A draft with an empty first step. Nothing is sent until it is queued.",
        request=CampaignDraft,
        responses={201: CampaignShape},
        examples=[
            OpenApiExample(
                "A draft",
                {
                    "name": "Hut guides",
                    "project": "01a21580-9707-7114-b24a-6232a72339d5",
                    "timezone": "Europe/Berlin",
                    "weekdays": [0, 1, 2, 3],
                },
                request_only=True,
            )
        ],
    )
    @repeatable
    def post(self, request: Request) -> Response:
        draft = CampaignDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        values = dict(draft.validated_data)
        try:
            project = own_or_404(Project, values.pop("project"))
        except Http404 as gone:
            raise ValidationError({"project": "There is no such project in this workspace."}) from gone
        with transaction.atomic():
            row = journeys.create(
                name=values.pop("name"),
                project=project,
                mailbox=None,
                timezone="UTC",
                text_only=values.pop("text_only", False),
                actor=self.caller.person,
            )
            if values:
                row = _changed(self, row, values)
        return answer(CampaignShape, row, status=201)


class CampaignOne(Operation):
    policy = READING
    policies = {"PATCH": WRITING, "DELETE": WRITING}

    @extend_schema(
        operation_id="get_campaign", tags=["campaigns"], summary="One campaign", responses=CampaignShape
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return answer(CampaignShape, own_or_404(campaigns(), pk))

    @extend_schema(
        operation_id="change_campaign",
        tags=["campaigns"],
        summary="Change a campaign’s settings",
        description="What is left out stays. Mails that wait follow the new settings.",
        request=CampaignChange,
        responses=CampaignShape,
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(campaigns().select_related("mailbox"), pk)
        change = CampaignChange(data=request.data)
        change.is_valid(raise_exception=True)
        return answer(CampaignShape, _changed(self, row, change.validated_data))

    @extend_schema(
        operation_id="delete_campaign",
        tags=["campaigns"],
        summary="Delete a draft",
        description="Only a campaign that was never queued: one that has written is deleted with its mail on "
        "its page, by a person.",
        responses={204: OpenApiResponse(description="It is deleted."), (409, MEDIA_TYPE): NOT_NOW},
    )
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(campaigns(), pk)
        if row.launched_at is not None:
            raise Conflict("It was queued: delete it with its mail on its page.", code="launched")
        journeys.delete(row, actor=self.caller.person)
        return Response(status=204)


class CampaignReadiness(Operation):
    policy = READING

    @extend_schema(
        operation_id="check_campaign",
        tags=["campaigns"],
        summary="Would it go?",
        description="What the composer’s checks say: how many people would get the first mail, who is held "
        "back and why, what stops the launch. An empty `problems` means that it can be queued.",
        responses=ReadinessShape,
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(campaigns().select_related("project", "mailbox", "workspace"), pk)
        found = compose.readiness(row)
        return answer(
            ReadinessShape,
            {
                "ready": len(found.ready),
                "held_back": len(found.held_back),
                "people": [
                    {"contact": one.contact_id, "code": one.reason, "sentence": sentence}
                    for one, sentence in found.held_back[:MOST_NAMED]
                ],
                "problems": [_line(problem) for problem in found.problems],
                "warnings": [_line(problem) for problem in found.warnings],
            },
        )


class CampaignPause(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="pause_campaign",
        tags=["campaigns"],
        summary="Pause a campaign",
        description="Nothing is handed over behind this answer. One that is paused already stays so.",
        request=NothingDraft,
        responses={200: CampaignShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = _asked(request, pk)
        if not journeys.pause(row, actor=self.caller.person) and row.state != CampaignState.PAUSED:
            raise Conflict(f"It is {row.get_state_display().lower()}, so there is nothing to pause.")
        return answer(CampaignShape, row)


class CampaignResume(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="resume_campaign",
        tags=["campaigns"],
        summary="Resume a paused campaign",
        description="Every waiting mail keeps its place and its text. One that runs already goes on.",
        request=NothingDraft,
        responses={200: CampaignShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = _asked(request, pk)
        try:
            resumed = journeys.resume(row, actor=self.caller.person)
        except journeys.NotAllowed as no:
            raise Conflict(str(no)) from no
        if not resumed and row.state != CampaignState.RUNNING:
            raise Conflict(f"It is {row.get_state_display().lower()}, so it cannot go on.")
        return answer(CampaignShape, row)


class CampaignCancel(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="cancel_campaign",
        tags=["campaigns"],
        summary="End a campaign for good",
        description="Its waiting mails are cancelled. A second request cancels nothing.",
        request=NothingDraft,
        responses=StoppedShape,
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = _asked(request, pk)
        stopped = journeys.cancel(row, actor=self.caller.person)
        return answer(StoppedShape, {"cancelled": stopped, "campaign": row})


def _asked(request: Request, pk: uuid.UUID) -> Campaign:
    row = own_or_404(campaigns().select_related("mailbox"), pk)
    NothingDraft(data=request.data).is_valid(raise_exception=True)
    return row


def _changed(operation: Operation, row: Campaign, values: dict[str, Any]) -> Campaign:
    """The settings' form with what is there, and what was sent over it. Raises ValidationError, Conflict."""
    fixed = row.launched_at is not None and "mailbox" in values
    if fixed and values["mailbox"] != (str(row.mailbox_id) if row.mailbox_id else None):
        raise Conflict("The mailbox stays, because threads began in it.", code="launched")
    if values.get("mailbox") and not Mailbox.objects.live().filter(pk=values["mailbox"]).exists():
        raise ValidationError({"mailbox": "There is no such mailbox in this workspace."})
    form = SettingsForm(campaign=row)
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    flags = {
        name: FLAG_WORDS[value] for name, value in values.items() if name in ("tracks_opens", "tracks_clicks")
    }
    form = SettingsForm({**data, **values, **flags}, campaign=row)
    if not form.is_valid():
        raise refused_by(form)
    return form.save(actor=operation.caller.person)


def _line(problem: Any) -> dict[str, str]:
    where = f"step {problem.step}: " if problem.step else ""
    return {"field": problem.code, "detail": f"{where}{problem.sentence}"}
