"""Why a mail has not gone: a campaign's mails with what their rows keep, and one mail with every gate."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock
from accounts.access import own_or_404
from outreach import ledger
from outreach.api.campaigns import campaigns
from outreach.api.operation import Operation, answer
from outreach.api.paging import page_of
from outreach.api.reading import READING, rows_of
from outreach.api.schema import LISTED
from outreach.api.shapes import MessageShape, WhyShape
from outreach.models import Message, MessageState


@dataclass(frozen=True)
class Told:
    """What MessageShape takes."""

    row: Message
    told: ledger.Told


class CampaignMessages(Operation):
    policy = READING
    filters: ClassVar[list[OpenApiParameter]] = [
        OpenApiParameter("state", str, enum=MessageState.values, description="In this state only.")
    ]

    @extend_schema(
        operation_id="list_campaign_messages",
        tags=["messages"],
        summary="Mails of a campaign",
        description="What each row keeps of why it has not gone, without asking the gates anew: that is what "
        "`/messages/{id}/why` does.",
        parameters=[*LISTED, *filters],
        responses={200: rows_of("Message", MessageShape)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        campaign = own_or_404(campaigns(), pk)
        rows: QuerySet[Message] = Message.objects.filter(campaign=campaign).select_related(
            "mailbox", "campaign", "step"
        )
        state = request.query_params.get("state")
        if state is not None:
            if state not in MessageState.values:
                raise ValidationError({"state": f"One of {', '.join(MessageState.values)}."})
            rows = rows.filter(state=state)
        return Response(page_of(request, rows, _shape))


class MessageWhy(Operation):
    policy = READING

    @extend_schema(
        operation_id="explain_message",
        tags=["messages"],
        summary="Why has this mail not gone?",
        description="Asks every gate at this moment, with the functions that decide when a mail is handed to "
        "its provider, in their order. The first that waits or ends decides.",
        responses=WhyShape,
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        row = own_or_404(Message.objects.select_related(*ledger.WITH), pk)
        found = ledger.opened(row, now=clock.now())
        return answer(WhyShape, {"message": Told(row, found.decides), "gates": found.lines})


def _shape(rows: list[Message], *, many: bool) -> Any:
    now = clock.now()
    return MessageShape([Told(row, ledger.told(row, now=now)) for row in rows], many=many)
