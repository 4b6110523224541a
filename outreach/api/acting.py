"""What changes something: a contact is added, a campaign is queued. The same functions as the pages call."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Policy, own_or_404
from accounts.keys import Scope
from accounts.models import Role
from outreach import contacts as people
from outreach.api.campaign_shapes import LaunchShape
from outreach.api.campaigns import campaigns, not_ready
from outreach.api.operation import Operation, answer
from outreach.api.problems import MEDIA_TYPE, Conflict, refused_by
from outreach.api.reading import READING, contacts_page, rows_of
from outreach.api.repeating import repeatable
from outreach.api.schema import LISTED
from outreach.api.shapes import ContactDraft, ContactShape, NothingDraft, Problem
from outreach.forms import ContactForm
from outreach.models import Basis, Campaign, CampaignState
from outreach.people_filter import REPLIED, WRITTEN
from outreach.pipeline import compose

ADDING = Policy.member(Role.MEMBER, scope=Scope.CONTACTS_WRITE)
LAUNCHING = Policy.member(Role.MEMBER, scope=Scope.CAMPAIGNS_LAUNCH)


_DAY = {"type": "string", "format": "date"}
_ROW = {"type": "string", "format": "uuid"}
FILTERS = [
    OpenApiParameter("q", str, description="A whole address, or a part of company, site or source."),
    OpenApiParameter("tag", _ROW, description="Who bears this tag."),
    OpenApiParameter("list", _ROW, description="Who stands in this list."),
    OpenApiParameter("site", str, description="The site's domain."),
    OpenApiParameter("country", {"type": "string", "pattern": "^[A-Za-z]{2}$"}),
    OpenApiParameter("basis", str, enum=Basis.values),
    OpenApiParameter("source", str, description="A part of where the address is from."),
    OpenApiParameter("field", str, description="A field of your own, with `equals` or `contains`."),
    OpenApiParameter("equals", str),
    OpenApiParameter("contains", str),
    OpenApiParameter("written", str, enum=list(WRITTEN), description="Whether and when mail went to them."),
    OpenApiParameter("replied", str, enum=list(REPLIED)),
    OpenApiParameter("brought", _ROW, description="The import that added them."),
    OpenApiParameter("since", _DAY, description="Added on this day or later."),
    OpenApiParameter("until", _DAY, description="Added on this day or before."),
]


class Contacts(Operation):
    policy = READING
    policies = {"POST": ADDING}

    @extend_schema(
        operation_id="list_contacts",
        tags=["contacts"],
        summary="Contacts",
        parameters=[
            *LISTED,
            OpenApiParameter("address", str, description="The whole address: addresses are encrypted."),
            *FILTERS,
        ],
        responses={200: rows_of("Contact", ContactShape)},
    )
    def get(self, request: Request) -> Response:
        return contacts_page(request)

    @extend_schema(
        operation_id="add_contact",
        tags=["contacts"],
        summary="Add a contact",
        description="An address stands in the list once: the second request for it is answered with 409 and "
        "changes nothing, so it can be repeated without harm.",
        request=ContactDraft,
        responses={
            201: ContactShape,
            (409, MEDIA_TYPE): OpenApiResponse(Problem, description="The address is in the list already."),
        },
        examples=[
            OpenApiExample(
                "A person",
                {"address": "ana@ridgewalkers.example", "name": "Ana Lima", "source": "Your page lists you"},
                request_only=True,
            )
        ],
    )
    @repeatable
    def post(self, request: Request) -> Response:
        draft = ContactDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        values = dict(draft.validated_data)
        own = values.pop("fields", {})
        form = ContactForm(values)
        if not form.is_valid():
            raise refused_by(form)
        cleaned = {name: value for name, value in form.cleaned_data.items() if name != "fields_text"}
        try:
            row = people.save_contact(**cleaned, fields=own, actor=self.caller.person)
        except people.BadContact as bad:
            if bad.field == "address" and people.find(cleaned["address"]) is not None:
                raise Conflict(str(bad), code="exists", errors=[("address", str(bad))]) from bad
            raise ValidationError({bad.field: [str(bad)]}) from bad
        return answer(ContactShape, row, status=201)


class CampaignLaunch(Operation):
    policy = LAUNCHING
    policies = {"POST": LAUNCHING}

    @extend_schema(
        operation_id="launch_campaign",
        tags=["campaigns"],
        summary="Queue a campaign",
        description="Plans the first mail of everybody who is ready, as the button on its page does. "
        "A campaign that was queued before is left as it is and answered with `queued: 0`, so that the "
        "request can be repeated.",
        request=NothingDraft,
        responses={
            200: LaunchShape,
            (409, MEDIA_TYPE): OpenApiResponse(
                Problem, description="Something stops it; `errors` says what, as the page does."
            ),
        },
    )
    @repeatable
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        NothingDraft(data=request.data).is_valid(raise_exception=True)
        row = own_or_404(campaigns().select_related("project", "mailbox", "workspace"), pk)
        if row.state not in (CampaignState.DRAFT, CampaignState.CANCELLED):
            return _launched(row)
        try:
            done = compose.launch(row, actor=self.caller.person)
        except compose.NotReady as no:
            row.refresh_from_db()
            if row.state not in (CampaignState.DRAFT, CampaignState.CANCELLED):
                return _launched(row)  # Somebody else queued it meanwhile.
            raise not_ready(no) from no
        row.refresh_from_db()
        return _launched(row, queued=done.ready, held_back=done.held_back)


def _launched(row: Campaign, *, queued: int = 0, held_back: int = 0) -> Response:
    return answer(LaunchShape, {"queued": queued, "held_back": held_back, "campaign": row})
