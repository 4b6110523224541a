"""A campaign: what is written, in which steps, to whom, from which mailbox."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from mailbox.models import Mailbox
from outreach.models.contacts import Contact
from outreach.models.projects import Project


class CampaignKind(models.TextChoices):
    OUTREACH = "outreach", "Campaign"
    REMOVAL = "removal", "Removal requests"


class CampaignState(models.TextChoices):
    DRAFT = "draft", "Draft"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"


def every_day() -> list[int]:
    return [0, 1, 2, 3, 4, 5, 6]


def working_days() -> list[int]:
    return [0, 1, 2, 3, 4]


class Campaign(WorkspaceModel):
    """`weekdays` are 0 (Monday) to 6. `tracks_*` None follows the workspace (decisions 18).

    The removal campaign of a project (decisions 2) is a campaign of kind `removal`, one per project.
    """

    inventory = Kept(
        Data.CONTENT, "What is written, when, from which mailbox", "It or its project is deleted"
    )
    project_path = "project"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=CampaignKind.choices, default=CampaignKind.OUTREACH)
    mailbox = models.ForeignKey(Mailbox, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=9, choices=CampaignState.choices, default=CampaignState.DRAFT)
    pause_reason = models.CharField(max_length=60, blank=True)
    text_only = models.BooleanField(default=False)
    tracks_opens = models.BooleanField(null=True, blank=True)
    tracks_clicks = models.BooleanField(null=True, blank=True)
    window_start = models.TimeField(default=dt.time(9, 0))
    window_end = models.TimeField(default=dt.time(17, 45))
    weekdays = models.JSONField(default=working_days)
    timezone = models.CharField(max_length=64, default="UTC")
    observes_holidays = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    launched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                condition=models.Q(kind=CampaignKind.REMOVAL),
                name="one_removal_campaign_per_project",
            )
        ]
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="campaign_newest_first")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Still may send: running or paused."""
        return self.state in (CampaignState.RUNNING, CampaignState.PAUSED)

    @property
    def is_editable(self) -> bool:
        """Its text may be changed: while it runs, somebody would change what is being sent."""
        return self.state in (CampaignState.DRAFT, CampaignState.PAUSED)


MOST_STEPS = 10


class StepCondition(models.TextChoices):
    """On top of "no reply", which holds for every step. Never image loads: they prove nothing."""

    ALWAYS = "always", "Goes to everybody"
    CLICKED = "clicked", "Only who opened a link before"
    NOT_CLICKED = "not_clicked", "Only who opened no link before"


class Step(WorkspaceModel):
    """One mail of the sequence, as Liquid text: `body` is HTML, or plain text in a text-only campaign.

    Step 1 is the first mail; the others follow `wait_days` after the one before, in the same thread and under
    its subject, or with `new_thread` in one of their own. A "day" lasts settings.DAY_SECONDS; with
    `working_days` only those are counted on which the campaign writes. A campaign has up to MOST_STEPS.
    """

    inventory = Kept(Data.CONTENT, "The text of one mail of a campaign", "Its campaign is deleted")
    project_path = "campaign__project"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    subject = EncryptedTextField()
    body = EncryptedTextField()
    wait_days = models.PositiveSmallIntegerField(default=4)
    working_days = models.BooleanField(default=False)
    new_thread = models.BooleanField(default=False)
    condition = models.CharField(max_length=11, choices=StepCondition.choices, default=StepCondition.ALWAYS)

    class Meta(WorkspaceModel.Meta):
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "position"], name="one_step_per_position"),
            models.CheckConstraint(
                condition=models.Q(position__range=(1, MOST_STEPS)), name="at_most_ten_steps"
            ),
        ]

    @property
    def begins_thread(self) -> bool:
        """Whether it has a subject of its own and answers nothing."""
        return self.position == 1 or self.new_thread

    @property
    def wait_words(self) -> str:
        """How long it waits behind the step before, such as "3 working days"."""
        unit = "working day" if self.working_days else "day"
        return f"{self.wait_days} {unit}{'' if self.wait_days == 1 else 's'}"


class EnrollmentState(models.TextChoices):
    """Where a contact stands in a campaign; `held_back` is decided at launch (decisions 4)."""

    PLANNED = "planned", "Planned"
    HELD_BACK = "held_back", "Held back"
    RUNNING = "running", "Running"
    REPLIED = "replied", "Replied"
    BOUNCED = "bounced", "Bounced"
    SUPPRESSED = "suppressed", "Suppressed"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"


class Enrollment(WorkspaceModel):
    """A contact in a campaign. `reason` is a stable code that says why it stopped or waits."""

    inventory = Kept(
        Data.CONTENT, "Where a contact stands in a campaign", "Its campaign or contact is deleted"
    )
    project_path = "campaign__project"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="enrollments")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="enrollments")
    state = models.CharField(max_length=10, choices=EnrollmentState.choices, default=EnrollmentState.PLANNED)
    reason = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    stopped_at = models.DateTimeField(null=True)
    # An out-of-office moves the next step behind this time and stops nothing (F38).
    resumes_at = models.DateTimeField(null=True)
    # A mail came that may be the answer: nothing goes until a person decides (F37).
    answer_suspected_at = models.DateTimeField(null=True)
    # A person has paused this one; the campaign goes on with the others.
    paused_at = models.DateTimeField(null=True)
    # Where a person moved them (outreach/moving.py); kept for the sentence and for Undo.
    moved_to = models.ForeignKey(Campaign, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["campaign", "contact"], name="one_enrollment_per_contact")
        ]
        indexes = [models.Index(fields=["workspace", "campaign", "state"], name="enrollment_by_campaign")]
