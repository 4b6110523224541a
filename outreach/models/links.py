"""Backlinks of a project, and the case with each site that holds some."""

from __future__ import annotations

import hashlib

from django.db import models

from accounts.clock import Now
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from outreach.models.campaigns import Enrollment
from outreach.models.contacts import Contact, Site
from outreach.models.projects import Project


class Verdict(models.TextChoices):
    UNDECIDED = "undecided", "Undecided"
    KEEP = "keep", "Keep"
    REMOVE = "remove", "Ask to remove"
    DISAVOW = "disavow", "Disavow"


class CaseState(models.TextChoices):
    """decisions 19: case open; your move; all links gone; given up."""

    OPEN = "open", "Ask to remove"
    YOUR_TURN = "your_turn", "Your turn"
    GONE = "gone", "Gone"
    GIVEN_UP = "given_up", "Disavow"


class LinkState(models.TextChoices):
    """A person's word or our own look; "says it is removed" is a claim and stays one."""

    NOT_CHECKED = "not_checked", "Not checked yet"
    LIVE = "live", "Live"
    NOFOLLOW = "nofollow", "Live, nofollow"
    SAYS_REMOVED = "says_removed", "Says it is removed"
    GONE = "gone", "Gone"
    PAGE_GONE = "page_gone", "Page gone (404)"
    COULD_NOT_CHECK = "could_not_check", "Could not check"


class RemovalCase(WorkspaceModel):
    """One site in one project: the verdict, who is asked, and the enrollment that asks (decisions 2)."""

    inventory = Kept(Data.CONTENT, "What is asked of one site", "Its project is deleted")
    project_path = "project"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="cases")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="cases")
    verdict = models.CharField(max_length=9, choices=Verdict.choices, default=Verdict.UNDECIDED)
    verdict_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=9, choices=CaseState.choices, default=CaseState.OPEN)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="cases")
    enrollment = models.OneToOneField(Enrollment, null=True, on_delete=models.SET_NULL, related_name="case")
    # The disavow file names the whole domain, or only the listed URLs.
    whole_domain = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["project", "site"], name="one_case_per_site")]


def url_key(source_url: str, target_url: str) -> str:
    """What makes a link the same link: SHA-256 of both addresses, 64 hexadecimal digits."""
    return hashlib.sha256(f"{source_url}\n{target_url}".encode()).hexdigest()


class Backlink(WorkspaceModel):
    """A link from a page of the site to ours. Addresses of public pages stand plain (docs/privacy.md)."""

    inventory = Kept(Data.CONTENT, "A link that may have to go", "Its project is deleted")
    project_path = "project"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="links")
    case = models.ForeignKey(RemovalCase, on_delete=models.CASCADE, related_name="links")
    source_url = models.TextField()
    target_url = models.TextField()
    key = models.CharField(max_length=64)
    anchor = models.CharField(max_length=300, blank=True)
    nofollow = models.BooleanField(default=False)
    first_seen = models.DateField(null=True)
    state = models.CharField(max_length=15, choices=LinkState.choices, default=LinkState.NOT_CHECKED)
    state_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="one_row_per_link")]
        indexes = [models.Index(fields=["workspace", "case", "source_url"], name="link_by_case")]
