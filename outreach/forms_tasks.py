"""The form of a task."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Membership, User
from outreach import stages, to_do
from outreach.forms import LineField
from outreach.models import Card, Task, TaskKind


class TaskForm(forms.Form):
    title = LineField(max_length=to_do.MOST_TITLE, label="What is to do")
    kind = forms.ChoiceField(choices=TaskKind.choices, label="Kind")
    due = forms.DateField(label="Due", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    assignee = forms.ChoiceField(required=False, label="Who does it")

    def __init__(self, *args: Any, card: Card, me: Membership, **kwargs: Any) -> None:
        initial = {"due": to_do.today(), "assignee": str(me.pk), "kind": TaskKind.CALL}
        super().__init__(*args, **{"initial": initial, **kwargs})
        self.card = card
        # Who may work in the project: an id of anybody else is no choice, as one that is gone.
        self.members = {str(row.pk): row for row in stages.assignable(card.project_id)}
        names = [(pk, row.user.name or row.user.email) for pk, row in self.members.items()]
        cast("forms.ChoiceField", self.fields["assignee"]).choices = [("", "Nobody yet"), *names]

    def clean_due(self) -> dt.date:
        day: dt.date = self.cleaned_data["due"]
        if day < to_do.today():
            raise ValidationError("That day is over. Choose today or a later one.")
        if day - to_do.today() > to_do.MOST_AHEAD:
            raise ValidationError("Choose a day within a year.")
        return day

    def save(self, *, actor: User) -> Task:
        data = self.cleaned_data
        return to_do.add(
            self.card,
            data["title"],
            kind=TaskKind(data["kind"]),
            due=data["due"],
            assignee=self.members.get(data["assignee"]),
            actor=actor,
        )
