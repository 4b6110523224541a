"""Days on which nothing leaves."""

from __future__ import annotations

from django.db import models

from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody


class Holiday(WorkspaceModel):
    """A whole day by the clock of whoever gets the mail. `country` is "" where a person typed it in."""

    inventory = Kept(Data.CONTENT, "A day on which no campaign writes", "A person removes it")
    project_path = Everybody("one calendar for all projects: a workspace rests as a whole")

    date = models.DateField()
    name = models.CharField(max_length=80)
    country = models.CharField(max_length=2, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "date"], name="one_holiday_a_day")]

    def __str__(self) -> str:
        return self.name
