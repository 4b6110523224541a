"""Forms of API keys: a new one, and how long the old one of two goes on."""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid

from django import forms

from accounts.forms import refuse_control_characters
from accounts.keys import Scope

MOST_NETWORKS = 20
DAYS = {"30": "30 days", "90": "90 days", "365": "One year", "0": "Never"}
HOURS = {"0": "At once", "1": "In one hour", "24": "In 24 hours", "168": "In 7 days"}


class Minting(forms.Form):
    """`mint` is the new key's id, made with the page: a form that is sent twice makes one key."""

    mint = forms.UUIDField(widget=forms.HiddenInput)

    @property
    def pk(self) -> uuid.UUID:
        found: uuid.UUID = self.cleaned_data["mint"]
        return found


class KeyForm(Minting):
    name = forms.CharField(
        max_length=80, label="Name", help_text="What uses it, such as “CRM import”. It stands in the log."
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, label="What it may do"
    )
    days = forms.ChoiceField(choices=list(DAYS.items()), label="Runs out", initial="90")
    networks = forms.CharField(
        required=False,
        max_length=1000,
        label="From these networks only",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One a line, such as 203.0.113.0/24. Left empty, it works from everywhere.",
    )

    def clean_name(self) -> str:
        return refuse_control_characters(self.cleaned_data["name"])

    def clean_networks(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["networks"].splitlines() if line.strip()]
        if len(lines) > MOST_NETWORKS:
            raise forms.ValidationError(f"At most {MOST_NETWORKS} networks.")
        return [_network(line) for line in lines]

    @property
    def lasts(self) -> dt.timedelta | None:
        days = int(self.cleaned_data["days"])
        return dt.timedelta(days=days) if days else None


class RotateForm(Minting):
    hours = forms.ChoiceField(choices=list(HOURS.items()), initial="24", label="The old one stops")

    @property
    def overlap(self) -> dt.timedelta:
        return dt.timedelta(hours=int(self.cleaned_data["hours"]))


def _network(line: str) -> str:
    try:
        found = ipaddress.ip_network(line, strict=False)
    except ValueError as error:
        raise forms.ValidationError(f"“{line[:60]}” is no network. 203.0.113.0/24 would be one.") from error
    return str(found)
