"""Naming a tag or a list: one that there is, or a new one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import User
from outreach import groups
from outreach.forms import LineField
from outreach.models import Group, GroupKind
from outreach.models.groups import LONGEST_NAME

# So many names are offered; others are found by typing them.
MOST_OFFERED = 200


class GroupForm(forms.Form):
    """`kind` and `name`; with `required` False both may be left out."""

    kind = forms.ChoiceField(choices=GroupKind.choices, label="Kind", initial=GroupKind.TAG)
    name = LineField(
        max_length=LONGEST_NAME,
        label="Name",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give it a name."},
    )

    def __init__(self, *args: Any, required: bool = True, row: Group | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "group_%s", **kwargs})
        self.row = row
        if row is not None:
            del self.fields["kind"]
            self.fields["name"].initial = row.name
        if not required:
            self.fields["name"].required = self.fields["kind"].required = False

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.strip():
            return ""
        try:
            return groups.clean_name(name)
        except groups.BadName as bad:
            raise ValidationError(str(bad)) from bad

    def find_or_make(self, *, actor: User | None) -> Group | None:
        """None where nothing was named."""
        kind, name = self.cleaned_data["kind"] or GroupKind.TAG, self.cleaned_data["name"]
        return groups.find_or_make(kind, name, actor=actor) if name else None


def names_of_groups() -> list[str]:
    """What the field offers, each name once."""
    names = groups.by_name().values_list("name", flat=True)[:MOST_OFFERED]
    return list(dict.fromkeys(names))
