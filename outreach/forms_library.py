"""The form of a kept text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import strip_tags

from accounts.models import User
from outreach import library
from outreach.forms import LineField
from outreach.forms_campaigns import fitting_subject, refuse_too_long
from outreach.models import SavedText, TextUse


class TextForm(forms.Form):
    """A text, or with `is_snippet` a piece of one. `plain` says that the body comes as plain text."""

    name = LineField(max_length=library.MOST_NAME, label="Name")
    folder = LineField(
        max_length=library.MOST_FOLDER,
        required=False,
        label="Folder",
        help_text="A new name makes a new folder.",
        widget=forms.TextInput(attrs={"list": "folders", "autocomplete": "off"}),
    )
    use = forms.ChoiceField(choices=TextUse.choices, label="For")
    is_snippet = forms.BooleanField(
        required=False,
        label="As a snippet",
        help_text="A piece to put into other texts. The subject is not kept.",
    )
    plain = forms.BooleanField(required=False, widget=forms.HiddenInput)
    subject = LineField(required=False, label="Subject", strip=False)
    body = forms.CharField(
        strip=False,
        label="Text",
        widget=forms.Textarea(attrs={"rows": 18}),
        error_messages={"required": "There is no text yet."},
    )

    def __init__(self, *args: Any, row: SavedText | None = None, **kwargs: Any) -> None:
        kept = ("name", "folder", "use", "is_snippet", "subject", "body")
        initial = {name: getattr(row, name) for name in kept} if row else {"use": TextUse.OTHER}
        kwargs["initial"] = {**initial, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.row = row
        # A snippet stays one: steps and snippets are looked for in different places.
        self.fields["is_snippet"].disabled = row is not None

    def clean_subject(self) -> str:
        return fitting_subject(self.cleaned_data["subject"])

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        refuse_too_long(body)
        if not strip_tags(body).replace("&nbsp;", " ").strip():
            raise ValidationError("There is no text yet.")
        return body

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        name, folder = data.get("name"), data.get("folder", "")
        same = SavedText.objects.filter(name=name, folder=folder)
        if name and (same.exclude(pk=self.row.pk) if self.row else same).exists():
            where = f"in “{folder}”" if folder else "outside the folders"
            self.add_error("name", f"There is a text of this name {where}. Choose another.")
        return data

    def save(self, *, actor: User | None) -> SavedText:
        return library.save(self.row, **self.cleaned_data, actor=actor)
