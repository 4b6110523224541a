"""Forms of projects, contacts, campaigns and suppressions: one line of text stays one line."""

from __future__ import annotations

import re
import zoneinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.viewpoint import sees_all_projects, whole_workspace
from outreach.contacts import BadContact, clean_address
from outreach.models import Basis, Consent, Project

CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


def one_line(value: str) -> None:
    """A line break in a name or a subject would become a header of its own (threats T19)."""
    if CONTROL.search(value):
        raise ValidationError("Line breaks and control characters cannot stand here.")


class LineField(forms.CharField):
    """One line of text. Unlike CharField it refuses a line break and does not fold it away."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(one_line)


NO_NEW_PROJECT = "You see some of the projects here. Somebody who sees every project can make a new one."


class ProjectForm(forms.Form):
    name = LineField(max_length=120, label="Name")
    website = LineField(
        max_length=253,
        required=False,
        label="Website",
        help_text="The domain the work is for, such as fernhill.example. Removal work needs it.",
    )

    def __init__(self, *args: Any, project: Project | None = None, **kwargs: Any) -> None:
        initial = {"name": project.name, "website": project.website} if project else {}
        super().__init__(*args, **{"initial": initial, **kwargs})
        self.project = project

    def save(self) -> Project:
        row = self.project or Project()
        row.name, row.website = self.cleaned_data["name"], self.cleaned_data["website"]
        row.save()
        return row

    def clean(self) -> dict[str, Any]:
        if self.project is None and not sees_all_projects():
            raise ValidationError(NO_NEW_PROJECT)
        return super().clean() or {}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        with whole_workspace("a name is taken whoever sees the project"):
            taken = Project.objects.filter(name=name)
        if (taken.exclude(pk=self.project.pk) if self.project else taken).exists():
            raise ValidationError("There is a project of this name. Choose another.")
        return name

    def clean_website(self) -> str:
        website: str = self.cleaned_data["website"]
        bare = re.sub(r"^[a-z]+://", "", website.strip().lower()).split("/")[0]
        if bare and not re.fullmatch(r"([\w-]+\.)+[\w-]{2,}", bare):
            raise ValidationError("This does not look like a domain. fernhill.example would.")
        return bare


class AddressField(LineField):
    """One address; `outreach.contacts` says what is wrong with it when it is saved."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "max_length": 254,
                "label": "Address",
                "widget": forms.TextInput(
                    attrs={"inputmode": "email", "autocomplete": "off", "spellcheck": "false"}
                ),
                **kwargs,
            }
        )

    def clean(self, value: Any) -> str:
        address = str(super().clean(value) or "")
        if not address:
            return ""
        if len(re.split(r"[,;]\s*|\s+", address.strip())) > 1:
            raise ValidationError("One address only. This looks like two.")
        return address


FIELD_LINE = re.compile(r"^\s*([^:=]{1,60}?)\s*[:=]\s*(.*)$")


class CustomFieldsField(forms.CharField):
    """Custom merge fields as lines of `name: value`; cleaned to a dictionary with plain names."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "required": False,
                "max_length": 8000,
                "label": "Fields of your own",
                "help_text": "One a line, as “topic: winter closures”. In a mail it stands as {{ topic }}.",
                "widget": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
                **kwargs,
            }
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else value

    def clean(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for number, line in enumerate(str(super().clean(value) or "").splitlines(), start=1):
            if not line.strip():
                continue
            match = FIELD_LINE.match(line)
            name = re.sub(r"\W+", "_", match[1].strip().lower()).strip("_") if match else ""
            if match is None or not re.fullmatch(r"[a-z_]\w*", name, re.ASCII):
                raise ValidationError(f"Line {number} is not of the form “name: value”: {line[:60]}")
            one_line(match[2])
            found[name] = match[2].strip()
        return found


def timezone_name(value: str) -> None:
    if value and value not in zoneinfo.available_timezones():
        raise ValidationError("This is not a time zone that we know. Europe/Berlin would be one.")


class ContactForm(forms.Form):
    """A person. Names and addresses are one line each: they become headers of a mail."""

    address = AddressField()
    name = LineField(max_length=160, required=False, label="Name")
    first_name = LineField(
        max_length=80, required=False, label="First name", help_text="Left empty, it is taken from the name."
    )
    company = LineField(max_length=160, required=False, label="Company")
    website = LineField(
        max_length=253, required=False, label="Site", help_text="Left empty, it is the domain of the address."
    )
    country = LineField(
        max_length=2,
        required=False,
        label="Country",
        help_text="Two letters, such as DE. Decides what may be counted and when it is day there.",
    )
    timezone = LineField(max_length=64, required=False, label="Time zone", validators=[timezone_name])
    basis = forms.ChoiceField(choices=Basis.choices, label="Why may you write to them?")
    source = LineField(
        max_length=200,
        required=False,
        label="Where is the address from?",
        help_text="Shown to the person: “You get this because …”.",
    )
    tracking_consent = forms.ChoiceField(choices=Consent.choices, label="Counting opens and clicks")
    fields_text = CustomFieldsField()

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if country and not re.fullmatch("[A-Z]{2}", country):
            raise ValidationError("A country is two letters, such as DE or US.")
        return country

    def clean_website(self) -> str:
        site: str = self.cleaned_data["website"].strip().lower()
        bare = re.sub(r"^[a-z]+://", "", site).split("/")[0]
        if bare and not re.fullmatch(r"([\w-]+\.)+[\w-]{2,}", bare):
            raise ValidationError("This does not look like a domain. fernhill.example would.")
        return bare


class SuppressionForm(forms.Form):
    value = LineField(
        max_length=254,
        label="Address or domain",
        help_text="anselm@ridgewalkers.example, or ridgewalkers.example for everybody there.",
    )
    note = forms.CharField(
        max_length=500,
        required=False,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why. Only people of this workspace see it.",
    )

    def clean(self) -> dict[str, Any]:
        """Sets `scope` by the shape of the value, and refuses what is neither."""
        data = super().clean() or {}
        value = str(data.get("value", "")).strip().lower().removeprefix("@")
        if not value or "value" in self.errors:
            return data
        if "@" in value:
            try:
                data["value"], data["scope"] = clean_address(value), "address"
            except BadContact as bad:
                self.add_error("value", str(bad))
        elif re.fullmatch(r"([\w-]+\.)+[\w-]{2,}", value):
            data["value"], data["scope"] = value, "domain"
        else:
            self.add_error("value", "This is neither an address nor a domain.")
        return data
