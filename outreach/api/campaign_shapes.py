"""What the API gives and takes of a campaign: its settings, its steps, its people."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from outreach.api.shapes import Flag, Line, ProblemLine, Strict
from outreach.forms_campaigns import MOST_SUBJECT, MOST_TEXT
from outreach.models import CampaignState, EnrollmentState

MOST_PEOPLE = 1000
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class Whole(serializers.IntegerField):
    """A whole number, and no text that reads like one."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Name(Line):
    """An id, as text."""

    def to_internal_value(self, data: Any) -> str:
        return str(serializers.UUIDField().to_internal_value(super().to_internal_value(data)))


class ClockField(serializers.RegexField):
    """A time of the day as HH:MM."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CLOCK, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


@extend_schema_field({"type": "string", "pattern": CLOCK})
class ClockShape(serializers.TimeField):
    """HH:MM, which OpenAPI's own format of a time would not be."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


@extend_schema_serializer(component_name="Campaign")
class CampaignShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=CampaignState.choices)
    project = serializers.UUIDField(source="project_id")
    mailbox = serializers.UUIDField(source="mailbox_id", allow_null=True)
    text_only = serializers.BooleanField(help_text="Plain text, in which nothing is tracked.")
    weekdays = serializers.ListField(
        child=serializers.IntegerField(), help_text="Days it sends on: 0 is Monday, 6 is Sunday."
    )
    window_start = ClockShape()
    window_end = ClockShape(help_text="The same as the start means any hour.")
    timezone = serializers.CharField(help_text="For people whose own zone is not known.")
    tracks_opens = serializers.BooleanField(allow_null=True, help_text="Null follows the workspace.")
    tracks_clicks = serializers.BooleanField(allow_null=True, help_text="Null follows the workspace.")
    created_at = serializers.DateTimeField()
    launched_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class CampaignChange(Strict):
    """What is to change; the rules are those of the settings' page. What is left out stays."""

    name = Line(max_length=120, required=False)
    mailbox = Name(max_length=36, required=False, allow_null=True, help_text="Fixed once it was queued.")
    weekdays = serializers.ListField(
        child=Whole(min_value=0, max_value=6), required=False, min_length=1, max_length=7
    )
    window_start = ClockField(required=False)
    window_end = ClockField(required=False)
    timezone = Line(max_length=64, required=False)
    tracks_opens = Flag(required=False, allow_null=True)
    tracks_clicks = Flag(required=False, allow_null=True)


class CampaignDraft(CampaignChange):
    """A campaign to make: a draft with an empty first step."""

    name = Line(max_length=120)
    project = Name(max_length=36)
    text_only = Flag(required=False)


@extend_schema_serializer(component_name="Step")
class StepShape(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    subject = serializers.CharField(allow_blank=True, help_text="Of the first mail; follow-ups take it over.")
    body = serializers.CharField(allow_blank=True, help_text="Liquid, as HTML or as plain text.")
    wait_days = serializers.IntegerField(help_text="Days behind the step before; 0 for the first.")


class StepDraft(Strict):
    subject = Line(max_length=MOST_SUBJECT, required=False, allow_blank=True)
    body = Line(max_length=MOST_TEXT, trim_whitespace=False, help_text="HTML is cleaned.")
    wait_days = Whole(min_value=1, max_value=60, required=False, help_text="4, where nothing is said.")


@extend_schema_serializer(component_name="Enrollment")
class EnrollmentShape(serializers.Serializer[Any]):
    """A contact in a campaign."""

    id = serializers.UUIDField()
    contact = serializers.UUIDField(source="contact_id")
    state = serializers.ChoiceField(choices=EnrollmentState.choices)
    reason = serializers.CharField(allow_blank=True, help_text="A stable code: why it stopped or waits.")
    paused = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_paused(self, row: Any) -> bool:
        return row.paused_at is not None


class PeopleDraft(Strict):
    contacts = serializers.ListField(
        child=Name(max_length=36), min_length=1, max_length=MOST_PEOPLE, help_text="Their ids."
    )


@extend_schema_serializer(component_name="Added")
class AddedShape(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    known = serializers.IntegerField(help_text="They were in it already.")
    held_back = serializers.IntegerField(help_text="Left out of a campaign that was queued before.")
    missing = serializers.ListField(
        child=serializers.UUIDField(), help_text="Ids that name no contact of this workspace."
    )


class HeldShape(serializers.Serializer[Any]):
    contact = serializers.UUIDField()
    code = serializers.CharField()
    sentence = serializers.CharField()


@extend_schema_serializer(component_name="Readiness")
class ReadinessShape(serializers.Serializer[Any]):
    """What the composer's checks say: `problems` stop the launch, `warnings` do not."""

    ready = serializers.IntegerField()
    held_back = serializers.IntegerField()
    people = HeldShape(many=True, help_text="The first 100 of those who are held back.")
    problems = ProblemLine(many=True)
    warnings = ProblemLine(many=True)


@extend_schema_serializer(component_name="Launched")
class LaunchShape(serializers.Serializer[Any]):
    queued = serializers.IntegerField(help_text="People whose first mail was planned by this request.")
    held_back = serializers.IntegerField(help_text="People who are left out; the page says why.")
    campaign = CampaignShape()


@extend_schema_serializer(component_name="Stopped")
class StoppedShape(serializers.Serializer[Any]):
    cancelled = serializers.IntegerField(help_text="Waiting mails that will not leave.")
    campaign = CampaignShape()
