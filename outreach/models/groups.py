"""Tags and lists: names under which people stand together."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.clock import Now
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceManager, WorkspaceModel, WorkspaceQuerySet, uuid7
from accounts.viewpoint import Everybody
from outreach.models.contacts import Contact

_BOOK = "one book of sites and people for all projects, with its tags and lists"
LONGEST_NAME = 60


class GroupKind(models.TextChoices):
    TAG = "tag", "Tag"
    LIST = "list", "List"


class Group(WorkspaceModel):
    """A tag says what somebody is, a list says who belongs to a piece of work; both are a name and people."""

    inventory = Kept(Data.CONTENT, "A tag or a list of people, by its name", "A person deletes it")
    project_path = Everybody(_BOOK)

    kind = models.CharField(max_length=4, choices=GroupKind.choices)
    name = models.CharField(max_length=LONGEST_NAME)
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(F("workspace"), F("kind"), Lower("name"), name="one_group_per_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def word(self) -> str:
        """What a sentence calls it: tag “Huts”."""
        return f"{self.kind} “{self.name}”"

    @property
    def title(self) -> str:
        """The same where a sentence begins."""
        return f"{GroupKind(self.kind).label} “{self.name}”"


class GroupingQuerySet(WorkspaceQuerySet["Grouping"]):
    def standing(self) -> GroupingQuerySet:
        return self.filter(is_in=True)


GroupingManager = WorkspaceManager.from_queryset(GroupingQuerySet)


class Grouping(WorkspaceModel):
    """A person in a tag or a list. One that was taken out stays for a day, so that it can be undone.

    `act` is minted with each act that puts people in or takes them out: undoing it turns its rows round. That
    of an import is the import's own id.
    """

    inventory = Kept(
        Data.CONTENT, "Which people bear a tag or stand in a list", "A day after they are taken out"
    )
    project_path = Everybody(_BOOK)

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="groupings", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="groupings")
    act = models.UUIDField(default=uuid7)
    is_in = models.BooleanField(default=True, db_default=True)
    at = models.DateTimeField(db_default=Now())

    objects = GroupingManager()  # type: ignore[misc]

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["group", "contact"], name="once_in_a_group"),
        ]
        indexes = [
            models.Index(fields=["workspace", "act"], name="grouping_by_act"),
            models.Index(fields=["workspace", "at"], condition=Q(is_in=False), name="grouping_taken_out"),
        ]
