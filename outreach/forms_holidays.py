"""Days for the calendar of holidays: typed or pasted, or those of a country."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts import clock
from accounts.models import User
from outreach import holidays
from outreach.holidays import Day, NotRead

YEARS_AHEAD = 5
MOST_TEXT = 20_000


class DaysForm(forms.Form):
    """One day a line."""

    days = forms.CharField(
        label="Days",
        max_length=MOST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "2026-12-25 Christmas Day"}),
        help_text="One a line: the date, then its name.",
        error_messages={"required": "Write at least one day."},
    )

    def clean_days(self) -> list[Day]:
        try:
            return holidays.read(self.cleaned_data["days"])
        except NotRead as no:
            raise ValidationError(str(no)) from no

    def save(self, *, actor: User) -> int:
        """How many are new. Raises NotRead."""
        return holidays.add(self.cleaned_data["days"], actor=actor)


class CountryForm(forms.Form):
    """What a whole country rests on in one year."""

    country = forms.ChoiceField(label="Country", help_text="Days of one region only are not among them.")
    year = forms.TypedChoiceField(label="Year", coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        this = clock.now().astimezone(dt.UTC).year
        years = [(str(year), str(year)) for year in range(this, this + YEARS_AHEAD)]
        for name, offered in (("country", holidays.choices()), ("year", years)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  (both are, above)
            field.choices = [("", "Choose"), *offered] if name == "country" else offered

    def save(self, *, actor: User) -> int:
        """How many are new. Raises NotRead."""
        country = self.cleaned_data["country"]
        days = holidays.days_of(country, self.cleaned_data["year"])
        return holidays.add(days, actor=actor, country=country)
