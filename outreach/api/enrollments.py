"""People in a campaign: added, paused, skipped and taken out as on its page."""

from __future__ import annotations

import uuid
from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import own_or_404
from outreach import campaigns as journeys
from outreach import enrollments
from outreach.api.campaign_shapes import AddedShape, EnrollmentShape, PeopleDraft
from outreach.api.campaigns import NOT_NOW, WRITING, campaigns, not_ready
from outreach.api.operation import Operation, answer
from outreach.api.paging import page_of
from outreach.api.problems import MEDIA_TYPE, Conflict
from outreach.api.reading import READING, rows_of
from outreach.api.repeating import repeatable
from outreach.api.schema import LISTED
from outreach.api.shapes import NothingDraft
from outreach.models import Contact, Enrollment, EnrollmentState
from outreach.pipeline import compose


class Enrollments(Operation):
    policy = READING
    policies = {"POST": WRITING}
    filters: ClassVar[list[OpenApiParameter]] = [
        OpenApiParameter("state", str, enum=EnrollmentState.values, description="In this state only.")
    ]

    @extend_schema(
        operation_id="list_campaign_people",
        tags=["people"],
        summary="People in a campaign",
        parameters=[*LISTED, *filters],
        responses={200: rows_of("Enrollment", EnrollmentShape)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        rows = Enrollment.objects.filter(campaign=own_or_404(campaigns(), pk))
        state = request.query_params.get("state")
        if state is not None:
            if state not in EnrollmentState.values:
                raise ValidationError({"state": f"One of {', '.join(EnrollmentState.values)}."})
            rows = rows.filter(state=state)
        return Response(page_of(request, rows, EnrollmentShape))

    @extend_schema(
        operation_id="add_campaign_people",
        tags=["people"],
        summary="Put contacts into a campaign",
        description="Each once: who is in it already stays as they are, so the request can be repeated. In a "
        "campaign that was queued their first mails are planned at once. Who is suppressed is held back.",
        request=PeopleDraft,
        responses={200: AddedShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    @repeatable
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(campaigns().select_related("project", "mailbox", "workspace"), pk)
        draft = PeopleDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        asked = list(dict.fromkeys(draft.validated_data["contacts"]))
        people = list(Contact.objects.filter(pk__in=asked).select_related("site"))
        found = {str(person.pk) for person in people}
        try:
            added = journeys.add_contacts(row, people, actor=self.caller.person)
        except journeys.NotAllowed as no:
            raise Conflict(str(no)) from no
        except compose.NotReady as no:
            raise not_ready(no) from no
        missing = [one for one in asked if one not in found]
        return answer(
            AddedShape,
            {"added": added.added, "known": added.known, "held_back": added.held_back, "missing": missing},
        )


class EnrollmentOne(Operation):
    policy = READING
    policies = {"DELETE": WRITING}

    @extend_schema(
        operation_id="get_campaign_person",
        tags=["people"],
        summary="One person in a campaign",
        responses=EnrollmentShape,
    )
    def get(self, request: Request, pk: uuid.UUID, person: uuid.UUID) -> Response:
        return answer(EnrollmentShape, _own(pk, person))

    @extend_schema(
        operation_id="take_out_campaign_person",
        tags=["people"],
        summary="Take a person out of a campaign",
        description="What waits for them is cancelled. What went out stays in the record; the contact stays.",
        responses={204: OpenApiResponse(description="They get nothing more from it.")},
    )
    def delete(self, request: Request, pk: uuid.UUID, person: uuid.UUID) -> Response:
        row = _own(pk, person)
        if row.state in enrollments.OPEN:
            enrollments.take_out(row, actor=self.caller.person)
        return Response(status=204)


class EnrollmentPause(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="pause_campaign_person",
        tags=["people"],
        summary="Pause one person",
        description="Nothing goes to them behind this answer. Who is paused already stays so.",
        request=NothingDraft,
        responses={200: EnrollmentShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    def post(self, request: Request, pk: uuid.UUID, person: uuid.UUID) -> Response:
        row = _asked(request, pk, person)
        paused = enrollments.pause(Enrollment.objects.filter(pk=row.pk), actor=self.caller.person)
        row.refresh_from_db()
        if not paused and row.paused_at is None:
            raise Conflict("Their way through the campaign has ended.", code="ended")
        return answer(EnrollmentShape, row)


class EnrollmentGoOn(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="resume_campaign_person",
        tags=["people"],
        summary="Let one paused person go on",
        request=NothingDraft,
        responses=EnrollmentShape,
    )
    def post(self, request: Request, pk: uuid.UUID, person: uuid.UUID) -> Response:
        row = _asked(request, pk, person)
        enrollments.go_on(Enrollment.objects.filter(pk=row.pk), actor=self.caller.person)
        row.refresh_from_db()
        return answer(EnrollmentShape, row)


class EnrollmentSkip(Operation):
    policy = WRITING
    policies = {"POST": WRITING}

    @extend_schema(
        operation_id="skip_campaign_step",
        tags=["people"],
        summary="Skip the follow-up that waits for a person",
        description="The step behind it is planned, its wait counted from now. Each request skips one more, "
        "so it takes an Idempotency-Key.",
        request=NothingDraft,
        responses={200: EnrollmentShape, (409, MEDIA_TYPE): NOT_NOW},
    )
    @repeatable
    def post(self, request: Request, pk: uuid.UUID, person: uuid.UUID) -> Response:
        row = _asked(request, pk, person)
        waiting = enrollments.skippable(row)
        try:
            if waiting is None:
                raise enrollments.NotSkipped
            enrollments.skip(row, waiting, actor=self.caller.person)
        except enrollments.NotSkipped as no:
            raise Conflict(str(no), code="nothing_waits") from no
        row.refresh_from_db()
        return answer(EnrollmentShape, row)


def _own(campaign: uuid.UUID, person: uuid.UUID) -> Enrollment:
    rows = Enrollment.objects.filter(campaign=own_or_404(campaigns(), campaign))
    return own_or_404(rows.select_related("contact__site", "campaign"), person)


def _asked(request: Request, campaign: uuid.UUID, person: uuid.UUID) -> Enrollment:
    row = _own(campaign, person)
    NothingDraft(data=request.data).is_valid(raise_exception=True)
    return row
