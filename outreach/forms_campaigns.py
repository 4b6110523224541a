"""Forms of a campaign: what it is called and from where, when it may send, and the text of a step."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.viewpoint import sees_all_projects
from mailbox.models import Mailbox
from outreach import campaigns
from outreach.forms import NO_NEW_PROJECT, LineField, timezone_name
from outreach.models import Campaign, Message, Project

WEEKDAYS = [(0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun")]
FOLLOW = [("", "As the workspace does"), ("on", "On, where the law lets us"), ("off", "Off")]
# A mail of this size is a book; a pasted file belongs elsewhere.
MOST_TEXT = 50_000
MOST_SUBJECT = 250


if TYPE_CHECKING:
    MailboxField = forms.ModelChoiceField[Mailbox]
else:
    MailboxField = forms.ModelChoiceField


def fitting_subject(subject: str) -> str:
    """Trimmed. Raises ValidationError where it is longer than a mail takes."""
    if len(subject) > MOST_SUBJECT:
        raise ValidationError(f"A subject has at most {MOST_SUBJECT} characters; this has {len(subject):,}.")
    return subject.strip()


def refuse_too_long(body: str) -> None:
    """Raises ValidationError for a text that is longer than a mail takes."""
    if len(body) > MOST_TEXT:
        raise ValidationError(
            f"This text has {len(body):,} characters; a mail takes {MOST_TEXT:,}. It is not saved."
        )


class MailboxChoice(MailboxField):
    """Mailboxes that still exist for us; addresses are ciphertext and opened for the labels only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            None, **{"required": False, "label": "From", "empty_label": "Choose later", **kwargs}
        )

    def label_from_instance(self, obj: Mailbox) -> str:
        words = "" if obj.state in ("connected", "throttled") else ", needs reconnecting"
        return f"{obj.address} ({obj.get_provider_display()}{words})"


class CampaignForm(forms.Form):
    """A new campaign: a name, a project (or the name of a new one) and a mailbox."""

    name = LineField(max_length=120, label="Name")
    project: forms.ModelChoiceField[Project] = forms.ModelChoiceField(
        None,
        required=False,
        label="Project",
        empty_label="A new project",
    )
    new_project = LineField(
        max_length=120,
        required=False,
        label="Name of the new project",
        help_text="Only where no project is chosen.",
    )
    mailbox = MailboxChoice(help_text="Mails leave from this address, and answers come back to it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _rows_of(self, "project").queryset = Project.objects.order_by("name")
        _rows_of(self, "mailbox").queryset = Mailbox.objects.live().order_by("connected_at")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        new = data.get("new_project", "")
        if "project" in self.errors or "new_project" in self.errors or data.get("project"):
            return data
        if not sees_all_projects():
            self.add_error("project", NO_NEW_PROJECT)
        elif not new:
            self.add_error("new_project", "Choose a project, or name a new one.")
        elif Project.objects.filter(name=new).exists():
            self.add_error("new_project", "There is a project of this name: choose it above.")
        return data

    def save(self, *, actor: User) -> Campaign:
        """The draft with an empty first step."""
        data = self.cleaned_data
        with transaction.atomic():
            project = data["project"] or Project.objects.create(name=data["new_project"])
            return campaigns.create(
                name=data["name"],
                project=project,
                mailbox=data["mailbox"],
                timezone=self._zone(actor),
                actor=actor,
            )

    def _zone(self, actor: User) -> str:
        """The browser's, else that of the person's last campaign, else UTC; a wrong name is not theirs."""
        named = str(self.data.get("timezone", ""))
        if named in zoneinfo.available_timezones():
            return named
        last = Campaign.objects.filter(created_by=actor).order_by("-created_at", "-id").first()
        return last.timezone if last is not None else "UTC"


class SettingsForm(forms.Form):
    """When a campaign may send and what it counts; the same start and end mean any hour."""

    name = LineField(max_length=120, label="Name")
    mailbox = MailboxChoice(help_text="Mails leave from this address, and answers come back to it.")
    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS,
        coerce=int,
        label="Days",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one day."},
    )
    window_start = forms.TimeField(
        label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    window_end = forms.TimeField(
        label="Until",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="The same time twice means any hour.",
    )
    timezone = LineField(
        max_length=64,
        label="Time zone",
        validators=[timezone_name],
        help_text="For people whose own zone is not known.",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    tracks_clicks = forms.ChoiceField(choices=FOLLOW, required=False, label="Count link clicks")
    tracks_opens = forms.ChoiceField(
        choices=FOLLOW,
        required=False,
        label="Count image loads",
        help_text="An image load says little: mail proxies fetch images by themselves.",
    )

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        initial = {
            **{name: getattr(campaign, name) for name in _PLAIN},
            "mailbox": campaign.mailbox_id,
            "tracks_opens": _word(campaign.tracks_opens),
            "tracks_clicks": _word(campaign.tracks_clicks),
        }
        super().__init__(*args, **{"initial": initial, **kwargs})
        self.campaign = campaign
        _rows_of(self, "mailbox").queryset = Mailbox.objects.live().order_by("connected_at")
        if not campaign.launched_at:
            return
        # Threads live in the mailbox that began them; another one could not answer in them.
        self.fields["mailbox"].disabled = True
        self.fields[
            "mailbox"
        ].help_text = "Stays, because threads began in it. Duplicate to send from another."

    def save(self, *, actor: User | None) -> Campaign:
        row, data = self.campaign, self.cleaned_data
        for name in _PLAIN:
            setattr(row, name, data[name])
        row.mailbox = data["mailbox"]
        row.tracks_opens, row.tracks_clicks = _flag(data["tracks_opens"]), _flag(data["tracks_clicks"])
        with transaction.atomic():
            # Named columns only: a pause that came in between must not be written over.
            row.save(update_fields=[*_PLAIN, "mailbox", "tracks_opens", "tracks_clicks"])
            Message.objects.filter(campaign=row).ask_again("window")
            audit.record("campaign.changed", f"Settings of {row.name} changed", actor=actor, object_id=row.pk)
        return row


_PLAIN = ["name", "weekdays", "window_start", "window_end", "timezone"]


# How a choice that may follow the workspace stands in the form.
FLAG_WORDS = {None: "", True: "on", False: "off"}


def _word(flag: bool | None) -> str:
    return FLAG_WORDS[flag]


def _flag(word: str) -> bool | None:
    return {"on": True, "off": False}.get(word)


class StepForm(forms.Form):
    """The text of one step as Liquid. Too long a paste is refused beside the field and kept in it."""

    subject = LineField(required=False, label="Subject", strip=False)
    body = forms.CharField(
        required=False, strip=False, label="Text", widget=forms.Textarea(attrs={"rows": 18})
    )
    wait_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=60,
        label="Days to wait",
        error_messages={"min_value": "At least 1 day.", "max_value": "At most 60 days."},
    )

    def clean_subject(self) -> str:
        return fitting_subject(self.cleaned_data["subject"])

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"].replace("\r\n", "\n").replace("\x00", "")
        refuse_too_long(body)
        return body

    def clean_wait_days(self) -> int:
        return self.cleaned_data["wait_days"] or 4


def _rows_of(form: forms.Form, name: str) -> forms.ModelChoiceField[Any]:
    return cast("forms.ModelChoiceField[Any]", form.fields[name])
