"""What a person has to do about a card, by a day: a call, a message elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.models import Membership
from accounts.tenancy import WorkspaceManager, WorkspaceModel, WorkspaceQuerySet
from outreach.models.boards import Card


class TaskKind(models.TextChoices):
    CALL = "call", "Call"
    LINKEDIN = "linkedin", "LinkedIn"
    OTHER = "other", "Other"


class TaskQuerySet(WorkspaceQuerySet["Task"]):
    def open(self) -> TaskQuerySet:
        """Not done, the most urgent first; by the index `task_due`."""
        return self.filter(done_at__isnull=True).order_by("due", "id")


TaskManager = WorkspaceManager.from_queryset(TaskQuerySet)


class Task(WorkspaceModel):
    """`due` is a day and no time: people plan their day themselves. No assignee: anybody's."""

    inventory = Kept(Data.CONTENT, "What a person has to do about a card", "Its card is deleted")
    project_path = "card__project"

    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="tasks")
    title = EncryptedTextField()
    kind = models.CharField(max_length=8, choices=TaskKind.choices, default=TaskKind.CALL)
    due = models.DateField()
    assignee = models.ForeignKey(
        Membership, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    objects = TaskManager()  # type: ignore[misc]

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(
                fields=["workspace", "due", "id"], name="task_due", condition=Q(done_at__isnull=True)
            ),
            models.Index(
                fields=["assignee", "due", "id"], name="task_of_assignee", condition=Q(done_at__isnull=True)
            ),
        ]
