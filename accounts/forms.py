"""What a person fills in: the sign-up's own fields, settings, a new workspace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest

from accounts.models import User, Workspace

if TYPE_CHECKING:
    WorkspaceModelForm = forms.ModelForm[Workspace]
    UserModelForm = forms.ModelForm[User]
else:
    WorkspaceModelForm = UserModelForm = forms.ModelForm

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def refuse_control_characters(value: str) -> str:
    """One line of text: a line break in it would become a header of its own (threats T19)."""
    if CONTROL.search(value):
        raise forms.ValidationError("Line breaks and control characters cannot stand here.")
    return value


class SignupForm(forms.Form):
    """The fields sign-up asks beside email and password (promises 17)."""

    name = forms.CharField(
        max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}), label="Your name"
    )
    company = forms.CharField(
        max_length=120,
        required=False,
        label="Company",
        help_text="Your first workspace gets this name.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    def clean_name(self) -> str:
        return refuse_control_characters(self.cleaned_data["name"])

    def clean_company(self) -> str:
        return refuse_control_characters(self.cleaned_data["company"])

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.company = self.cleaned_data["company"]
        user.save(update_fields=["name", "company"])


class WorkspaceForm(WorkspaceModelForm):
    class Meta:
        model = Workspace
        fields = [
            "name",
            "postal_address",
            "cool_down_days",
            "tracks_opens",
            "tracks_clicks",
            "single_keys",
        ]
        labels = {
            "postal_address": "Postal address",
            "cool_down_days": "Days between campaigns",
            "tracks_opens": "Count image loads outside the EU, UK and Switzerland",
            "tracks_clicks": "Count link clicks outside the EU, UK and Switzerland",
            "single_keys": "Single keys (J, K, P …) work on lists",
        }
        help_texts = {
            "postal_address": "Stands at the foot of every outreach mail. Mails do not leave without it.",
            "cool_down_days": "So long no second campaign writes to somebody. 0 is off.",
            "tracks_opens": "An image load says little: mail proxies fetch images by themselves.",
        }

    def clean_name(self) -> str:
        return refuse_control_characters(self.cleaned_data["name"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cool_down_days"].required = False

    def clean_postal_address(self) -> str:
        return refuse_control_characters(self.cleaned_data["postal_address"])

    def clean_cool_down_days(self) -> int:
        """What it was, where the field was left empty."""
        given = self.cleaned_data["cool_down_days"]
        return self.instance.cool_down_days if given is None else given


class NewWorkspaceForm(forms.Form):
    name = forms.CharField(max_length=80, label="Workspace name")

    def clean_name(self) -> str:
        return refuse_control_characters(self.cleaned_data["name"])


class ProfileForm(UserModelForm):
    class Meta:
        model = User
        fields = ["name", "company"]

    def clean_name(self) -> str:
        return refuse_control_characters(self.cleaned_data["name"])

    def clean_company(self) -> str:
        return refuse_control_characters(self.cleaned_data["company"])
