"""A project's board: one card per site that is worked for, and the history of its moves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.clock import Now
from accounts.inventory import Data, Kept
from accounts.models import Membership
from accounts.tenancy import WorkspaceModel
from outreach.models.contacts import Contact, Site
from outreach.models.projects import Project


class Stage(models.TextChoices):
    """How far a card has come. Stages, not states (decisions 19)."""

    PROSPECT = "prospect", "Prospect"
    CONTACTED = "contacted", "Contacted"
    REPLIED = "replied", "Replied"
    AGREED = "agreed", "Agreed"
    WON = "won", "Won"
    LOST = "lost", "Lost"


class Cause(models.TextChoices):
    """Why a card moved: a person, or one of the facts of migration 0034."""

    BY_HAND = "by_hand", "Moved by hand"
    ENROLLED = "enrolled", "Put into a campaign"
    FIRST_MAIL = "first_mail", "The first mail was accepted"
    REPLY = "reply", "A person replied"
    LABEL_PLACED = "label_placed", "A reply was labelled “Link placed”"
    LABEL_DECLINED = "label_declined", "A reply was labelled “Declined”"
    LABEL_BACK = "label_back", "That label was taken back"


class Card(WorkspaceModel):
    """A site in a project, whoever is written to there; a person at a free-mail host stands for themselves.

    The database itself makes and moves it by facts (migration 0034), a person by `outreach.stages`.
    """

    inventory = Kept(Data.CONTENT, "How far a site has come in a project", "Its project or person is deleted")
    project_path = "project"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="cards", db_index=False)
    site = models.ForeignKey(Site, null=True, on_delete=models.CASCADE, related_name="cards")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.CASCADE, related_name="cards")
    stage = models.CharField(max_length=9, choices=Stage.choices, default=Stage.PROSPECT)
    stage_at = models.DateTimeField(db_default=Now())
    assignee = models.ForeignKey(
        Membership, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["project", "site"], name="one_card_per_site"),
            models.UniqueConstraint(fields=["project", "contact"], name="one_card_per_person"),
            models.CheckConstraint(
                condition=Q(site__isnull=False, contact__isnull=True)
                | Q(site__isnull=True, contact__isnull=False),
                name="card_of_a_site_or_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "stage", "-stage_at", "-id"], name="card_by_stage"),
            models.Index(
                fields=["assignee", "project", "stage", "-stage_at", "-id"],
                name="card_of_assignee",
                condition=Q(assignee__isnull=False),
            ),
        ]

    @property
    def title(self) -> str:
        """What the board calls it."""
        return self.site.domain if self.site else (self.contact.greeting if self.contact else "")


class StageMove(WorkspaceModel):
    """One move of a card: from where ("" where it was made), to where, when, why, by whom.

    `number` counts a card's moves: times alone do not order what one transaction did.
    """

    inventory = Kept(Data.CONTENT, "Who moved a card when, and why", "Its card is deleted")
    project_path = "card__project"

    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="moves", db_index=False)
    number = models.PositiveIntegerField()
    from_stage = models.CharField(max_length=9, choices=Stage.choices, blank=True)
    to_stage = models.CharField(max_length=9, choices=Stage.choices)
    cause = models.CharField(max_length=14, choices=Cause.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["card", "number"], name="one_move_per_number")]
