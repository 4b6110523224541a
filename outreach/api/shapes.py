"""What the API gives and takes: every field is named here, and no other is read or written (threats T4)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.keys import Scope
from accounts.models import KeyKind, Role
from mailbox.models import MailboxState, Provider
from outreach.ledger import Answer
from outreach.models import Basis, Consent, MessageKind, MessageState, TextUse

CREDENTIALS = [*KeyKind.choices, ("session", "Browser session")]


class Line(serializers.CharField):
    """Text, and nothing that would have to be turned into text first."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            data.encode()
        except UnicodeEncodeError:
            self.fail("invalid")
        return str(super().to_internal_value(data))


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class Address(Line):
    """One address; `outreach.contacts` says what is wrong with it."""


class Choice(serializers.ChoiceField):
    """One of the values as it stands, not whatever reads like one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=str(data)[:40])
        return str(super().to_internal_value(data))


class Flag(serializers.BooleanField):
    """True or false, and no word for them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:40])
        return data


class Strict(serializers.Serializer[Any]):
    """Refuses what it does not know: a field that is not declared is a mistake, never a surprise."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(str(name)[:60] for name in data if name not in self.fields)
            if unknown:
                raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return super().to_internal_value(data)


@extend_schema_serializer(component_name="Workspace")
class WorkspaceShape(serializers.Serializer[Any]):
    sid = serializers.CharField(help_text="Its public id, WS and 32 hexadecimal digits.")
    name = serializers.CharField()
    created_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="Person")
class PersonShape(serializers.Serializer[Any]):
    sid = serializers.CharField(help_text="The person's public id, US and 32 hexadecimal digits.")
    name = serializers.CharField()
    email = serializers.CharField()


@extend_schema_serializer(component_name="Me")
class MeShape(serializers.Serializer[Any]):
    """The credential of this request."""

    credential = serializers.ChoiceField(choices=CREDENTIALS)
    name = serializers.CharField(allow_null=True, help_text="The key's name.")
    prefix = serializers.CharField(allow_null=True, help_text="The part of the key that may be shown.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    expires_at = serializers.DateTimeField(allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True)
    person = PersonShape(allow_null=True)
    workspace = WorkspaceShape()


@extend_schema_serializer(component_name="Project")
class ProjectShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    website = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="Contact")
class ContactShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    address = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    first_name = serializers.CharField(allow_blank=True)
    company = serializers.CharField(allow_blank=True)
    website = serializers.CharField(source="site.domain", default=None, allow_null=True)
    country = serializers.CharField(allow_blank=True)
    timezone = serializers.CharField(allow_blank=True)
    basis = serializers.ChoiceField(choices=Basis.choices)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    tracking_consent = serializers.ChoiceField(choices=Consent.choices)
    # DRF keeps the name `fields` for itself.
    custom_fields = serializers.DictField(child=serializers.CharField(allow_blank=True), source="fields")


class ContactDraft(Strict):
    """A person to add. The rules are those of the page's form."""

    address = Address(max_length=254)
    name = Line(max_length=160, allow_blank=True, required=False)
    first_name = Line(max_length=80, allow_blank=True, required=False)
    company = Line(max_length=160, allow_blank=True, required=False)
    website = Line(max_length=253, allow_blank=True, required=False)
    country = Line(max_length=2, allow_blank=True, required=False, help_text="Two letters, such as DE.")
    timezone = Line(max_length=64, allow_blank=True, required=False)
    basis = Choice(choices=Basis.choices, default=Basis.LEGITIMATE)
    source = Line(max_length=200, allow_blank=True, required=False)  # type: ignore[assignment]
    tracking_consent = Choice(choices=Consent.choices, default=Consent.UNKNOWN)
    custom_fields = serializers.DictField(
        child=Line(max_length=2000, allow_blank=True), source="fields", required=False
    )


@extend_schema_serializer(component_name="Mailbox")
class MailboxShape(serializers.Serializer[Any]):
    """A connected mailbox, without anything of its access."""

    id = serializers.UUIDField()
    address = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True, allow_null=True)
    provider = serializers.ChoiceField(choices=Provider.choices)
    state = serializers.ChoiceField(choices=MailboxState.choices)
    daily_cap = serializers.IntegerField()
    connected_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="Text")
class TextShape(serializers.Serializer[Any]):
    """A text of the library, or a snippet: a piece to put into others, without a subject."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    folder = serializers.CharField(allow_blank=True)
    use = serializers.ChoiceField(choices=TextUse.choices)
    is_snippet = serializers.BooleanField()
    subject = serializers.CharField(allow_blank=True)
    body = serializers.CharField(help_text="HTML with Liquid fields.")
    updated_at = serializers.DateTimeField()


class TextChange(Strict):
    """What is to change; the rules are those of the page's form."""

    name = Line(max_length=120, required=False)
    folder = Line(max_length=60, allow_blank=True, required=False)
    use = Choice(choices=TextUse.choices, required=False)
    subject = Line(max_length=250, allow_blank=True, required=False)
    body = Line(max_length=50_000, required=False, help_text="HTML with Liquid fields.")


class TextDraft(TextChange):
    """A text to keep."""

    name = Line(max_length=120)
    body = Line(max_length=50_000, help_text="HTML with Liquid fields.")
    is_snippet = Flag(required=False, help_text="A piece without a subject. It stays what it is.")


class NothingDraft(Strict):
    """No fields: the body may be left out."""


@extend_schema_serializer(component_name="Message")
class MessageShape(serializers.Serializer[Any]):
    """One intended mail, and why it has not gone, as of the last time that somebody asked."""

    id = serializers.UUIDField(source="row.pk")
    kind = serializers.ChoiceField(choices=MessageKind.choices, source="row.kind")
    step = serializers.IntegerField(
        source="row.step.position",
        default=None,
        allow_null=True,
        help_text="From 1 on; null outside a sequence.",
    )
    contact = serializers.UUIDField(source="row.contact_id", allow_null=True)
    state = serializers.ChoiceField(choices=MessageState.choices, source="row.state")
    code = serializers.CharField(
        source="told.code", allow_blank=True, help_text="Why: a stable code, or the provider’s own."
    )
    gate = serializers.CharField(
        source="told.gate", allow_blank=True, help_text="The gate that decides, G1 to G15; empty for none."
    )
    sentence = serializers.CharField(source="told.sentence", allow_blank=True)
    next_try_at = serializers.DateTimeField(
        source="told.next_try", allow_null=True, help_text="Null: not again, or not before somebody acts."
    )


@extend_schema_serializer(component_name="Gate")
class GateShape(serializers.Serializer[Any]):
    gate = serializers.CharField(help_text="G1 to G15.")
    rule = serializers.CharField(help_text="What has to be so for the mail to go.")
    answer = serializers.ChoiceField(
        choices=[answer.value for answer in Answer],
        help_text="`later`: it looks at the text, which is not fixed yet.",
    )
    code = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True)
    until = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="Why")
class WhyShape(serializers.Serializer[Any]):
    """Every gate of a mail that waits, asked at this moment; none for one that has gone or ended."""

    message = MessageShape()
    gates = GateShape(many=True)


class ProblemLine(serializers.Serializer[Any]):
    field = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457. `code` is stable; `detail` is a sentence for a person."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = ProblemLine(many=True, required=False)  # type: ignore[assignment]
