"""The steps of a campaign: the mails of its sequence, written by the rules of the composer."""

from __future__ import annotations

import uuid

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import own_or_404
from outreach import campaigns as journeys
from outreach.api.campaign_shapes import StepDraft, StepShape
from outreach.api.campaigns import NOT_NOW, WRITING, campaigns
from outreach.api.operation import Operation, answer
from outreach.api.problems import MEDIA_TYPE, Conflict, refused_by
from outreach.api.reading import READING
from outreach.forms_campaigns import StepForm
from outreach.models import Campaign, Step

POSITION = OpenApiParameter(
    "position",
    {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    OpenApiParameter.PATH,
    description="1 is the first mail.",
)


class Steps(Operation):
    policy = READING

    @extend_schema(
        operation_id="list_steps",
        tags=["steps"],
        summary="Steps of a campaign",
        responses={200: OpenApiResponse(StepShape(many=True), description="In their order.")},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(campaigns(), pk)
        return Response(StepShape(row.steps.all(), many=True).data)


class StepOne(Operation):
    policy = READING
    policies = {"PUT": WRITING, "DELETE": WRITING}

    @extend_schema(
        operation_id="get_step",
        tags=["steps"],
        summary="One step",
        parameters=[POSITION],
        responses=StepShape,
    )
    def get(self, request: Request, pk: uuid.UUID, position: int) -> Response:
        return answer(StepShape, _step(own_or_404(campaigns(), pk), position))

    @extend_schema(
        operation_id="write_step",
        tags=["steps"],
        summary="Write a step",
        description="Its whole text: what is left out is empty. The position behind the last adds a step. "
        "A campaign that runs has to be paused first; its queued mails of this step are written anew.",
        parameters=[POSITION],
        request=StepDraft,
        responses={200: StepShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def put(self, request: Request, pk: uuid.UUID, position: int) -> Response:
        row = own_or_404(campaigns(), pk)
        draft = StepDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        form = StepForm(draft.validated_data)
        if not form.is_valid():
            raise refused_by(form)
        _refuse_running(row)
        try:
            step = journeys.save_step(row, position, actor=self.caller.person, **form.cleaned_data)
        except journeys.NotAllowed as no:
            raise Conflict(str(no)) from no
        return answer(StepShape, step)

    @extend_schema(
        operation_id="delete_step",
        tags=["steps"],
        summary="Take the last step out",
        description="With its mails that wait. One of which a mail has left stays.",
        parameters=[POSITION],
        responses={204: OpenApiResponse(description="It is gone."), (409, MEDIA_TYPE): NOT_NOW},
    )
    def delete(self, request: Request, pk: uuid.UUID, position: int) -> Response:
        row = own_or_404(campaigns(), pk)
        step = _step(row, position)
        if position == 1:
            raise Conflict("The first mail stays: a campaign has at least one step.")
        _refuse_running(row)
        try:
            journeys.remove_step(step, actor=self.caller.person)
        except journeys.NotAllowed as no:
            raise Conflict(str(no)) from no
        return Response(status=204)


def _step(row: Campaign, position: int) -> Step:
    found: Step | None = row.steps.filter(position=position).first() if position < 2**15 else None
    if found is None:
        raise Http404
    found.campaign = row
    return found


def _refuse_running(row: Campaign) -> None:
    if not row.is_editable:
        raise Conflict(
            f"It is {row.get_state_display().lower()}: pause it before its text is changed.", code="state"
        )
