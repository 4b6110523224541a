"""What groups campaigns and removal work; deleting one deletes its mail."""

from django.db import models

from accounts.clock import Now
from accounts.inventory import Data, Kept
from accounts.models import Membership
from accounts.tenancy import WorkspaceModel


class Project(WorkspaceModel):
    """`website` is the domain the work is for (the links' target in removal work); both stand plain."""

    inventory = Kept(Data.CONTENT, "Groups campaigns and removal work", "A person deletes it")
    project_path = "pk"

    name = models.CharField(max_length=120)
    website = models.CharField(max_length=253, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_project_per_name")]

    def __str__(self) -> str:
        return self.name


class ProjectAccess(WorkspaceModel):
    """One project that a member with limited access sees (Membership.all_projects is off)."""

    inventory = Kept(Data.ACCOUNT, "Which projects a member sees", "The member or the project goes")
    project_path = "project"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="access")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["membership", "project"], name="one_access_per_project")
        ]
